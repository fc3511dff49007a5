"""The facts that a decision depends on, and the decision, as plain records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from xingu.records import Observed

Outcome = Literal["running", "success", "failure"]


@dataclass(frozen=True, slots=True)
class Trained:
    """Sources and prerequisites that a train was trained on, or a batch was estimated from.

    Attributes:
        train_id: Its id.
        time: Time of its fit.
        sources: What an observation of each source would have found then.
        uses: The train of each prerequisite.
        run_id: Its run.
        refused: Whether it failed a blocking check.
    """

    train_id: str
    time: datetime
    sources: Mapping[str, Observed] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run that a policy has asked for.

    Attributes:
        run_id: Its id.
        change: `Decision.change` that it was asked for.
        started: When it was asked for.
        ended: When it ended; None: it has not.
        outcome: Its end.
    """

    run_id: str
    change: str
    started: datetime
    ended: datetime | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class State:
    """The state that a tick keeps for the next one; all empty if nothing waits.

    Attributes:
        seen: Digest of the last observation.
        since: When that was first seen, in seconds since the epoch.
        first: When the first change that still waits was seen.
        stopped: Whether people were told that the policy has stopped.
    """

    seen: str = ""
    since: float = 0
    first: float = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one DataProvider.

    Attributes:
        current: The current train; None: there is none.
        newest: The newest train that was accepted or refused; None: it is the current one.
        observed: Observations of the sources.
        unobserved: Why other sources could not be observed.
        code_version: Version of the code of the DataProvider.
        pre_reqs: The current train of each prerequisite; None: there is none.
        joined: Prerequisites that the same run would train, with their `Decision.change`.
        busy: Prerequisites that another run trains at the moment.
        running: Run that trains this DataProvider at the moment.
        drifted: Checks of drift that the batch of the current train has failed.
        attempts: Runs that the policy has asked for with this code, newest first.
        since_search: Number of trains since the last search; None: there was none.
        state: State after the tick before.
    """

    current: Trained | None = None
    newest: Trained | None = None
    observed: Mapping[str, Observed] = field(default_factory=dict)
    unobserved: Mapping[str, str] = field(default_factory=dict)
    code_version: str = ""
    pre_reqs: Mapping[str, str | None] = field(default_factory=dict)
    joined: Mapping[str, str] = field(default_factory=dict)
    busy: Sequence[str] = ()
    running: str | None = None
    drifted: Sequence[str] = ()
    attempts: Sequence[Attempt] = ()
    since_search: int | None = None
    state: State = State()

    @property
    def last(self) -> Trained | None:
        """The newest train, current or not."""
        return self.newest or self.current


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer.

    Attributes:
        run: Whether to ask for a run now.
        reason: Why, or why not, for people.
        change: Digest of what has changed; empty unless `run`.
        attempt: Number of the attempt, from 1.
        search: Whether the run searches for hyperparameters.
        stopped: Whether the policy has stopped after failures.
        state: State for the next tick.
    """

    run: bool
    reason: str
    change: str = ""
    attempt: int = 0
    search: bool = False
    stopped: bool = False
    state: State = State()

    @property
    def key(self) -> str:
        """Part of a run key that is the same only for the same attempt at the same change."""
        return f"{self.change}-{self.attempt}"
