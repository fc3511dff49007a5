"""Propose points with the TPE sampler of Optuna.

Each proposal creates a study in memory, adds all trials and asks once, so it depends on the
recorded trials only. Optuna is an optional dependency and imported on first use.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xingu.errors import DeclarationError
from xingu.records import Trial
from xingu.tuning.plan import SearchPlan
from xingu.tuning.space import Choice, Space


def tpe_proposal(
    plan: SearchPlan, space: Space, owner: str
) -> Callable[[int, Sequence[Trial]], dict[str, Any]]:
    """Return a function that proposes the point of a trial from its number and earlier trials.

    Args:
        plan: Plan of the search.
        space: The search space.
        owner: Id of the DataProvider, for errors.

    Raises:
        DeclarationError: If Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise DeclarationError(
            f"{owner}.hyperopt['method']: 'optuna' is not installed; run "
            "pip install 'xingu[optuna]', or use 'gp'."
        ) from error
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = _distributions(space)
    states = {
        "done": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
    }

    def optuna_trial(trial: Trial) -> Any:
        return create_trial(
            state=states[trial.state],
            value=trial.value,
            params=_optuna_params(space, trial.params),
            distributions=distributions,
        )

    def propose(number: int, trials: Sequence[Trial]) -> dict[str, Any]:
        sampler = optuna.samplers.TPESampler(
            seed=plan.seed_of(number), n_startup_trials=1, constant_liar=True
        )
        study = optuna.create_study(direction=plan.direction, sampler=sampler)
        study.add_trials([optuna_trial(trial) for trial in trials])
        found = study.ask(distributions).params
        return {
            name: one.values[found[name]] if isinstance(one, Choice) else found[name]
            for name, one in space.items()
        }

    return propose


def _distributions(space: Space) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for name, one in space.items():
        if isinstance(one, Choice):
            found[name] = CategoricalDistribution(list(range(len(one.values))))
        elif one.integer:
            found[name] = IntDistribution(int(one.low), int(one.high), one.log, int(one.step or 1))
        else:
            found[name] = FloatDistribution(one.low, one.high, one.log, one.step)
    return found


def _optuna_params(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one.index(params[name])
        if isinstance(one, Choice)
        else min(max(params[name], one.low), one.high)
        for name, one in space.items()
    }
