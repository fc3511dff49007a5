"""Search the hyperparameters of a Model that is being trained.

An ask-and-tell loop: the sampler proposes a point from the trials in the log, the objective
evaluates it in a thread, and the log records it. Trials that are in the log at the beginning are
not repeated, so a killed search is resumed after its last trial.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Self

from xingu.cores import own_cores
from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.model import Model
from xingu.records import Trial
from xingu.tuning.declaration import Declaration
from xingu.tuning.objective import Objective
from xingu.tuning.plan import SearchPlan
from xingu.tuning.samplers import Sampler, make_sampler
from xingu.tuning.space import Foreign, Space, outside, restore_types
from xingu.tuning.trials import TrialLog, best_of

logger = logging.getLogger(__name__)


def declared_search(model: Model) -> dict[str, Any]:
    """Run the search that the DataProvider of `model` declares, with trials in memory only.

    Without a search space, log a warning and return the declared hyperparameters.

    Args:
        model: An unfitted Model with its sets.
    """
    declared = Declaration.of(model.dp)
    context = SearchContext.of(model, declared)
    return search(context, TrialLog()) if context else dict(declared.hyperparams)


@dataclass(frozen=True, slots=True)
class SearchContext:
    """Subject of a search: a Model with its sets, its declarations, and the plan of the search."""

    model: Model
    declared: Declaration
    plan: SearchPlan

    @classmethod
    def of(cls, model: Model, declared: Declaration) -> Self | None:
        """Return the search that is declared; None, with a warning, without a search space.

        It is None, too, if only the Estimator understands the space.

        Raises:
            DeclarationError: If the plan cannot be used.
        """
        if any(isinstance(one, Foreign) for one in declared.space.values()):
            return None
        if declared.space:
            return cls(model, declared, SearchPlan.of(model.dp))
        logger.warning("%s: no search space is declared, so nothing is searched", model.id)
        return None


def search(context: SearchContext, log: TrialLog, workers: int = 0) -> dict[str, Any]:
    """Run a search and return the best hyperparameters, with those that are not searched.

    Args:
        context: Subject of the search.
        log: Known trials, which are not repeated; receives the new ones.
        workers: Number of concurrent trials; 0 means the number of cores.

    Raises:
        DeclarationError: If a declared value cannot be used; raised before the first trial.
        DataError: If there are no rows to measure on, or every trial failed.
    """
    return _Search(context, log, workers).run()


class _Search:
    def __init__(self, context: SearchContext, log: TrialLog, workers: int) -> None:
        self.model, self.plan, self.log = context.model, context.plan, log
        self.space = context.declared.space
        cores = own_cores()
        self.workers = min(workers or cores, self.plan.evaluations)
        threads = max(cores // self.workers, 1) if self.workers > 1 else 0
        self.objective = Objective(self.model, self.plan, context.declared.fixed, threads)
        starts = self._start_points(context.declared.hyperparams)
        self.sample: Sampler = make_sampler(self.plan, self.space, starts, self.model.id)
        self.clock = _Clock(self.plan, self.workers)

    def run(self) -> dict[str, Any]:
        """Run all trials that are not in the log, and return the best hyperparameters."""
        self._check_estimator()
        self._resume()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="trial") as pool:
            running: dict[Future[Trial], Trial] = {}
            for number in self._numbers():
                known = [*self.log.trials, *running.values()]
                params = self.sample(number, sorted(known, key=lambda trial: trial.number))
                if params is None:
                    logger.info("%s: the search has tried every point", self.model.id)
                    break
                future = pool.submit(self.objective.evaluate, number, params)
                running[future] = Trial(number, params)
                if len(running) == self.workers:
                    self._collect(running)
            while running:
                self._collect(running)
        return self._best()

    def _start_points(self, declared: Mapping[str, Any]) -> list[dict[str, Any]]:
        owner = f"{self.model.id}.hyperopt['start_with']"
        points = self.plan.start_with
        if points is None:
            owner = f"{self.model.id}.estimator_hyperparams"
            point = {name: declared[name] for name in self.space if name in declared}
            _check_values(self.space, point, owner)
            points = [point] if len(point) == len(self.space) else []
        for point in points:
            _check_names(self.space, point, owner)
            _check_values(self.space, point, owner)
        return [restore_types(self.space, point) for point in points]

    def _check_estimator(self) -> None:
        """Check, before the first trial, that the Estimator has the searched hyperparameters."""
        middle = {name: one.at(0.5) for name, one in self.space.items()}
        folds = self.objective.folds
        logger.debug("%s: %d fits for each trial", self.model.id, len(folds))
        try:
            self.objective.estimators(middle)
        except DeclarationError:
            raise
        except Exception as error:  # noqa: BLE001 - other points of the space may work
            logger.debug("%s: the middle of the search space raised %r", self.model.id, error)

    def _resume(self) -> None:
        """Continue after the trials in the log; if all trials failed, start over."""
        known = [trial for trial in self.log.trials if trial.number < self.plan.evaluations]
        if len(known) == self.plan.evaluations and not best_of(known, self.plan.direction):
            self.log.clear()  # a later search that resumes this one must not find them
            known = []
        if known:
            logger.info("%s: the search is resumed after %d trials", self.model.id, len(known))
        self.log.trials = known
        self.clock.start(known)

    def _numbers(self) -> Iterator[int]:
        known = {trial.number for trial in self.log.trials}
        for number in range(self.plan.evaluations):
            if number not in known:
                if self.clock.is_over():
                    logger.info("%s: the time of the search is over", self.model.id)
                    return
                yield number

    def _collect(self, running: dict[Future[Trial], Trial]) -> None:
        """Wait until at least one trial has ended, and record it."""
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            del running[future]
            trial = future.result()
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
            self.clock.remaining(self.log.trials),
        )

    def _best(self) -> dict[str, Any]:
        best = best_of(self.log.trials, self.plan.direction)
        if best is None:
            first = next((trial.reason for trial in self.log.trials), "there was no trial")
            raise DataError(
                f"{self.model.id}: all {len(self.log.trials)} trials of the search failed, the "
                f"first with {first}; correct the cause or the search space, and run it again.",
                dataprovider_id=self.model.id,
            )
        self.log.close()
        return {**self.objective.fixed, **restore_types(self.space, best.params)}


@dataclass
class _Clock:
    """Elapsed and remaining time of a search, in seconds."""

    plan: SearchPlan
    workers: int
    _started: float = 0.0
    _earlier: float = 0.0

    def start(self, known: list[Trial]) -> None:
        """Start the clock; the time of known trials counts as elapsed."""
        self._earlier = sum(trial.seconds for trial in known) / self.workers
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return self._earlier + time.monotonic() - self._started

    def is_over(self) -> bool:
        """Return whether no further trial may begin."""
        return self.plan.seconds is not None and self.elapsed >= self.plan.seconds

    def remaining(self, trials: list[Trial]) -> str:
        """Return the estimated remaining time as text."""
        seconds = self.elapsed / len(trials) * (self.plan.evaluations - len(trials))
        if self.plan.seconds is not None:
            seconds = max(min(seconds, self.plan.seconds - self.elapsed), 0)
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _check_names(space: Space, point: Mapping[str, Any], owner: str) -> None:
    for name in point:
        if name not in space:
            raise DeclarationError(
                f"{owner}: {name!r} is not in the search space, which has {', '.join(space)}."
                f"{did_you_mean(name, space)}",
                hyperparameter=name,
            )
    if missing := [name for name in space if name not in point]:
        raise DeclarationError(f"{owner}: the point lacks {', '.join(map(repr, missing))}.")


def _check_values(space: Space, point: Mapping[str, Any], owner: str) -> None:
    for name, value in outside(space, point).items():
        raise DeclarationError(
            f"{owner}[{name!r}]: {value!r} is outside its search space ({space[name]}); widen the "
            "space, or change the value.",
            hyperparameter=name,
        )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
