"""The exception tree of Xingu.

The text of an error says where it occurred, what is wrong and what to do; its `facts` are for
programs. Secrets in both are masked::

    XinguError
    ├── SettingsError                 a setting is missing, malformed or contradicts another
    │   └── UnknownDatabaseError
    ├── DeclarationError              a DataProvider class declares something impossible
    │   ├── UnknownProviderError
    │   ├── DuplicateProviderError
    │   └── PrerequisiteCycleError
    ├── HookError                     a hook raised, or returned a value of a wrong type
    ├── SourceError                   external data could not be read
    │   ├── QueryError
    │   ├── MissingFileError
    │   └── EmptySourceError
    ├── DataError                     the data cannot be trained on or estimated
    │   ├── CheckFailedError          a check that blocks downstream assets has failed
    │   ├── MissingColumnError
    │   ├── InvalidRowsError          rows of a request do not match the features of a Model
    │   └── UndefinedMetricError
    ├── StateError                    an attribute of a DataProvider cannot be pickled or unpickled
    ├── ControlDbError                the control DB cannot be opened, read or written
    ├── DeployError                   a train was not deployed
    │   ├── DeployRefusedError        gates, checks, git or the package do not allow it
    │   │   └── ApprovalMissingError  nothing but approvals is missing
    │   ├── DeployConflictError       another deploy was faster
    │   └── StalePlanError            what a plan was made from has changed since
    ├── RunFailedError                phases of a run failed
    │   ├── StepTimeoutError          a step took longer than its timeout
    │   ├── WorkerDiedError           the process of a step ended before the step did
    │   └── ConcurrentTrainError      another run trains the same DataProvider
    ├── AlertError                    a channel did not take an alert
    ├── MissingExtraError             a package of an extra is not installed
    └── StorageError                  a stored value or model is missing, damaged or unsafe
        ├── MissingValueError
        ├── UntrainedModelError
        ├── CorruptPackageError
        ├── SignatureError            a model package is not signed by a trusted key
        ├── PortabilityError          a model package does not load without the project
        └── StorageFullError
"""

from collections.abc import Iterable
from difflib import get_close_matches

from xingu.masking import masked


class XinguError(Exception):
    """Base of the tree. The text is for people; `facts` (picklable) are for programs."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(masked(message))
        self.facts = {
            name: masked(fact) if isinstance(fact, str) else fact for name, fact in facts.items()
        }


class SettingsError(XinguError):
    """A setting is missing, malformed or contradicts another."""


class UnknownDatabaseError(SettingsError):
    """A source names a database that is not in the settings."""


class DeclarationError(XinguError):
    """A DataProvider class declares something impossible."""


class UnknownProviderError(DeclarationError):
    """A requested DataProvider does not exist."""


class DuplicateProviderError(DeclarationError):
    """Two DataProviders have ids that map to the same asset key."""


class PrerequisiteCycleError(DeclarationError):
    """DataProviders are prerequisites of each other."""


class HookError(XinguError):
    """A hook of a DataProvider raised, or returned a value of a wrong type."""


class SourceError(XinguError):
    """External data could not be read."""


class QueryError(SourceError):
    """A database refused a query."""


class MissingFileError(SourceError):
    """A declared file or URL does not exist."""


class EmptySourceError(SourceError):
    """A source returned no rows where rows are required."""


class DataError(XinguError):
    """The data cannot be trained on or estimated."""


class CheckFailedError(DataError):
    """A check that blocks downstream assets has failed; the text says why."""


class MissingColumnError(DataError):
    """A declared column is not in the data."""


class InvalidRowsError(DataError):
    """Rows of a request do not match the features of a Model; `facts["problems"]` lists all."""


class UndefinedMetricError(DataError):
    """A metric is undefined on this data; the text is the reason."""


class StateError(XinguError):
    """An attribute of a DataProvider cannot be pickled with its data, or not be unpickled."""


class ControlDbError(XinguError):
    """The control DB cannot be opened, read or written."""


class DeployError(XinguError):
    """A train was not deployed; the target serves what it served before."""


class DeployRefusedError(DeployError):
    """Gates, checks, git, approvals or the package do not allow a deploy; the text has all."""


class ApprovalMissingError(DeployRefusedError):
    """A deploy is refused for nothing but missing approvals."""


class DeployConflictError(DeployError):
    """Another process has changed what the target serves since the deploy began."""


class StalePlanError(DeployError):
    """The facts of a plan have changed since it was made; the text says which."""


class RunFailedError(XinguError):
    """Phases of a run failed; the text and `facts["causes"]` give the reason of each."""


class AlertError(XinguError):
    """A channel did not take an alert; `facts["retry"]` says whether it may later."""


class MissingExtraError(XinguError, ImportError):
    """A package that an extra of `xingu-core` declares is not installed."""


class StepTimeoutError(RunFailedError):
    """A step took longer than its timeout; `facts` have the step and the seconds."""


class ConcurrentTrainError(RunFailedError):
    """Another run trains the same DataProvider, or has taken over from this run."""


class WorkerDiedError(RunFailedError):
    """The process of a step ended before the step did; `facts` have the step and the exit code."""


class StorageError(XinguError):
    """A stored value or model is missing, damaged or unsafe."""


class MissingValueError(StorageError):
    """A value was never stored, or was removed."""


class UntrainedModelError(StorageError):
    """No stored model matches the request."""


class CorruptPackageError(StorageError):
    """The files of a model package differ from its manifest."""


class SignatureError(StorageError):
    """A model package is not signed, was altered, or its signer is not trusted."""


class PortabilityError(StorageError):
    """A model package needs something that it does not hold, so it does not load elsewhere."""


class StorageFullError(StorageError):
    """The storage is full; nothing was changed."""


def text_of(error: BaseException) -> str:
    """Return the text of an exception of any library or hook; its `__str__` may itself raise."""
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001
        return f"its text cannot be read: __str__ raised {type(second).__name__}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to `name`; empty if none is."""
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
