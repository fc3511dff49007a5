"""Replay history: what a retrain policy would have trained when, at what cost, to what benefit.

History is cut at times of a column. At each cut the policy decides on the rows until then, by the
function that the sensor uses; a train runs the stages in memory, and is measured on the rows until
the next cut. Nothing is written. Policies share trains and measurements of the same cut.

The rows of a cut are those whose time is not later: what was changed or deleted since is not known.
Checks and gates are not applied, searches are not repeated, and prerequisites are the current ones.
"""

import copy
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pandas as pd

from xingu.automation.decide import decide
from xingu.automation.facts import Attempt, Facts, State, Trained
from xingu.automation.policy import Policy
from xingu.directions import direction_of
from xingu.errors import DataError, XinguError
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.provider.base import DataProvider
from xingu.provider.hooks import call_hook, is_overridden
from xingu.records import Observed, TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.stages.evaluate import classical_metrics, known_targets
from xingu.stages.train import clean, engineer, fit, split, tune
from xingu.tuning.resolve import Tuning

logger = logging.getLogger(__name__)

Frames = Mapping[str, pd.DataFrame]
NEVER = "never"
"""Name of the policy that every replay compares with: one train at the beginning."""
BATCH_HOOKS = ("clean_data_for_batch_predict", "feature_engineering_for_batch_predict",
               "last_pre_process_for_batch_predict")  # fmt: skip
TRAIN_HOOKS = ("clean_data_for_train", "feature_engineering_for_train",
               "last_pre_process_for_train")  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """Raw rows in time.

    Attributes:
        frames: Rows by source.
        times: Time of each row (UTC), of the sources that have the column.
        cuts: Times at which policies decide, ascending; the last is the end of history.
    """

    frames: Frames
    times: Mapping[str, pd.Series]
    cuts: Sequence[datetime]

    def between(self, after: datetime | None, until: datetime) -> dict[str, pd.DataFrame]:
        """Return the rows after a time and until another; sources without times are whole."""
        found = {}
        for name, frame in self.frames.items():
            moments = self.times.get(name)
            if moments is not None:
                chosen = (
                    moments <= until if after is None else (moments > after) & (moments <= until)
                )
                frame = frame.loc[chosen.to_numpy()]
            found[name] = frame.copy()
        return found

    def observed(self, until: datetime) -> dict[str, Observed]:
        """Return what an observation at a time would have found."""
        rows = {name: int((one <= until).sum()) for name, one in self.times.items()}
        return {name: Observed(str(number), number) for name, number in rows.items()}


@dataclass(frozen=True, slots=True)
class Window:
    """The rows between two cuts, and the metric of the model that was current then.

    Attributes:
        begin: Time of the cut before them.
        end: Time of the cut after them.
        rows: Number of rows with a target; 0: nothing could be measured.
        trained: Time of the cut at which the model was trained.
        value: The metric; None: it could not be measured.
    """

    begin: datetime
    end: datetime
    rows: int
    trained: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """A train that a policy has asked for.

    Attributes:
        time: When.
        reason: Why.
        rows: Number of rows that were known.
        seconds: Duration of the train.
        error: Why it failed; empty: it did not.
    """

    time: datetime
    reason: str
    rows: int
    seconds: float
    error: str = ""


@dataclass
class Replayed:
    """The trains that one policy would have started.

    Attributes:
        policy: Its name.
        events: Its trains, the first one included.
        windows: What the models were worth, in time.
    """

    policy: str
    events: list[Event] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)

    @property
    def trains(self) -> list[Event]:
        """The trains that did not fail."""
        return [one for one in self.events if not one.error]

    @property
    def seconds(self) -> float:
        """Duration of all trains."""
        return sum(one.seconds for one in self.events)

    @property
    def value(self) -> float | None:
        """Mean of the metric over all windows, by their number of rows; None: not measured."""
        known = [one for one in self.windows if one.value is not None]
        rows = sum(one.rows for one in known)
        return sum((one.value or 0) * one.rows for one in known) / rows if rows else None


@dataclass(frozen=True, slots=True)
class _Fit:
    model: Model | None
    seconds: float
    error: str = ""


class Replay:
    """Replays policies on one history.

    Args:
        builder: Creates the DataProvider.
        history: Its raw rows in time.
        pre_reqs: The train of each prerequisite.
        tell: Is called with a line of progress.
    """

    def __init__(
        self,
        builder: ProviderBuilder,
        history: History,
        pre_reqs: Mapping[str, str],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.metric, self.direction = "", ""
        self._builder, self._history, self._pre_reqs = builder, history, pre_reqs
        self._tell, self.cuts = tell, history.cuts
        self._fits: dict[datetime, _Fit] = {}
        self._measured: dict[tuple[datetime, datetime], tuple[int, float | None]] = {}

    def run(self, name: str, policy: Policy | None) -> Replayed:
        """Return what a policy would have done.

        Args:
            name: Its name.
            policy: The policy; None: never train again.

        Raises:
            XinguError: If the first train fails.
        """
        cuts, found = self.cuts, Replayed(name)
        self._require_first(cuts[0])
        model_of, state, attempts = cuts[0], State(), []
        found.events.append(self._event(cuts[0], "the first train"))
        for begin, end in pairwise(cuts):
            if policy is not None and begin != cuts[0]:
                facts = self._facts(model_of, begin, state, attempts)
                decision = decide(policy, facts, begin)
                state = decision.state
                if decision.run:
                    event = self._event(begin, decision.reason)
                    found.events.append(event)
                    outcome = "failure" if event.error else "success"
                    attempts.insert(0, Attempt(str(begin), decision.change, begin, begin, outcome))
                    model_of = model_of if event.error else begin
            found.windows.append(self._window(model_of, begin, end))
        return found

    def _facts(
        self, model_of: datetime, now: datetime, state: State, attempts: Sequence[Attempt]
    ) -> Facts:
        train = Trained(str(model_of), model_of, self._history.observed(model_of), self._pre_reqs)
        return Facts(
            current=train,
            observed=self._history.observed(now),
            pre_reqs=self._pre_reqs,
            attempts=attempts,
            since_search=0,
            state=state,
        )

    def _event(self, cut: datetime, reason: str) -> Event:
        fitted = self._fit(cut)
        rows = sum(one.rows or 0 for one in self._history.observed(cut).values())
        return Event(cut, reason, rows, fitted.seconds, fitted.error)

    # -- trains and metrics -------------------------------------------------------------------

    def _require_first(self, cut: datetime) -> None:
        self._builder.make().make_estimator()  # its libraries are no cost of the first train
        error = self._fit(cut).error
        if error:
            raise DataError(f"The train on the rows until {cut:%Y-%m-%d %H:%M} fails: {error} "
                            "Begin later.")  # fmt: skip

    def _fit(self, cut: datetime) -> _Fit:
        if cut not in self._fits:
            self._tell(f"training on the rows until {cut:%Y-%m-%d %H:%M}")
            started = time.perf_counter()
            try:
                model, error = self._train(cut), ""
            except XinguError as raised:
                model, error = None, str(raised).partition("\n")[0]
            self._fits[cut] = _Fit(model, time.perf_counter() - started, error)
        return self._fits[cut]

    def _train(self, cut: datetime) -> Model:
        builder = self._builder
        cleaned = clean(builder, self._history.between(None, cut), self._pre_reqs)
        splits = split(builder, engineer(builder, cleaned))
        run = TrainRun(str(builder.make().id), f"until {cut:%Y-%m-%d %H:%M}", "replay", "replay")
        model = fit(
            builder, splits, tune(builder, splits, run, Tuning("dp")), run, Provenance()
        ).model
        if not self.metric:
            scores = next(iter(model.scores.values()), {})
            self.metric = next(iter(scores), "")
            self.direction = direction_of(self.metric, model.dp.metric_directions) or ""
        return model

    def _window(self, model_of: datetime, begin: datetime, end: datetime) -> Window:
        key = (model_of, end)
        if key not in self._measured:
            model = self._fit(model_of).model
            assert model is not None  # noqa: S101 - a train that failed is never current
            self._measured[key] = self._measure(model, begin, end)
        rows, value = self._measured[key]
        return Window(begin, end, rows, model_of, value)

    def _measure(self, model: Model, begin: datetime, end: datetime) -> tuple[int, float | None]:
        try:
            rows = following_rows(model, self._history.between(begin, end))
            known = known_targets(model, rows)
            rows = rows.loc[known.to_numpy()] if known is not None else rows.iloc[:0]
            if rows.empty:
                return 0, None
            measured = classical_metrics(model, rows, model.estimate(rows))
        except XinguError as error:
            logger.warning("%s: the rows until %s cannot be measured: %s", model.id, end, error)
            return 0, None
        return len(rows), measured.values.get(self.metric)


def following_rows(model: Model, frames: Frames) -> pd.DataFrame:
    """Return later rows with features and target, prepared with what the Model has learned.

    The hooks of the batch prepare them if the DataProvider has any, else those of the train, on a
    copy of the DataProvider, because they may learn from the rows.
    """
    provider = _copy(model.dp)
    hooks = BATCH_HOOKS if any(is_overridden(provider, one) for one in BATCH_HOOKS) else TRAIN_HOOKS
    rows: object = {name: frame.copy() for name, frame in frames.items()}
    for hook in hooks:
        rows = call_hook(provider, hook, rows)
    assert isinstance(rows, pd.DataFrame)  # noqa: S101 - call_hook checks it
    target = model.signature().target
    if target is not None and target not in rows:
        cleaned = call_hook(_copy(model.dp), TRAIN_HOOKS[0], frames)
        if target in cleaned and cleaned.index.is_unique:
            rows = rows.join(cleaned[[target]], how="left")
    return rows


def _copy(provider: DataProvider) -> DataProvider:
    copied = copy.deepcopy(provider)
    copied.pre_req_model = provider.pre_req_model
    return copied


def history_of(
    frames: Frames, column: str, every: float | None = None, start: datetime | None = None
) -> History:
    """Cut frames by the times of a column.

    Args:
        frames: Rows by source.
        column: Column with times, of one source at least.
        every: Seconds between two cuts; None: a twelfth of the whole time.
        start: The first cut, at which all policies have trained; None: after a third of the time.

    Raises:
        DataError: If no source has such a column of times, or there are not three cuts.
    """
    times = {
        name: _times(f"{name}.{column}", frame[column])
        for name, frame in frames.items()
        if column in frame
    }
    if not times:
        known = sorted({str(one) for frame in frames.values() for one in frame.columns})
        raise DataError(f"No source has a column {column!r}; columns: {', '.join(known)}.")
    everything = pd.concat(times.values())
    first, last = everything.min().to_pydatetime(), everything.max().to_pydatetime()
    seconds = every or (last - first).total_seconds() / 12
    begin = start.astimezone(UTC) if start else first + (last - first) / 3
    number = int((last - begin).total_seconds() // seconds) if seconds else 0
    cuts = [begin + pd.Timedelta(seconds=seconds * one) for one in range(number + 1)]
    cuts = [*(pd.Timestamp(one).to_pydatetime() for one in cuts if one < last), last]
    if len(cuts) < 3:
        raise DataError(
            f"{column} goes from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}: too short for a "
            "policy to decide; begin earlier, or cut more often."
        )
    return History(dict(frames), times, cuts)


def _times(where: str, column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        raise DataError(f"{where} holds numbers; name a column of times.")
    try:
        times = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} holds no times: {error}") from error
    if times.isna().any():
        raise DataError(f"{where} has {int(times.isna().sum())} rows without a time.")
    return times
