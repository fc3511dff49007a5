"""Every error that Xingu raises on purpose.

The text of an error says where, what and what to do; its `facts` are for programs::

    XinguError
    ├── SettingsError                 a setting is missing, malformed or contradicts another
    │   └── UnknownDatabaseError
    ├── DeclarationError              a DataProvider class declares something impossible
    │   ├── UnknownProviderError
    │   ├── DuplicateProviderError
    │   └── PrerequisiteCycleError
    ├── HookError                     a hook raised, or returned what it may not return
    ├── SourceError                   outside data could not be had
    │   ├── QueryError
    │   ├── MissingFileError
    │   └── EmptySourceError
    ├── DataError                     the data cannot be trained on or estimated
    │   ├── CheckFailedError          a check that stops what is downstream has failed
    │   ├── MissingColumnError
    │   └── UndefinedMetricError
    ├── StateError                    an attribute of a DataProvider cannot travel
    ├── ControlDbError                the control DB cannot be opened, read or written
    ├── RunFailedError                phases of a run failed
    │   └── WorkerDiedError           the process of a step ended before the step did
    └── StorageError                  a saved value or model cannot be had or trusted
        ├── MissingValueError
        ├── UntrainedModelError
        ├── CorruptPackageError
        └── StorageFullError
"""

from collections.abc import Iterable
from difflib import get_close_matches


class XinguError(Exception):
    """Base of the tree. The text is for people; `facts` (picklable) are for programs."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class SettingsError(XinguError):
    """A setting is missing, malformed or contradicts another."""


class UnknownDatabaseError(SettingsError):
    """A source names a database that no setting describes."""


class DeclarationError(XinguError):
    """A DataProvider class declares something impossible."""


class UnknownProviderError(DeclarationError):
    """A DataProvider was asked for that does not exist."""


class DuplicateProviderError(DeclarationError):
    """Two DataProviders have ids that become the same asset key."""


class PrerequisiteCycleError(DeclarationError):
    """DataProviders are prerequisites of each other."""


class HookError(XinguError):
    """A hook of a DataProvider raised, or returned what it may not return."""


class SourceError(XinguError):
    """Outside data could not be had."""


class QueryError(SourceError):
    """A database refused a query."""


class MissingFileError(SourceError):
    """A declared file or URL does not exist."""


class EmptySourceError(SourceError):
    """A source gave no rows where rows are needed."""


class DataError(XinguError):
    """The data cannot be trained on or estimated."""


class CheckFailedError(DataError):
    """A check that stops what is downstream has failed; the text has what it found."""


class MissingColumnError(DataError):
    """A declared column is not in the data."""


class UndefinedMetricError(DataError):
    """A metric has no value on this data; the text is the reason."""


class StateError(XinguError):
    """An attribute of a DataProvider cannot travel with its data."""


class ControlDbError(XinguError):
    """The control DB cannot be opened, read or written."""


class RunFailedError(XinguError):
    """Phases of a run failed; the text and `facts["causes"]` have the reason of each."""


class WorkerDiedError(RunFailedError):
    """The process of a step ended before the step did; `facts` have the step and the exit code."""


class StorageError(XinguError):
    """A saved value or model cannot be had or trusted."""


class MissingValueError(StorageError):
    """A value was never stored, or was removed."""


class UntrainedModelError(StorageError):
    """No saved model fits what was asked for."""


class CorruptPackageError(StorageError):
    """A model package does not have the contents that its manifest promises."""


class StorageFullError(StorageError):
    """The storage took no more bytes; nothing was changed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to `name`, or nothing."""
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
