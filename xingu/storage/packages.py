"""Model packages: the files of one saved Model, with a manifest that names and checks them.

Its one idea: nothing is unpickled before the SHA-256 of every file was compared with the manifest.
Layout below the model storage::

    <dp>/trains/<train id>/manifest.json, provider_state.pkl, estimator/…, provider.py, pre_reqs/…
    <dp>/sessions/<session id>.json        the train of a session
    <dp>/history/<UTC time>.<train id>     trains by age
    <dp>/current.json                      the current train; moves last

Loading needs this storage alone: no database, no Dagster, no source of data.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.code import code_version, source_file
from xingu.dataprovider import DataProvider
from xingu.errors import CorruptPackageError, UntrainedModelError
from xingu.estimator import resolve_estimator_class
from xingu.identity import key_part
from xingu.model import Model, PreReqModels, Signature, TrainRun
from xingu.provenance import Provenance, library_versions
from xingu.state import ProviderState
from xingu.storage.files import new_folder, storage_root, write_atomically
from xingu.storage.manifest import MANIFEST, Manifest, ProviderRecord, describe_files, verify
from xingu.storage.provider_class import load_provider_class

logger = logging.getLogger(__name__)

STATE, ESTIMATOR, PROVIDER, PRE_REQS = "provider_state.pkl", "estimator", "provider.py", "pre_reqs"
CURRENT, SESSIONS, HISTORY, TRAINS = "current.json", "sessions", "history", "trains"


class ModelStore:
    """Saved Models below one folder or URL."""

    def __init__(self, root: str | UPath) -> None:
        self.root = storage_root(root)

    def folder(self, dp_id: str) -> UPath:
        """Return the folder of all trains of a DataProvider."""
        return self.root / key_part(dp_id)

    def package(self, dp_id: str, train_id: str) -> UPath:
        """Return the folder of one train's package."""
        return self.folder(dp_id) / TRAINS / train_id

    def unused_train_id(self, dp_id: str, wish: str) -> str:
        """Return `wish`, with a number where a package of that name exists."""
        number, train_id = 1, wish
        while (self.package(dp_id, train_id) / MANIFEST).exists():
            number += 1
            train_id = f"{wish}-{number}"
        return train_id

    def save(self, model: Model, values: Mapping[str, str] | None = None) -> UPath:
        """Write the package of `model`; `make_current` lets others find it.

        Args:
            model: A fitted Model.
            values: Ids of the stored values that it was made from, by asset key.

        Raises:
            StorageFullError: If the storage takes no more; nothing of the package is left.
        """
        with tempfile.TemporaryDirectory(prefix="xingu-") as scratch:
            self._write(model, Path(scratch), values or {})
            with new_folder(self.folder(model.id) / TRAINS, model.train_id) as package:
                _copy(UPath(scratch), package)
        return self.package(model.id, model.train_id)

    def make_current(self, run: TrainRun) -> None:
        """Make a saved train the current one of its DataProvider, and that of its session."""
        pointer = {"train_id": run.train_id, "train_session_id": run.train_session_id}
        data = json.dumps(pointer).encode()
        folder = self.folder(run.dataprovider_id)
        write_atomically(folder / SESSIONS / f"{key_part(run.train_session_id)}.json", data)
        now = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        write_atomically(folder / HISTORY / f"{now}.{run.train_id}", data)
        write_atomically(folder / CURRENT, data)

    def find(
        self,
        dp_id: str,
        *,
        train_id: str | None = None,
        session_id: str | None = None,
        as_of: datetime | None = None,
    ) -> str:
        """Return a `train_id`: the one given, of the session, of the time, or the current one.

        Raises:
            UntrainedModelError: If there is none.
        """
        folder = self.folder(dp_id)
        if train_id is None and as_of is not None:
            train_id = _newest_until(folder / HISTORY, as_of)
        elif train_id is None:
            name = f"{SESSIONS}/{key_part(session_id)}.json" if session_id else CURRENT
            train_id = _pointed_at(folder / name)
        if train_id is None or not (self.package(dp_id, train_id) / MANIFEST).exists():
            wanted = {"train_id": train_id, "train_session_id": session_id, "as_of": as_of}
            asked = ", ".join(f"{name} {value}" for name, value in wanted.items() if value)
            raise UntrainedModelError(
                f"No saved model of {dp_id!r}{f' with {asked}' if asked else ''} in {self.root}; "
                f"train it first: materialize {key_part(dp_id)}/model.",
                dataprovider_id=dp_id,
                **{name: str(value) for name, value in wanted.items() if value},
            )
        return train_id

    def current(self, dp_id: str) -> str | None:
        """Return the current `train_id`, or None if there is none."""
        return _pointed_at(self.folder(dp_id) / CURRENT)

    def load(self, dp_id: str, train_id: str) -> Model:
        """Load the package of one train; see `Model.load`."""
        package = self.package(dp_id, train_id)
        if not (package / MANIFEST).exists():
            self.find(dp_id, train_id=train_id)
        return load_package(package)

    def _write(self, model: Model, folder: Path, values: Mapping[str, str]) -> None:
        pre_reqs = dict(getattr(model.dp.pre_req_model, "trains", {}))
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
            verify(nested, _read_manifest(nested))
            _copy(nested, UPath(folder / PRE_REQS / key_part(dp_id)))
        manifest = _manifest_of(model, pre_reqs, values, has_source=source is not None)
        manifest = manifest.model_copy(update={"files": describe_files(folder)})
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1))


def load_package(package: UPath) -> Model:
    """Return the Model of a package, after its checksums were compared.

    Raises:
        CorruptPackageError: If a file is missing or is not what was saved.
    """
    manifest = _read_manifest(package)
    verify(package, manifest)
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
    provider.pre_req_model = PreReqModels(
        manifest.pre_reqs, lambda dp_id, _: load_package(package / PRE_REQS / key_part(dp_id))
    )
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
    return model


def _manifest_of(
    model: Model, pre_reqs: Mapping[str, str], values: Mapping[str, str], *, has_source: bool
) -> Manifest:
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
        pre_reqs=dict(pre_reqs),
    )


def _read_manifest(package: UPath) -> Manifest:
    try:
        return Manifest.model_validate_json((package / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise CorruptPackageError(
            f"{package} is no model package: it has no {MANIFEST}; train again, or name another "
            "train.",
            package=str(package),
        ) from error
    except ValueError as error:
        raise CorruptPackageError(
            f"{package / MANIFEST} cannot be read ({error}); train again, or name another train.",
            package=str(package),
        ) from error


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


def _pointed_at(pointer: UPath) -> str | None:
    try:
        return json.loads(pointer.read_bytes())["train_id"]
    except FileNotFoundError:
        return None


def _newest_until(history: UPath, as_of: datetime) -> str | None:
    limit = f"{as_of.astimezone(UTC):%Y%m%dT%H%M%S.%f}"
    try:
        names = sorted(child.name for child in history.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return None
    until = [name for name in names if name[:1].isdigit() and name[: len(limit)] <= limit]
    return until[-1][len(limit) + 1 :] if until else None


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
