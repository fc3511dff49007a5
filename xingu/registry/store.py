"""Model storage: packages by DataProvider and train, and pointers to the current train.

Layout below the root::

    <dp>/trains/<train id>/…               one package; see `packages`
    <dp>/sessions/<session id>.json        train of a session
    <dp>/history/…, <dp>/current.json      history of the current train; see `ledger`

Loading a Model needs this storage only: no control DB, no Dagster, no source database. Listing
trains does not import pandas: what reads and writes packages is imported when it is used.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from upath import UPath

from xingu.errors import (
    StorageError,
    UntrainedModelError,
    XinguError,
    text_of,
)
from xingu.files.atomic import (
    children,
    is_abandoned,
    leftovers,
    new_folder,
    remove_folder,
    storage_errors,
    storage_root,
)
from xingu.names import is_file_name, is_folder_name, key_part
from xingu.records import PackageRecord, SourceRecord, TrainRun
from xingu.registry.ledger import CURRENT, Action, Ledger
from xingu.registry.manifest import (
    MANIFEST,
    Manifest,
    manifest_bytes,
    parse_manifest,
    read_manifest,
    reading,
    require_train,
)
from xingu.registry.sessions import Sessions

if TYPE_CHECKING:
    from xingu.model import Model
    from xingu.registry.signing import Keys

SESSIONS, TRAINS = "sessions", "trains"


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned train, and what pins it: ``inventory.yaml`` or ``xingu inventory pin``."""

    train_id: str
    by: str

    def __str__(self) -> str:
        return f"{self.train_id} (pinned by {self.by})"


class ModelStore:
    """Saved Models below one folder or URL.

    Args:
        root: Folder or URL.
        pins: Pinned `train_id` by id of the DataProvider; it replaces the current one.
        model_class: Class of the Models that are loaded; None: `xingu.model.Model`.
        verify: Refuse to save a package that does not load without the project.
        keys: Keys that sign and verify packages; None: neither is done.
    """

    def __init__(
        self,
        root: str | UPath,
        pins: Mapping[str, str] | None = None,
        model_class: "type[Model] | None" = None,
        *,
        verify: bool = False,
        keys: "Keys | None" = None,
    ) -> None:
        self._verify = verify
        self.keys = keys
        self.root = storage_root(root)
        self._model_class = model_class
        self.pins = {key_part(dp_id): train_id for dp_id, train_id in (pins or {}).items()}

    def folder(self, dp_id: str) -> UPath:
        """Return the folder of all trains of a DataProvider."""
        return self.root / key_part(dp_id)

    def package(self, dp_id: str, train_id: str) -> UPath:
        """Return the folder of one train's package."""
        return self.folder(dp_id) / TRAINS / train_id

    def has(self, dp_id: str, train_id: str) -> bool:
        """Return whether there is a complete package of a train."""
        if not (is_file_name(dp_id) and is_file_name(train_id) and is_folder_name(train_id)):
            return False
        package = self.package(dp_id, train_id)
        with reading(package, MANIFEST):
            return (package / MANIFEST).exists()

    def dataproviders(self) -> list[str]:
        """Return the folder names (`key_part` of the id) of all trained DataProviders, sorted."""
        return sorted(
            folder.name
            for folder in children(self.root)
            if (folder / TRAINS).exists() or (folder / CURRENT).exists()
        )

    def trains(self, dp_id: str) -> list[str]:
        """Return the ids of all complete packages of a DataProvider, sorted; lists a folder."""
        folder = self.folder(dp_id) / TRAINS
        names = [child.name for child in children(folder)] if is_file_name(dp_id) else []
        return sorted(name for name in names if self.has(dp_id, name))

    def remove(self, dp_id: str, train_id: str) -> None:
        """Remove a package, after the pointer of its session.

        The manifest goes first, so that no process loads an incomplete package.

        Raises:
            CorruptPackageError: If there is no such package, or its manifest cannot be read.
        """
        package = self.package(dp_id, train_id)
        session = read_manifest(package).train_session_id
        self.sessions(dp_id).forget(session, train_id)
        (package / MANIFEST).unlink()
        remove_folder(package)

    def leftovers(self) -> list[UPath]:
        """Return what killed processes left; lists every folder.

        That are sessions of trains that do not exist, and incomplete files and packages that have
        not changed for a day. The current train stays even if it is incomplete.
        """
        found = leftovers(self.root)
        for dp_id in self.dataproviders():
            sessions = self.sessions(dp_id).trains()  # read first: a package is older
            packages = {one.name: one for one in children(self.folder(dp_id) / TRAINS)}
            incomplete = {
                train_id: package
                for train_id, package in packages.items()
                if not self.has(dp_id, train_id) and is_abandoned(package)
            }
            incomplete.pop(self.current(dp_id) or "", None)
            found += incomplete.values()
            there = packages.keys() - incomplete
            found += (path for path, train_id in sessions.items() if train_id not in there)
        return found

    def sessions(self, dp_id: str) -> Sessions:
        """Return the trains of a DataProvider by session."""
        return Sessions(self.folder(dp_id) / SESSIONS)

    def ledger(self, dp_id: str) -> Ledger:
        """Return the history of a DataProvider."""
        return Ledger(self.folder(dp_id))

    def save(
        self,
        model: "Model",
        values: Mapping[str, str] | None = None,
        sources: Sequence[SourceRecord] = (),
    ) -> UPath:
        """Write the package of a fitted Model, which becomes the train of its session.

        `xingu.registry.lifecycle.accept` or `make_current` then makes it the current one.

        Args:
            model: A fitted Model.
            values: Ids of the stored values that it was trained on, by asset key.
            sources: The sources that it was trained on.

        Returns:
            Folder or URL of the package.

        Raises:
            PortabilityError: If the package would not load without the project.
            StorageFullError: If the storage is full; the incomplete package is removed.
        """
        from xingu.registry.packages import write_package
        from xingu.registry.transfer import copy_package
        from xingu.registry.verification import verify_portable

        with tempfile.TemporaryDirectory(prefix="xingu-") as scratch:
            with storage_errors(f"writing the package of {model.id}", UPath(scratch)):
                pre_reqs = {
                    dp_id: self.package(dp_id, train_id)
                    for dp_id, train_id in model.pre_req_trains.items()
                }
                write_package(model, Path(scratch), pre_reqs, values or {}, sources)
            if self._verify:
                verify_portable(model, Path(scratch))
            if self.keys is not None:
                self.keys.sign(Path(scratch))
            with new_folder(self.folder(model.id) / TRAINS, model.train_id) as package:
                copy_package(UPath(scratch), package, read_manifest(UPath(scratch)))
        self.point_session(model.run)
        return self.package(model.id, model.train_id)

    def make_current(self, run: TrainRun, action: Action = "train") -> None:
        """Make a saved train the train of its session and, unless another is pinned, current.

        Its checks and its age do not count; see `xingu.registry.lifecycle` for trains of the graph.
        """
        self.point_session(run)
        self.ledger(run.dataprovider_id).append(run.train_id, run.train_session_id, action)

    def point_session(self, run: TrainRun) -> None:
        """Make a saved train the train of its session; `save` does so."""
        self.sessions(run.dataprovider_id).point(run.train_session_id, run.train_id)

    def find(
        self,
        dp_id: str,
        *,
        train_id: str | None = None,
        preferred: Sequence[str] = (),
        session_id: str | None = None,
        as_of: datetime | None = None,
    ) -> str:
        """Return the `train_id` of a complete package; the first argument that is given decides.

        Args:
            dp_id: Id of the DataProvider.
            train_id: This train.
            preferred: Train or session ids; the first one that the DataProvider has. If it has
                none of them, the arguments below decide.
            session_id: The train of this session.
            as_of: The train that was current at this time (with a time zone).

        Returns:
            The train, by default the current one.

        Raises:
            UntrainedModelError: If there is none.
        """
        if train_id is None:
            train_id = self._first_of(dp_id, preferred)
        if train_id is None and session_id is not None:
            train_id = self.sessions(dp_id).train_of(session_id)
        elif train_id is None and as_of is not None:
            entry = self.ledger(dp_id).at(as_of)
            train_id = entry.current if entry else None
        elif train_id is None:
            train_id = self.current(dp_id)
        if train_id is None or not self.has(dp_id, train_id):
            requested = {"train_id": train_id, "train_session_id": session_id, "as_of": as_of}
            given = {name: str(value) for name, value in requested.items() if value}
            criteria = ", ".join(f"{name} {value}" for name, value in given.items())
            advice = self._advice(dp_id, train_id)
            raise UntrainedModelError(
                f"No saved model of {dp_id!r}{f' with {criteria}' if given else ''} in "
                f"{self.root}; {advice}.",
                dataprovider_id=dp_id,
                **given,
            )
        return train_id

    def _advice(self, dp_id: str, train_id: str | None) -> str:
        if train_id is not None and self.pinned(dp_id) == train_id:
            return "the inventory file pins it: pin another train there"
        if train_id is None and (trains := self.trains(dp_id)):
            key, some = key_part(dp_id), ", ".join([*trains[:3], *(["…"] if trains[3:] else [])])
            return (
                "none of its trains is current: a train has to pass its blocking checks "
                f"(materialize {key}/trainset_estimations and {key}/trainset_metrics). Name one by "
                f"train_id ({some}), or pin one with `xingu inventory pin`"
            )
        if pickle := next(self._pickles_of_xingu_2(dp_id), None):
            return (
                f"there is {pickle}, a pickle of Xingu 2.0, which cannot be loaded, because it "
                "refers to the code of that version: train it again, with HYPEROPT_STRATEGY=last "
                f"to keep its hyperparameters (materialize {key_part(dp_id)}/model)"
            )
        return f"train it first: materialize {key_part(dp_id)}/model"

    def _pickles_of_xingu_2(self, dp_id: str) -> Iterator[str]:
        """Yield the names of pickles of a DataProvider that Xingu 2.0 saved."""
        try:
            names = [path.name for path in self.root.iterdir()]
        except OSError:  # nothing was saved yet
            return
        for name in names:
            if name.startswith(f"{dp_id} • ") and ".pkl" in name:
                yield name

    def pinned(self, dp_id: str) -> str | None:
        """Return the `train_id` that the inventory file pins; None: it pins none."""
        return self.pins.get(key_part(dp_id))

    def pin_of(self, dp_id: str) -> Pin | None:
        """Return the pin that decides what is current, of the inventory file or of the ledger."""
        if pinned := self.pinned(dp_id):
            return Pin(pinned, "inventory.yaml")
        newest = self.ledger(dp_id).newest()
        if newest is not None and newest.pinned and newest.current is not None:
            return Pin(newest.current, "xingu inventory pin")
        return None

    def current(self, dp_id: str) -> str | None:
        """Return the train that the inventory file pins, else the current one of the ledger.

        None: nothing was trained yet, or no train has passed its blocking checks.
        """
        pinned = self.pinned(dp_id)
        if pinned is not None:
            return pinned
        newest = self.ledger(dp_id).newest() if is_file_name(dp_id) else None
        return newest.current if newest else None

    def manifest(self, dp_id: str, train_id: str) -> Manifest:
        """Return the manifest of a train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If the manifest is damaged, or that of another train.
        """
        package = self.package(dp_id, self.find(dp_id, train_id=train_id))
        return require_train(read_manifest(package), package, dp_id, train_id)

    def package_record(self, dp_id: str, train_id: str) -> PackageRecord:
        """Return location and checksums of the package of a train."""
        package = self.package(dp_id, train_id)
        data = manifest_bytes(package)
        files = parse_manifest(package, data).files
        return PackageRecord(
            path=str(package),
            manifest_sha256=sha256(data).hexdigest(),
            files={name: (file.sha256, file.bytes) for name, file in files.items()},
        )

    def _first_of(self, dp_id: str, preferred: Sequence[str]) -> str | None:
        for name in preferred:
            train_id = name if self.has(dp_id, name) else self.sessions(dp_id).train_of(name)
            if train_id is not None:
                return train_id
        return None

    def load(self, dp_id: str, train_id: str) -> "Model":
        """Load the Model of one train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file is missing or differs from what was saved.
            SignatureError: If trusted keys are given, and none has signed it.
            StorageError: If the installed libraries cannot read it.
        """
        from xingu.model import Model
        from xingu.registry.opened import open_package
        from xingu.registry.packages import load_package

        package = self.package(dp_id, self.find(dp_id, train_id=train_id))
        opened = open_package(package, self.keys.trusted if self.keys else ())
        manifest = require_train(opened.manifest, package, dp_id, train_id)
        try:
            return load_package(package, self._model_class or Model, opened)
        except XinguError:
            raise
        except Exception as error:  # a pickled class can raise anything
            raise StorageError(
                f"{package} cannot be loaded: {type(error).__name__}: {text_of(error)}. "
                f"{_other_pandas(manifest)}",
                package=str(package),
            ) from error


def _other_pandas(manifest: Manifest) -> str:
    from xingu.model.provenance import Provenance, library_versions

    saved = Provenance(**manifest.provenance).libraries.get("pandas")
    installed = library_versions().get("pandas")
    if saved in (None, installed):
        return "Train again, or load another train."
    return (
        f"It was saved with pandas {saved}, and {installed} is installed: install pandas {saved}."
    )
