"""Follow the current train of a model storage in a process that serves.

A thread reads the pointer (one or two small files) and loads a new train beside the one that is
served. The Model is exchanged by one assignment once the new one is proven, so no request waits
for it; a request uses the Model that it has taken to its end.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Self

from upath import UPath

from xingu.api import Model, model_store
from xingu.errors import StorageError, UntrainedModelError, text_of
from xingu.registry.golden import differences, read_golden

logger = logging.getLogger(__name__)

LONGEST_WAIT = 300.0
"""Largest number of seconds between two attempts to load a train that cannot be loaded."""


class Follower:
    """The current Model of a DataProvider, kept up to date by a thread.

    Use it as a context manager; the thread lives as long as the block. Before a train replaces the
    one that is served, it is verified and loaded, and its golden rows are estimated. If that fails,
    the old one stays, `status` has the reason, and loading is tried again after longer and longer
    times.

    Args:
        dp_id: Id of the DataProvider.
        path: The model storage: a folder or a URL, such as that of a deploy target; None: that of
            the settings.
        seconds: Time between two looks at the pointer.
        trusted_keys: Files or texts of public keys, one of which must have signed what is loaded;
            None: those of XINGU_TRUSTED_KEYS, if it is set.
        prove: Refuse a train whose golden rows do not get the estimations that they had when it
            was saved.

    Raises:
        UntrainedModelError: If no train is current.
        StorageError: If the current train cannot be loaded, or is not proven.
    """

    def __init__(
        self,
        dp_id: str,
        path: str | UPath | None = None,
        *,
        seconds: float = 10.0,
        trusted_keys: Sequence[str | Path] | None = None,
        prove: bool = True,
    ) -> None:
        self._store = model_store(path, Model, trusted_keys)
        self._dp_id, self._seconds, self._prove = dp_id, seconds, prove
        self._problem: str | None = None
        self._failed: tuple[str, float, float] | None = None
        self._stop, self._lock = Event(), Lock()
        self._thread = Thread(target=self._follow, name=f"follow {dp_id}", daemon=True)
        self._model = self._loaded(self._store.find(dp_id))
        self._checked = self._since = datetime.now(UTC)

    @property
    def model(self) -> Model:
        """The Model that is served now. Take it once per request: the next access may be newer."""
        return self._model

    def status(self) -> dict[str, Any]:
        """Return what is served, as JSON types.

        Returns:
            `dataprovider_id`, `train_id`, `train_session_id`, `trained`, `git_commit`,
            `package_sha256`, `signer`, `since`: when it was loaded, `checked`: when the pointer was
            last read, and `problem`: why the current train of the storage is not served, or None.
        """
        model = self._model
        return {
            "dataprovider_id": model.id,
            "train_id": model.train_id,
            "train_session_id": model.train_session_id,
            "trained": model.trained.isoformat() if model.trained else None,
            "git_commit": model.git_commit,
            "package_sha256": model.package_sha256,
            "signer": model.signer,
            "since": self._since.isoformat(timespec="seconds"),
            "checked": self._checked.isoformat(timespec="seconds"),
            "problem": self._problem,
        }

    def check(self) -> bool:
        """Read the pointer, and load the current train if it is another one.

        Returns:
            Whether the Model was exchanged. Errors are logged, and are in `status`.
        """
        with self._lock:
            train_id = None
            try:
                train_id = self._store.current(self._dp_id)
                self._checked = datetime.now(UTC)
                if train_id is None:
                    raise UntrainedModelError(f"no train of {self._dp_id} is current any more")
                if train_id == self._model.train_id:
                    self._failed = self._problem = None
                    return False
                if not self._is_due(train_id):
                    return False
                self._model = self._loaded(train_id)
            except Exception as error:  # noqa: BLE001 - the service must go on, whatever it is
                self._refuse(train_id, text_of(error))
                return False
            self._since, self._failed, self._problem = datetime.now(UTC), None, None
            logger.info("%s: serving train %s", self._dp_id, train_id)
            return True

    def _loaded(self, train_id: str) -> Model:
        model = self._store.load(self._dp_id, train_id)
        assert isinstance(model, Model)  # noqa: S101 - the store was made for this class
        golden = read_golden(self._store.package(self._dp_id, train_id)) if self._prove else None
        if golden is not None and (texts := differences(model, golden)):
            raise StorageError(
                f"train {train_id} does not estimate here what it did when it was saved: {texts[0]}"
                f"{f' ({len(texts)} differences)' if texts[1:] else ''}. Compare the versions of "
                "libraries with those of the train; `prove=False` serves it all the same."
            )
        return model

    def _is_due(self, train_id: str) -> bool:
        """Return whether to try a train now; one that could not be loaded has to wait."""
        failed = self._failed
        return failed is None or failed[0] != train_id or time.monotonic() >= failed[1]

    def _refuse(self, train_id: str | None, problem: str) -> None:
        if train_id is not None:
            same = self._failed is not None and self._failed[0] == train_id
            wait = min(LONGEST_WAIT, 2 * self._failed[2] if same and self._failed else 1.0)
            self._failed = train_id, time.monotonic() + wait, wait
        if problem != self._problem:  # once, however often it is tried
            text = "%s: train %s stays, because %s"
            logger.warning(text, self._dp_id, self._model.train_id, problem)
        self._problem = problem

    def _follow(self) -> None:
        while not self._stop.wait(self._seconds):
            self.check()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
