"""Model storage: packages by DataProvider and train, and pointers to the current train.

Layout below the root::

    <dp>/trains/<train id>/…               one package; see `packages`
    <dp>/sessions/<session id>.json        train of a session
    <dp>/history/…, <dp>/current.json      history of the current train; see `ledger`

Loading a Model needs this storage only: no control DB, no Dagster, no source database.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from upath import UPath

from xingu.errors import UntrainedModelError
from xingu.files.atomic import (
    children,
    new_folder,
    remove_folder,
    storage_errors,
    storage_root,
    write_atomically,
)
from xingu.model import Model
from xingu.names import key_part
from xingu.records import PackageRecord, SourceRecord, TrainRun
from xingu.registry.ledger import Action, Ledger
from xingu.registry.manifest import MANIFEST, Manifest, read_manifest
from xingu.registry.packages import copy_files, load_package, write_package
from xingu.registry.verification import verify_portable

SESSIONS, TRAINS = "sessions", "trains"


class ModelStore:
    """Saved Models below one folder or URL.

    Args:
        root: Folder or URL.
        pins: Pinned `train_id` by id of the DataProvider; it replaces the current one.
        model_class: Class of the Models that are loaded.
        verify: Refuse to save a package that does not load without the project.
    """

    def __init__(
        self,
        root: str | UPath,
        pins: Mapping[str, str] | None = None,
        model_class: type[Model] = Model,
        *,
        verify: bool = False,
    ) -> None:
        self._verify = verify
        self.root = storage_root(root)
        self.model_class = model_class
        self.pins = {key_part(dp_id): train_id for dp_id, train_id in (pins or {}).items()}

    def folder(self, dp_id: str) -> UPath:
        """Return the folder of all trains of a DataProvider."""
        return self.root / key_part(dp_id)

    def package(self, dp_id: str, train_id: str) -> UPath:
        """Return the folder of one train's package."""
        return self.folder(dp_id) / TRAINS / train_id

    def has(self, dp_id: str, train_id: str) -> bool:
        """Return whether there is a complete package of a train."""
        return (self.package(dp_id, train_id) / MANIFEST).exists()

    def dataproviders(self) -> list[str]:
        """Return the folder names (`key_part` of the id) of all trained DataProviders, sorted."""
        folders = children(self.root)
        return sorted(folder.name for folder in folders if (folder / TRAINS).exists())

    def trains(self, dp_id: str) -> list[str]:
        """Return the ids of all complete packages of a DataProvider, sorted; lists a folder."""
        names = [child.name for child in children(self.folder(dp_id) / TRAINS)]
        return sorted(name for name in names if self.has(dp_id, name))

    def remove(self, dp_id: str, train_id: str) -> None:
        """Remove a package: the manifest first, so that no process loads an incomplete package.

        Raises:
            CorruptPackageError: If there is no such package, or its manifest cannot be read.
        """
        package = self.package(dp_id, train_id)
        session = read_manifest(package).train_session_id
        (package / MANIFEST).unlink()
        remove_folder(package)
        if self._of_session(dp_id, session) == train_id:
            (self.folder(dp_id) / SESSIONS / f"{key_part(session)}.json").unlink()

    def ledger(self, dp_id: str) -> Ledger:
        """Return the history of a DataProvider."""
        return Ledger(self.folder(dp_id))

    def save(
        self,
        model: Model,
        values: Mapping[str, str] | None = None,
        sources: Sequence[SourceRecord] = (),
    ) -> UPath:
        """Write the package of a fitted Model; `make_current` then makes it the current one.

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
        with tempfile.TemporaryDirectory(prefix="xingu-") as scratch:
            with storage_errors(f"writing the package of {model.id}", UPath(scratch)):
                pre_reqs = {
                    dp_id: self.package(dp_id, train_id)
                    for dp_id, train_id in model.pre_req_trains.items()
                }
                write_package(model, Path(scratch), pre_reqs, values or {}, sources)
            if self._verify:
                verify_portable(model, Path(scratch))
            with new_folder(self.folder(model.id) / TRAINS, model.train_id) as package:
                copy_files(UPath(scratch), package)
        return self.package(model.id, model.train_id)

    def make_current(self, run: TrainRun, action: Action = "train") -> None:
        """Make a saved train the current one of its DataProvider and the train of its session."""
        pointer = json.dumps({"train_id": run.train_id}).encode()
        folder = self.folder(run.dataprovider_id)
        write_atomically(folder / SESSIONS / f"{key_part(run.train_session_id)}.json", pointer)
        self.ledger(run.dataprovider_id).append(run.train_id, run.train_session_id, action)

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
            train_id = self._of_session(dp_id, session_id)
        elif train_id is None and as_of is not None:
            entry = self.ledger(dp_id).at(as_of)
            train_id = entry.train_id if entry else None
        elif train_id is None:
            train_id = self.current(dp_id)
        if train_id is None or not self.has(dp_id, train_id):
            requested = {"train_id": train_id, "train_session_id": session_id, "as_of": as_of}
            given = {name: str(value) for name, value in requested.items() if value}
            criteria = ", ".join(f"{name} {value}" for name, value in given.items())
            advice = f"train it first: materialize {key_part(dp_id)}/model"
            if train_id is not None and self.pinned(dp_id) == train_id:
                advice = "the inventory file pins it: pin another train there"
            raise UntrainedModelError(
                f"No saved model of {dp_id!r}{f' with {criteria}' if given else ''} in "
                f"{self.root}; {advice}.",
                dataprovider_id=dp_id,
                **given,
            )
        return train_id

    def pinned(self, dp_id: str) -> str | None:
        """Return the `train_id` that the inventory file pins; None: it pins none."""
        return self.pins.get(key_part(dp_id))

    def current(self, dp_id: str) -> str | None:
        """Return the pinned, else the newest `train_id`; None if nothing was trained yet."""
        pinned = self.pinned(dp_id)
        if pinned is not None:
            return pinned
        newest = self.ledger(dp_id).newest()
        return newest.train_id if newest else None

    def manifest(self, dp_id: str, train_id: str) -> Manifest:
        """Return the manifest of a train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If the manifest cannot be parsed.
        """
        return read_manifest(self.package(dp_id, self.find(dp_id, train_id=train_id)))

    def package_record(self, dp_id: str, train_id: str) -> PackageRecord:
        """Return location and checksums of the package of a train."""
        package = self.package(dp_id, train_id)
        data = (package / MANIFEST).read_bytes()
        files = Manifest.model_validate_json(data).files
        return PackageRecord(
            path=str(package),
            manifest_sha256=sha256(data).hexdigest(),
            files={name: (file.sha256, file.bytes) for name, file in files.items()},
        )

    def _first_of(self, dp_id: str, preferred: Sequence[str]) -> str | None:
        for name in preferred:
            train_id = name if self.has(dp_id, name) else self._of_session(dp_id, name)
            if train_id is not None:
                return train_id
        return None

    def _of_session(self, dp_id: str, session_id: str) -> str | None:
        pointer = self.folder(dp_id) / SESSIONS / f"{key_part(session_id)}.json"
        try:
            return json.loads(pointer.read_bytes())["train_id"]
        except FileNotFoundError:
            return None

    def load(self, dp_id: str, train_id: str) -> Model:
        """Load the Model of one train.

        Raises:
            UntrainedModelError: If there is no such train.
            CorruptPackageError: If a file is missing or differs from what was saved.
        """
        package = self.package(dp_id, self.find(dp_id, train_id=train_id))
        return load_package(package, self.model_class)
