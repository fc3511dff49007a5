"""Proposals of Optuna's TPE sampler, behind the same function as those of scikit-optimize.

Its one idea: a new study in memory is told all trials and asked once. Optuna is an extra, loaded
when a search wants it.
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
    """Return what proposes points.

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
    cube = _cube(space)
    states = {
        "done": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "running": TrialState.RUNNING,
    }

    def told(trial: Trial) -> Any:
        params = _inside(space, trial.params)
        return create_trial(
            state=states[trial.state], value=trial.value, params=params, distributions=cube
        )

    def propose(number: int, trials: Sequence[Trial]) -> dict[str, Any]:
        sampler = optuna.samplers.TPESampler(
            seed=plan.seed_of(number), n_startup_trials=1, constant_liar=True
        )
        study = optuna.create_study(direction=plan.direction or "minimize", sampler=sampler)
        study.add_trials([told(trial) for trial in trials])
        found = study.ask(cube).params
        return {
            name: one.values[found[name]] if isinstance(one, Choice) else found[name]
            for name, one in space.items()
        }

    return propose


def _cube(space: Space) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    cube: dict[str, Any] = {}
    for name, one in space.items():
        if isinstance(one, Choice):
            cube[name] = CategoricalDistribution(list(range(len(one.values))))
        elif one.integer:
            cube[name] = IntDistribution(int(one.low), int(one.high), one.log, int(one.step or 1))
        else:
            cube[name] = FloatDistribution(one.low, one.high, one.log, one.step)
    return cube


def _inside(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one.index(params[name])
        if isinstance(one, Choice)
        else min(max(params[name], one.low), one.high)
        for name, one in space.items()
    }
