"""Search for the hyperparameters of a Model that is being trained.

Its one idea: a loop of ask and tell over a log of trials. What was recorded before is taken as
told, so a search that was killed goes on from there. It knows no database and no Dagster.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.hooks import call_hook
from xingu.tuning.judge import Judge
from xingu.tuning.plan import SearchPlan
from xingu.tuning.space import Dimension, outside, parse_space, restored
from xingu.tuning.suggest import Suggest, suggester
from xingu.tuning.trials import Trial, TrialLog, best_of

if TYPE_CHECKING:
    from xingu.model import Model

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchRoom:
    """Where a search takes place: what a Model brings to `Estimator.hyperparam_optimize`.

    Attributes:
        log: Knows the trials so far, and takes those that end.
        workers: Trials at once; 0: as many as cores.
    """

    log: TrialLog = field(default_factory=TrialLog)
    workers: int = 0


def search_space(model: "Model") -> dict[str, Dimension]:
    """Return the dimensions that the DataProvider of `model` declares; none: nothing to search.

    Raises:
        DeclarationError: If one cannot be understood or is empty.
    """
    hook = "get_estimator_optimization_search_space"
    return parse_space(call_hook(model.dp, hook), f"{model.id}.estimator_hyperparams_search_space")


def optimize(model: "Model") -> dict[str, Any]:
    """Let the Estimator of `model` search, make it keep what it found, and return that."""
    estimator = model.estimator
    if estimator is None:
        return {}
    found = estimator.hyperparam_optimize(model=model)
    return estimator.hyperparam_exchange(hyperparams=found)["hyperparams"]


def search(model: "Model") -> dict[str, Any]:
    """Return the best hyperparameters of the declared search space, and those not searched.

    Args:
        model: The Model, with its sets; `model.search` says how many trials run at once and keeps
            them.

    Raises:
        DeclarationError: If space, plan or a declared value cannot be used; before any trial.
        DataError: If there is nothing to judge by, or every trial failed.
    """
    space = search_space(model)
    if not space:
        logger.warning("%s: no search space is declared, so nothing is searched", model.id)
        return dict(call_hook(model.dp, "get_estimator_hyperparameters"))
    return _Search(model, space).run()


class _Search:
    def __init__(self, model: "Model", space: dict[str, Dimension]) -> None:
        self.model, self.space = model, space
        room = model.search or SearchRoom()
        self.log = room.log
        self.plan = SearchPlan.of(model.dp)
        declared = dict(call_hook(model.dp, "get_estimator_hyperparameters"))
        cores = os.cpu_count() or 1
        self.workers = min(room.workers or cores, self.plan.evaluations)
        threads = max(cores // self.workers, 1) if self.workers > 1 else 0
        fixed = {name: value for name, value in declared.items() if name not in space}
        self.judge = Judge(model, self.plan, fixed, threads)
        self.suggest: Suggest = suggester(self.plan, space, self._starts(declared), model.id)
        self.pace = _Pace(self.plan, self.workers)

    def run(self) -> dict[str, Any]:
        """Run all trials that are not known yet."""
        self._check_names()
        self._go_on()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="trial") as pool:
            running: dict[Future[Trial], Trial] = {}
            for number in self._numbers():
                known = [*self.log.trials, *running.values()]
                params = self.suggest(number, sorted(known, key=lambda trial: trial.number))
                if params is None:
                    logger.info("%s: the search has tried every point", self.model.id)
                    break
                work = pool.submit(self.judge.evaluate, number, params)
                running[work] = Trial(number, params)
                if len(running) == self.workers:
                    self._take(running)
            while running:
                self._take(running)
        return self._best()

    def _starts(self, declared: Mapping[str, Any]) -> list[dict[str, Any]]:
        owner = f"{self.model.id}.hyperopt['start_with']"
        points = self.plan.start_with
        if points is None:
            owner = f"{self.model.id}.estimator_hyperparams"
            point = {name: declared[name] for name in self.space if name in declared}
            _check_inside(self.space, point, owner)
            points = [point] if len(point) == len(self.space) else []
        for point in points:
            _check_names(self.space, point, owner)
            _check_inside(self.space, point, owner)
        return [restored(self.space, point) for point in points]

    def _check_names(self) -> None:
        """Ask the Estimator, before the first trial, whether it knows what is searched."""
        middle, folds = {name: one.at(0.5) for name, one in self.space.items()}, self.judge.folds
        logger.debug("%s: %d fits for each trial", self.model.id, len(folds))
        try:
            self.judge.estimators(middle)
        except DeclarationError:
            raise
        except Exception as error:  # noqa: BLE001 - this point may be a bad one; trials will tell
            logger.debug("%s: the middle of the search space raised %r", self.model.id, error)

    def _go_on(self) -> None:
        """Take up what a killed search has left; one that only failed begins anew."""
        known = [trial for trial in self.log.trials if trial.number < self.plan.evaluations]
        if len(known) == self.plan.evaluations and not best_of(known, self.plan.direction):
            self.log.clear()  # else they would count, if this one is killed and goes on
            known = []
        if known:
            logger.info("%s: the search goes on after %d trials", self.model.id, len(known))
        self.log.trials = known
        self.pace.begin(known)

    def _numbers(self) -> Iterator[int]:
        known = {trial.number for trial in self.log.trials}
        for number in range(self.plan.evaluations):
            if number not in known:
                if self.pace.is_over():
                    logger.info("%s: the search has used its time", self.model.id)
                    return
                yield number

    def _take(self, running: dict[Future[Trial], Trial]) -> None:
        """Wait until a trial ends, and record it."""
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for work in ended:
            del running[work]
            trial = work.result()
            self.log.record(trial)
            self._report(trial)

    def _report(self, trial: Trial) -> None:
        best = best_of(self.log.trials, self.plan.direction)
        outcome = (
            f"failed ({trial.reason})" if trial.value is None else
            f"{self.plan.metric} {trial.value:.6g}"
        )  # fmt: skip
        logger.info(
            "%s: trial %d (%d of %d): %s with %s; best so far %s; %s left",
            self.model.id,
            trial.number + 1,
            len(self.log.trials),
            self.plan.evaluations,
            outcome,
            ", ".join(f"{name}={_short(value)}" for name, value in trial.params.items()),
            "none" if best is None else f"{best.value:.6g} (trial {best.number + 1})",
            self.pace.left(self.log.trials),
        )

    def _best(self) -> dict[str, Any]:
        best = best_of(self.log.trials, self.plan.direction)
        if best is None:
            first = next((trial.reason for trial in self.log.trials), "there was no trial")
            raise DataError(
                f"{self.model.id}: all {len(self.log.trials)} trials of the search failed, the "
                f"first with {first}; correct that, or the search space, and run it again.",
                dataprovider_id=self.model.id,
            )
        self.log.close()
        return {**self.judge.fixed, **restored(self.space, best.params)}


@dataclass
class _Pace:
    """How long a search has taken, and how long it may and will go on."""

    plan: SearchPlan
    workers: int
    _began: float = 0.0
    _before: float = 0.0

    def begin(self, known: list[Trial]) -> None:
        """Start the clock; trials of a killed search count."""
        self._before = sum(trial.seconds for trial in known) / self.workers
        self._began = time.monotonic()

    @property
    def passed(self) -> float:
        return self._before + time.monotonic() - self._began

    def is_over(self) -> bool:
        """Return whether no more trial may begin."""
        return self.plan.seconds is not None and self.passed >= self.plan.seconds

    def left(self, trials: list[Trial]) -> str:
        """Return the time until the end, in words."""
        seconds = self.passed / len(trials) * (self.plan.evaluations - len(trials))
        if self.plan.seconds is not None:
            seconds = max(min(seconds, self.plan.seconds - self.passed), 0)
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _check_names(space: Mapping[str, Dimension], point: Mapping[str, Any], owner: str) -> None:
    for name in point:
        if name not in space:
            raise DeclarationError(
                f"{owner}: {name!r} is not in the search space, which has {', '.join(space)}."
                f"{did_you_mean(name, space)}",
                hyperparameter=name,
            )
    if missing := [name for name in space if name not in point]:
        raise DeclarationError(f"{owner}: the point lacks {', '.join(map(repr, missing))}.")


def _check_inside(space: Mapping[str, Dimension], point: Mapping[str, Any], owner: str) -> None:
    for name, value in outside(space, point).items():
        raise DeclarationError(
            f"{owner}[{name!r}]: {value!r} is outside its search space ({space[name]}); widen the "
            "space, or change the value.",
            hyperparameter=name,
        )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
