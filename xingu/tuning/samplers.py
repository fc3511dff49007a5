"""Samplers: which point of a search space to try next.

The point of a trial is a pure function of the seed, its number and the trials before it, so a
killed search continues with the same points, from the recorded trials alone.
"""

import warnings
from collections.abc import Callable, Sequence
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
"""Returns the point of a trial; None: every point was tried. Known trials may still be running."""

MOST_GRID_POINTS = 1_000_000
TRIES = 200
CANDIDATES = {"GP": 2_000, "ET": 4_000}
"""Points at which the model is asked, before the best of them are refined."""


def make_sampler(plan: SearchPlan, space: Space, starts: Sequence[Params], owner: str) -> Sampler:
    """Return what proposes the points of a search.

    Args:
        plan: How to search.
        space: Where to search.
        starts: Points that come first.
        owner: The DataProvider, for errors.

    Raises:
        DeclarationError: If the grid is too large, or the library of the method is missing.
    """
    if plan.method == "grid":
        return _after(starts, _grid(plan, space, len(starts), owner))
    if plan.method == "random":
        return _after(
            starts, _unseen(plan, space, lambda number, _: _anywhere(plan, space, number))
        )
    if plan.method == "optuna":
        from xingu.tuning.tpe import tpe_proposal

        proposal = tpe_proposal(plan, space, owner)
    else:
        proposal = _skopt_proposal(plan, space)
    spread = _spread(plan, space)

    def propose(number: int, trials: Sequence[Trial]) -> Params:
        known = any(trial.value is not None for trial in trials)
        if number < len(spread):
            return spread[number]
        return proposal(number, trials) if known else _anywhere(plan, space, number)

    return _after(starts, _unseen(plan, space, propose))


def costs(plan: SearchPlan, trials: Sequence[Trial]) -> list[float]:
    """Return what each trial has cost: less is better; failed is as bad as the worst.

    A running one is taken for the best so far, so that the next does not go to the same place.
    """
    sign = 1.0 if plan.direction == "minimize" else -1.0
    known = [sign * trial.value for trial in trials if trial.value is not None]
    stand_in = {"failed": max(known), "running": min(known)}
    return [
        stand_in[trial.state] if trial.value is None else sign * trial.value for trial in trials
    ]


def _after(starts: Sequence[Params], rest: Sampler) -> Sampler:
    def sample(number: int, trials: Sequence[Trial]) -> Params | None:
        return dict(starts[number]) if number < len(starts) else rest(number, trials)

    return sample


def _anywhere(plan: SearchPlan, space: Space, number: int, attempt: int = 0) -> Params:
    rng = np.random.default_rng([plan.seed or 0, number, attempt])
    return {name: one.at(rng.random()) for name, one in space.items()}


def _spread(plan: SearchPlan, space: Space) -> list[Params]:
    """A Latin hypercube: every slice of every dimension is tried once."""
    count, rng = plan.initial_points, np.random.default_rng(plan.seed)
    places = {name: (rng.permutation(count) + rng.random(count)) / count for name in space}
    return [{name: space[name].at(places[name][row]) for name in space} for row in range(count)]


def _unseen(plan: SearchPlan, space: Space, propose: Callable[..., Params]) -> Sampler:
    """Replace a point that was tried by a random one that was not."""

    def sample(number: int, trials: Sequence[Trial]) -> Params | None:
        seen = [plain(trial.params) for trial in trials]
        params = propose(number, trials)
        for attempt in range(1, TRIES):
            if plain(params) not in seen:
                return params
            params = _anywhere(plan, space, number, attempt)
        return None

    return sample


def _grid(plan: SearchPlan, space: Space, skipped: int, owner: str) -> Sampler:
    levels = [one.grid(plan.grid_levels) for one in space.values()]
    size = prod(map(len, levels))
    if size > MOST_GRID_POINTS:
        raise DeclarationError(
            f"{owner}.hyperopt: the grid has {size:,} points; lower grid_levels, or use another "
            "method than 'grid'."
        )
    # In random order, so that a budget below the size of the grid does not see one corner only.
    order = np.random.default_rng(plan.seed).permutation(size)
    points = list(product(*levels))

    def sample(number: int, trials: Sequence[Trial]) -> Params | None:  # noqa: ARG001
        place = number - skipped
        return dict(zip(space, points[order[place]], strict=True)) if place < size else None

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
            # Restarts double the time of a proposal, and were not seen to find anything better.
            model.set_params(n_restarts_optimizer=0)
        # Matrices of a few dozen rows: more threads only wait for each other, five times as long.
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
            places = [_place(space, trial.params) for trial in trials]
            optimizer.tell(places, costs(plan, trials))
            found = optimizer.ask() or []
        return {
            name: one.values[int(place)] if isinstance(one, Choice) else one.at(float(place))
            for (name, one), place in zip(space.items(), found, strict=True)
        }

    return propose


def _place(space: Space, params: Params | Any) -> list[float | int]:
    return [
        one.index(params[name]) or 0
        if isinstance(one, Choice)
        else min(max(one.position(params[name]), 0.0), 1.0)
        for name, one in space.items()
    ]
