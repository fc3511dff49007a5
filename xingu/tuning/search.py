"""Search for the hyperparameters of a Model that is being trained.

A loop of ask and tell over a log of trials. Trials in the log count as told, so a search that was
killed continues after its last trial.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.model import Model
from xingu.records import Trial
from xingu.tuning.declaration import Declaration
from xingu.tuning.objective import Objective
from xingu.tuning.plan import SearchPlan
from xingu.tuning.samplers import Sampler, make_sampler
from xingu.tuning.space import Dimension, outside, restored
from xingu.tuning.trials import TrialLog, best_of

logger = logging.getLogger(__name__)


def declared_search(model: Model, log: TrialLog | None = None, workers: int = 0) -> dict[str, Any]:
    """Run the search that the DataProvider of `model` declares; see `search`.

    Without a search space, the declared hyperparameters are returned, with a warning.
    """
    declared = Declaration.of(model.dp)
    if not declared.space:
        logger.warning("%s: no search space is declared, so nothing is searched", model.id)
        return dict(declared.hyperparams)
    context = SearchContext(model, declared, SearchPlan.of(model.dp))
    return search(context, TrialLog() if log is None else log, workers)


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What is searched: a Model with its sets, its declarations, and the plan of the search."""

    model: Model
    declared: Declaration
    plan: SearchPlan


def search(context: SearchContext, log: TrialLog, workers: int = 0) -> dict[str, Any]:
    """Return the best hyperparameters of the search space, and those that are not searched.

    Args:
        context: What is searched.
        log: Holds trials that are known, and receives those that end.
        workers: Trials at once; 0: as many as cores.

    Raises:
        DeclarationError: If a declared value cannot be used; raised before any trial.
        DataError: If there are no rows to measure on, or every trial failed.
    """
    return _Search(context, log, workers).run()


class _Search:
    def __init__(self, context: SearchContext, log: TrialLog, workers: int) -> None:
        self.model, self.plan, self.log = context.model, context.plan, log
        self.space = context.declared.space
        cores = os.cpu_count() or 1
        self.workers = min(workers or cores, self.plan.evaluations)
        threads = max(cores // self.workers, 1) if self.workers > 1 else 0
        self.objective = Objective(self.model, self.plan, context.declared.fixed, threads)
        starts = self._starts(context.declared.hyperparams)
        self.sample: Sampler = make_sampler(self.plan, self.space, starts, self.model.id)
        self.pace = _Pace(self.plan, self.workers)

    def run(self) -> dict[str, Any]:
        """Run all trials that are not known yet."""
        self._check_names()
        self._go_on()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="trial") as pool:
            running: dict[Future[Trial], Trial] = {}
            for number in self._numbers():
                known = [*self.log.trials, *running.values()]
                params = self.sample(number, sorted(known, key=lambda trial: trial.number))
                if params is None:
                    logger.info("%s: the search has tried every point", self.model.id)
                    break
                work = pool.submit(self.objective.evaluate, number, params)
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
        middle = {name: one.at(0.5) for name, one in self.space.items()}
        folds = self.objective.folds
        logger.debug("%s: %d fits for each trial", self.model.id, len(folds))
        try:
            self.objective.estimators(middle)
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
        return {**self.objective.fixed, **restored(self.space, best.params)}


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
