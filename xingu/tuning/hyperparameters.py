"""Decide the hyperparameters of a train, and say where they came from.

Its one idea: a strategy is a name; what it needs from the outside (earlier trains, a place for
trials) is handed in. It knows no database.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xingu.errors import DeclarationError, UntrainedModelError
from xingu.hooks import call_hook
from xingu.model import Model
from xingu.state import ProviderState
from xingu.tuning.search import SearchRoom, search_space
from xingu.tuning.space import Space, outside, restored
from xingu.tuning.trials import Trial, TrialLog, plain

logger = logging.getLogger(__name__)

STRATEGIES = ("last", "self", "dp")
"""And any train or session id."""
DECLARED = ("dp", "defaults")
"""Origins of hyperparameters that no search has found."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Parameters of an estimator, and where they came from.

    Attributes:
        params: Fixed parameters of the DataProvider.
        hyperparams: Tuned parameters; they win over `params` of the same name.
        origin: ``dp``: as declared; ``self``: searched in this train; ``defaults``: those of the
            Estimator; else the `train_id` that they were taken from.
        gain: What the hooks of this stage have set on the DataProvider.
        trials: The trials, if this train has searched.
        metric: What `value` of the trials is.
        direction: ``minimize`` or ``maximize``, if this train has searched.
    """

    params: Mapping[str, Any]
    hyperparams: Mapping[str, Any]
    origin: str = "dp"
    gain: ProviderState = field(default_factory=ProviderState)
    trials: tuple[Trial, ...] = ()
    metric: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Hyperparameters of an earlier train.

    Attributes:
        train_id: The train.
        hyperparams: What it was fitted with.
        found: Whether a search has found them, in that train or in one that it took them from;
            None: not known, as in a database of Xingu 2.0.
    """

    train_id: str
    hyperparams: Mapping[str, Any]
    found: bool | None = None


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was asked for, and the outside world that it may need.

    Attributes:
        strategy: ``last``, ``self``, ``dp``, a train id or a session id.
        earlier: Gives earlier trains, newest first; of one train or session if it is named.
        open_log: Gives the log of trials of a search that this text stands for.
        workers: Trials at once; 0: as many as cores.
    """

    strategy: str = "dp"
    earlier: Callable[[str | None], Iterable[Earlier]] = lambda _: ()
    open_log: Callable[[str], TrialLog] = lambda _: TrialLog()
    workers: int = 0


def decide(model: Model, tuning: Tuning) -> Hyperparameters:
    """Return the hyperparameters of an unfitted Model, which has its sets.

    Raises:
        DeclarationError: If search space or plan cannot be used.
        UntrainedModelError: If a train or session was named that has none.
        DataError: If every trial of a search failed.
    """
    strategy = tuning.strategy.strip()
    if model.estimator is None:
        return Hyperparameters(model.dp.get_estimator_params(), {})
    if strategy == "self" and search_space(model):
        return _searched(model, tuning)
    if strategy == "last" and (found := _newest_compatible(model, tuning.earlier(None))):
        return found
    if strategy not in STRATEGIES:
        return _of_train(model, strategy, tuning.earlier(strategy))
    if strategy == "self":
        logger.warning("%s: no search space is declared, so nothing is searched", model.id)
    return _declared(model)


def _declared(model: Model) -> Hyperparameters:
    declared = dict(call_hook(model.dp, "get_estimator_hyperparameters"))
    return _made(model, declared, "dp") if declared else _made(model, None, "defaults")


def _searched(model: Model, tuning: Tuning) -> Hyperparameters:
    from xingu.tuning.plan import SearchPlan

    plan, log = SearchPlan.of(model.dp), tuning.open_log(_subject(model))
    model.search = SearchRoom(log, tuning.workers)
    chosen = _made(model, model.hyperparam_optimize(), "self")
    return Hyperparameters(
        chosen.params,
        chosen.hyperparams,
        "self",
        trials=tuple(log.trials),
        metric=plan.metric,
        direction=plan.direction,
    )


def _newest_compatible(model: Model, earlier: Iterable[Earlier]) -> Hyperparameters | None:
    space = search_space(model)
    declared = dict(call_hook(model.dp, "get_estimator_hyperparameters"))
    for train in earlier:
        hyperparams = restored(space, train.hyperparams)
        reason = _misfit(model, space, declared, train)
        if reason:
            logger.info("%s: hyperparameters of %s: %s", model.id, train.train_id, reason)
        elif hyperparams:
            return _made(model, {**declared, **hyperparams}, train.train_id)
    return None


def _misfit(model: Model, space: Space, declared: Mapping[str, Any], train: Earlier) -> str | None:
    """Why hyperparameters of an earlier train are not to be used again; None: they are."""
    if train.found is False and plain(train.hyperparams) != plain(declared):
        return "they were declared, and something else is declared now"
    if space or declared:
        strange = [name for name in train.hyperparams if name not in {*space, *declared}]
        if strange:
            return f"{', '.join(strange)} is neither searched nor declared any more"
    if wrong := outside(space, train.hyperparams):
        return f"{', '.join(wrong)} is outside its search space"
    try:
        _checked(model, train.hyperparams)
    except DeclarationError as error:
        return str(error)
    return None


def _of_train(model: Model, named: str, earlier: Iterable[Earlier]) -> Hyperparameters:
    train = next(iter(earlier), None)
    if train is None:
        raise UntrainedModelError(
            f"HYPEROPT_STRATEGY: the control DB has no hyperparameters of {model.id!r} with the "
            f"train or session {named!r}; correct the id, or use {', '.join(STRATEGIES)}.",
            dataprovider_id=model.id,
        )
    hyperparams = restored(search_space(model), train.hyperparams)
    _checked(model, hyperparams)
    return _made(model, hyperparams, train.train_id)


def _checked(model: Model, hyperparams: Mapping[str, Any]) -> None:
    if estimator := model.dp.make_estimator(hyperparams):
        estimator.check_params()


def _made(model: Model, hyperparams: Mapping[str, Any] | None, origin: str) -> Hyperparameters:
    """What the Estimator of `model` says that it has, with these; None: with its own."""
    estimator = model.estimator
    given = {} if hyperparams is None else {"hyperparams": hyperparams}
    both = (
        estimator.hyperparam_exchange(model.dp.get_estimator_params(), **given) if estimator else {}
    )
    logger.info("%s: hyperparameters from %s", model.id, origin)
    return Hyperparameters(both.get("params", {}), both.get("hyperparams", {}), origin)


def _subject(model: Model) -> str:
    """What a search is about: another text, another search."""
    from xingu.tuning.plan import SearchPlan

    plan, dp = SearchPlan.of(model.dp), model.dp
    # A larger budget goes on with the same trials.
    judged = {name: getattr(plan, name) for name in vars(plan) if name not in _BUDGET}
    parts = (
        judged,
        search_space(model),
        dp.get_estimator_class(),
        dp.get_estimator_class_params(),
        dp.get_estimator_params(),
        dict(call_hook(dp, "get_estimator_hyperparameters")),
        list(dp.get_estimator_features_list()),
        dp.get_target(),
    )
    return re.sub(r" at 0x[0-9a-f]+", "", repr(parts))  # addresses change with each process


_BUDGET = ("evaluations", "seconds")
