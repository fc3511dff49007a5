"""Model packages: the files of one saved Model, with a manifest that names and checks them.

Its one idea: nothing is unpickled before the SHA-256 of every file was compared with the manifest.
Layout below the model storage::

    <dp>/trains/<train id>/manifest.json, provider_state.pkl, estimator/…, provider.py, pre_reqs/…
    <dp>/sessions/<session id>.json        the train of a session
    <dp>/history/…, <dp>/current.json      which train was current when; see `ledger`

Loading needs this storage alone: no database, no Dagster, no source of data.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.checks.reference import Reference
from xingu.code import code_version, source_file
from xingu.dataprovider import DataProvider
from xingu.errors import UntrainedModelError
from xingu.estimator import resolve_estimator_class
from xingu.identity import key_part
from xingu.model import Model, PreReqModels, Signature, TrainRun
from xingu.provenance import Provenance, SourceRecord, library_versions
from xingu.state import ProviderState
from xingu.storage.files import (
    children,
    new_folder,
    remove_folder,
    storage_errors,
    storage_root,
    write_atomically,
)
from xingu.storage.ledger import Action, Ledger
from xingu.storage.manifest import (
    MANIFEST,
    Manifest,
    PackageRecord,
    ProviderRecord,
    describe_files,
    read_manifest,
    verify,
)
from xingu.storage.provider_class import load_provider_class

logger = logging.getLogger(__name__)

STATE, ESTIMATOR, PROVIDER, PRE_REQS = "provider_state.pkl", "estimator", "provider.py", "pre_reqs"
SESSIONS, TRAINS = "sessions", "trains"


class ModelStore:
    """Saved Models below one folder or URL.

    Args:
        root: Folder or URL.
        pins: The `train_id` to take for the current one, by id of the DataProvider.
    """

    def __init__(self, root: str | UPath, pins: Mapping[str, str] | None = None) -> None:
        self.root = storage_root(root)
        self.pins = {key_part(dp_id): train_id for dp_id, train_id in (pins or {}).items()}

    def folder(self, dp_id: str) -> UPath:
        """Return the folder of all trains of a DataProvider."""
        return self.root / key_part(dp_id)

    def package(self, dp_id: str, train_id: str) -> UPath:
        """Return the folder of one train's package."""
        return self.folder(dp_id) / TRAINS / train_id

    def has(self, dp_id: str, train_id: str) -> bool:
        """Return whether there is a whole package of a train."""
        return (self.package(dp_id, train_id) / MANIFEST).exists()

    def dataproviders(self) -> list[str]:
        """Return the key parts of all DataProviders that were trained, sorted."""
        folders = children(self.root)
        return sorted(folder.name for folder in folders if (folder / TRAINS).exists())

    def trains(self, dp_id: str) -> list[str]:
        """Return the ids of all whole packages of a DataProvider; lists a folder."""
        names = [child.name for child in children(self.folder(dp_id) / TRAINS)]
        return sorted(name for name in names if self.has(dp_id, name))

    def remove(self, dp_id: str, train_id: str) -> None:
        """Remove a package; its manifest goes first, so nobody loads half of it."""
        package = self.package(dp_id, train_id)
        session = read_manifest(package).train_session_id
        (package / MANIFEST).unlink()
        remove_folder(package)
        if self._of_session(dp_id, session) == train_id:
            (self.folder(dp_id) / SESSIONS / f"{key_part(session)}.json").unlink()

    def ledger(self, dp_id: str) -> Ledger:
        """Return which train of a DataProvider was current when."""
        return Ledger(self.folder(dp_id))

    def save(
        self,
        model: Model,
        values: Mapping[str, str] | None = None,
        sources: Sequence[SourceRecord] = (),
    ) -> UPath:
        """Write the package of `model`; `make_current` lets others find it.

        Args:
            model: A fitted Model.
            values: Ids of the stored values that it was made from, by asset key.
            sources: What it was trained on.

        Raises:
            StorageFullError: If the storage takes no more; nothing of the package is left.
        """
        with tempfile.TemporaryDirectory(prefix="xingu-") as scratch:
            with storage_errors(f"writing the package of {model.id}", UPath(scratch)):
                self._write(model, Path(scratch), values or {}, sources)
            with new_folder(self.folder(model.id) / TRAINS, model.train_id) as package:
                _copy(UPath(scratch), package)
        return self.package(model.id, model.train_id)

    def make_current(self, run: TrainRun, action: Action = "train") -> None:
        """Make a saved train the current one of its DataProvider, and that of its session."""
        pointer = json.dumps({"train_id": run.train_id}).encode()
        folder = self.folder(run.dataprovider_id)
        write_atomically(folder / SESSIONS / f"{key_part(run.train_session_id)}.json", pointer)
        self.ledger(run.dataprovider_id).append(run.train_id, run.train_session_id, action)

    def find(
        self,
        dp_id: str,
        *,
        train_id: str | None = None,
        session_id: str | None = None,
        as_of: datetime | None = None,
        preferred: Sequence[str] = (),
    ) -> str:
        """Return a `train_id`: the one given, of the session, of the time, or the current one.

        Args:
            dp_id: Id of the DataProvider.
            train_id: This train.
            session_id: The train of this session.
            as_of: The train that was the current one at this time (with a time zone).
            preferred: Train or session ids; the first that the DataProvider has is taken, and if
                there is none, the current one.

        Raises:
            UntrainedModelError: If there is none.
        """
        if train_id is None:
            train_id = self._first_of(dp_id, preferred)
        if train_id is None and session_id is not None:
            train_id = self._of_session(dp_id, session_id)
        elif train_id is None and as_of is not None:
            entry = self.ledger(dp_id).at(as_of)
            train_id = entry.train_id if entry else None
        elif train_id is None:
            train_id = self.current(dp_id)
        if train_id is None or not self.has(dp_id, train_id):
            wanted = {"train_id": train_id, "train_session_id": session_id, "as_of": as_of}
            asked = ", ".join(f"{name} {value}" for name, value in wanted.items() if value)
            advice = f"train it first: materialize {key_part(dp_id)}/model"
            if train_id is not None and self.pins.get(key_part(dp_id)) == train_id:
                advice = "the inventory file pins it: pin another train there"
            raise UntrainedModelError(
                f"No saved model of {dp_id!r}{f' with {asked}' if asked else ''} in {self.root}; "
                f"{advice}.",
                dataprovider_id=dp_id,
                **{name: str(value) for name, value in wanted.items() if value},
            )
        return train_id

    def current(self, dp_id: str) -> str | None:
        """Return the pinned, else the newest `train_id`; None: nothing was trained yet."""
        pinned = self.pins.get(key_part(dp_id))
        if pinned is not None:
            return pinned
        newest = self.ledger(dp_id).newest()
        return newest.train_id if newest else None

    def manifest(self, dp_id: str, train_id: str) -> Manifest:
        """Return what is known of a train without loading it.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If the manifest cannot be read.
        """
        return read_manifest(self.package(dp_id, self.find(dp_id, train_id=train_id)))

    def package_record(self, dp_id: str, train_id: str) -> PackageRecord:
        """Return where the package of a train is, and the SHA-256 of what is in it."""
        package = self.package(dp_id, train_id)
        data = (package / MANIFEST).read_bytes()
        files = Manifest.model_validate_json(data).files
        return PackageRecord(
            path=str(package),
            manifest_sha256=sha256(data).hexdigest(),
            files={name: (file.sha256, file.bytes) for name, file in files.items()},
        )

    def _first_of(self, dp_id: str, preferred: Sequence[str]) -> str | None:
        for wish in preferred:
            found = wish if self.has(dp_id, wish) else self._of_session(dp_id, wish)
            if found is not None:
                return found
        return None

    def _of_session(self, dp_id: str, session_id: str) -> str | None:
        pointer = self.folder(dp_id) / SESSIONS / f"{key_part(session_id)}.json"
        try:
            return json.loads(pointer.read_bytes())["train_id"]
        except FileNotFoundError:
            return None

    def load(self, dp_id: str, train_id: str) -> Model:
        """Load the package of one train; see `Model.load`."""
        return load_package(self.package(dp_id, self.find(dp_id, train_id=train_id)))

    def _write(
        self,
        model: Model,
        folder: Path,
        values: Mapping[str, str],
        sources: Sequence[SourceRecord],
    ) -> None:
        pre_reqs = model.pre_req_trains
        state = ProviderState.capture(model.dp, "post_process_after_train", pre_reqs)
        (folder / STATE).write_bytes(state.payload)
        source = source_file(type(model.dp))
        if source is not None:
            (folder / PROVIDER).write_bytes(source.read_bytes())
        if model.estimator is not None:
            (folder / ESTIMATOR).mkdir()
            model.estimator.save(folder / ESTIMATOR)
        for dp_id, train_id in pre_reqs.items():
            nested = self.package(dp_id, train_id)
            verify(nested, read_manifest(nested))
            _copy(nested, UPath(folder / PRE_REQS / key_part(dp_id)))
        manifest = _manifest_of(model, values, has_source=source is not None)
        update = {"files": describe_files(folder), "sources": [asdict(one) for one in sources]}
        manifest = manifest.model_copy(update=update)
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1))


def load_package(package: UPath) -> Model:
    """Return the Model of a package, after its checksums were compared.

    Raises:
        CorruptPackageError: If a file is missing or is not what was saved.
    """
    manifest = read_manifest(package)
    verify(package, manifest, lambda file: not file.startswith(f"{PRE_REQS}/"))
    _warn_of_other_versions(manifest)
    with _local(package) as folder:
        cls = load_provider_class(manifest.provider, manifest.dataprovider_id, folder / PROVIDER)
        provider = cls()
        ProviderState((folder / STATE).read_bytes()).restore(provider)
        estimator = None
        if manifest.estimator_class is not None:
            owner = manifest.dataprovider_id
            estimator_class = resolve_estimator_class(manifest.estimator_class, owner)
            estimator = estimator_class.load(folder / ESTIMATOR)

    def load_pre_req(dp_id: str, _: str) -> Model:
        inside = f"{PRE_REQS}/{key_part(dp_id)}"
        # Its own manifest could have been changed together with its files.
        verify(package, manifest, lambda file: file == f"{inside}/{MANIFEST}")
        return load_package(package / inside)

    provider.pre_req_model = PreReqModels(manifest.pre_reqs, load_pre_req)
    return _model_of(manifest, provider, estimator)


def _model_of(manifest: Manifest, provider: DataProvider, estimator: Any) -> Model:
    run = TrainRun(
        manifest.dataprovider_id, manifest.train_id, manifest.train_session_id, manifest.run_id
    )
    model = Model(provider, estimator, run, Provenance(**manifest.provenance))
    model.trained = manifest.trained or False
    model.hyperparams_origin = manifest.hyperparams_origin
    model.fitted_signature = Signature(
        manifest.features, tuple(manifest.estimator_features), manifest.target, manifest.set_rows
    )
    if manifest.reference is not None:
        model.reference = Reference.from_dict(manifest.reference)
    return model


def _manifest_of(model: Model, values: Mapping[str, str], *, has_source: bool) -> Manifest:
    cls, estimator, signature = type(model.dp), model.estimator, model.signature()
    return Manifest(
        dataprovider_id=model.id,
        train_id=model.train_id,
        train_session_id=model.train_session_id,
        run_id=model.run.run_id,
        trained=model.trained or None,
        provider=ProviderRecord(
            module=cls.__module__,
            name=cls.__qualname__,
            code_version=code_version(cls),
            has_source=has_source,
        ),
        estimator_class=(
            f"{type(estimator).__module__}.{type(estimator).__qualname__}" if estimator else None
        ),
        algo_params=json.loads(json.dumps(model.algo_params, default=str)),
        hyperparams_origin=model.hyperparams_origin,
        features=dict(signature.features),
        estimator_features=list(signature.estimator_features),
        target=signature.target,
        set_rows=dict(signature.set_rows),
        provenance=model.provenance.as_dict(),
        values=dict(values),
        pre_reqs=model.pre_req_trains,
        reference=model.reference.as_dict() if model.reference else None,
    )


def _warn_of_other_versions(manifest: Manifest) -> None:
    now = library_versions()
    saved = Provenance(**manifest.provenance).libraries
    others = [
        f"{name} {saved[name]} → {now[name]}"
        for name in saved
        if now.get(name, saved[name]) != saved[name]
    ]
    if others:
        logger.warning(
            "%s %s was trained with other library versions: %s",
            manifest.dataprovider_id,
            manifest.train_id,
            ", ".join(others),
        )


def _copy(source: UPath, target: UPath) -> None:
    """Copy a folder's files; the manifest last, because it says that the package is whole."""
    files = [path for path in source.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == MANIFEST):
        place = target.joinpath(*path.parts[len(source.parts) :])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())


@contextmanager
def _local(package: UPath) -> Iterator[Path]:
    """The package as a local folder: itself, or a copy for as long as it is being read."""
    if package.protocol in ("", "file"):
        yield Path(package.path)
        return
    with tempfile.TemporaryDirectory(prefix="xingu-") as folder:
        _copy(package, UPath(folder))
        yield Path(folder)
