"""Samplers: functions that propose the point of the next trial.

A point is a pure function of the seed, the trial's number and the trials before it, so a killed
search that is resumed from its recorded trials continues with the same points.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from xingu.errors import DeclarationError
from xingu.records import Trial
from xingu.tuning.plan import SearchPlan
from xingu.tuning.space import Choice, Space
from xingu.tuning.trials import plain

Params = dict[str, Any]
Sampler = Callable[[int, Sequence[Trial]], Params | None]
"""From the trial's number and the trials so far (some may be running) to its point; None if every
point was tried."""

MAX_GRID_POINTS = 1_000_000
MAX_REDRAWS = 200
"""Largest number of random points that are drawn in place of a point that was tried before."""
CANDIDATES = {"GP": 2_000, "ET": 4_000}
"""Number of random points at which the acquisition function is evaluated."""


def make_sampler(plan: SearchPlan, space: Space, starts: Sequence[Params], owner: str) -> Sampler:
    """Return the sampler of a search.

    Args:
        plan: Plan of the search.
        space: The search space.
        starts: Points of the first trials.
        owner: Id of the DataProvider, for errors.

    Raises:
        DeclarationError: If the grid is too large, or the library of the method is missing.
    """
    if plan.method == "grid":
        return _starting_with(starts, _grid(plan, space, len(starts), owner))
    propose = _proposal(plan, space, owner)
    return _starting_with(starts, _without_repeats(plan, space, propose))


def costs(plan: SearchPlan, trials: Sequence[Trial]) -> list[float]:
    """Return the cost of each trial, which the search minimizes.

    A failed trial costs as much as the worst one. A running trial costs as little as the best one
    ("constant liar", Ginsbourger et al. 2010), so that the next point is not placed beside it.
    """
    sign = 1.0 if plan.direction == "minimize" else -1.0
    known = [sign * trial.value for trial in trials if trial.value is not None]
    assumed = {"failed": max(known), "running": min(known)}
    return [assumed[trial.state] if trial.value is None else sign * trial.value for trial in trials]


def _proposal(plan: SearchPlan, space: Space, owner: str) -> Callable[..., Params]:
    """Return the function that proposes a point: Latin hypercube first, then the method."""
    if plan.method == "random":
        return lambda number, _: _random_point(plan, space, number)
    if plan.method == "optuna":
        from xingu.tuning.tpe import tpe_proposal

        proposal = tpe_proposal(plan, space, owner)
    else:
        proposal = _skopt_proposal(plan, space)
    initial = _latin_hypercube(plan, space)

    def propose(number: int, trials: Sequence[Trial]) -> Params:
        if number < len(initial):
            return initial[number]
        if all(trial.value is None for trial in trials):
            return _random_point(plan, space, number)
        return proposal(number, trials)

    return propose


def _starting_with(starts: Sequence[Params], rest: Sampler) -> Sampler:
    def sample(number: int, trials: Sequence[Trial]) -> Params | None:
        return dict(starts[number]) if number < len(starts) else rest(number, trials)

    return sample


def _random_point(plan: SearchPlan, space: Space, number: int, attempt: int = 0) -> Params:
    rng = np.random.default_rng([plan.seed, number, attempt])
    return {name: one.at(rng.random()) for name, one in space.items()}


def _latin_hypercube(plan: SearchPlan, space: Space) -> list[Params]:
    """Return `initial_points` points with one in every slice of every dimension."""
    count, rng = plan.initial_points, np.random.default_rng(plan.seed)
    positions = {name: (rng.permutation(count) + rng.random(count)) / count for name in space}
    return [{name: space[name].at(positions[name][row]) for name in space} for row in range(count)]


def _without_repeats(plan: SearchPlan, space: Space, propose: Callable[..., Params]) -> Sampler:
    """Replace a point that was tried before by a random one that was not."""

    def sample(number: int, trials: Sequence[Trial]) -> Params | None:
        tried = [plain(trial.params) for trial in trials]
        for attempt in range(MAX_REDRAWS + 1):
            drawn = _random_point(plan, space, number, attempt) if attempt else None
            params = propose(number, trials) if drawn is None else drawn
            if plain(params) not in tried:
                return params
        return None

    return sample


def _grid(plan: SearchPlan, space: Space, skipped: int, owner: str) -> Sampler:
    levels = [one.grid(min(plan.grid_levels, MAX_GRID_POINTS + 1)) for one in space.values()]
    size = prod(map(len, levels))
    if size > MAX_GRID_POINTS:
        raise DeclarationError(
            f"{owner}.hyperopt: the grid has more than {MAX_GRID_POINTS:,} points; lower "
            "grid_levels, or use another method than 'grid'."
        )
    # In random order: a budget below the size of the grid must not cover only one corner of it.
    order = np.random.default_rng(plan.seed).permutation(size)
    points = list(product(*levels))

    def sample(number: int, trials: Sequence[Trial]) -> Params | None:  # noqa: ARG001
        row = number - skipped
        return dict(zip(space, points[order[row]], strict=True)) if row < size else None

    return sample


def _skopt_proposal(plan: SearchPlan, space: Space) -> Callable[..., Params]:
    from skopt import Optimizer
    from skopt.space import Categorical, Real
    from skopt.utils import cook_estimator, normalize_dimensions
    from threadpoolctl import threadpool_limits

    cube = [
        Categorical(list(range(len(one.values)))) if isinstance(one, Choice) else Real(0.0, 1.0)
        for one in space.values()
    ]
    kind = "GP" if plan.method == "gp" else "ET"

    def propose(number: int, trials: Sequence[Trial]) -> Params:
        seed = plan.seed_of(number)
        model: Any = cook_estimator(kind, space=normalize_dimensions(cube), random_state=seed)
        if kind == "GP":
            # Restarts double the time of a proposal; in tests they did not find better points.
            model.set_params(n_restarts_optimizer=0)
        # With matrices of a few dozen rows, BLAS threads make a proposal five times slower.
        with threadpool_limits(1, "blas"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = Optimizer(
                cube,
                model,
                n_initial_points=1,
                acq_func="EI",
                acq_optimizer="lbfgs" if kind == "GP" else "sampling",
                acq_optimizer_kwargs={"n_points": CANDIDATES[kind]},
                random_state=seed,
            )
            points = [_skopt_point(space, trial.params) for trial in trials]
            optimizer.tell(points, costs(plan, trials))
            found = optimizer.ask() or []
        return {
            name: one.values[int(value)] if isinstance(one, Choice) else one.at(float(value))
            for (name, one), value in zip(space.items(), found, strict=True)
        }

    return propose


def _skopt_point(space: Space, params: Mapping[str, Any]) -> list[float | int]:
    return [
        one.index(params[name]) or 0
        if isinstance(one, Choice)
        else min(max(one.position(params[name]), 0.0), 1.0)
        for name, one in space.items()
    ]
