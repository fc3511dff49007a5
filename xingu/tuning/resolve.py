"""Resolve the hyperparameters of a train, with their origin.

A strategy is a name; earlier trains and the log of trials are passed in as functions, so this
module needs no database.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xingu.errors import DeclarationError, UntrainedModelError
from xingu.model import Model
from xingu.provider.state import ProviderState
from xingu.records import Trial
from xingu.tuning.declaration import Declaration
from xingu.tuning.plan import SearchPlan
from xingu.tuning.search import SearchContext, search
from xingu.tuning.space import outside, restored
from xingu.tuning.trials import TrialLog, plain

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


def resolve(model: Model, tuning: Tuning) -> Hyperparameters:
    """Return the hyperparameters of an unfitted Model, which has its sets.

    Raises:
        DeclarationError: If the search space or the plan cannot be used.
        UntrainedModelError: If the named train or session has no hyperparameters.
        DataError: If every trial of a search failed.
    """
    strategy = tuning.strategy.strip()
    if model.estimator is None:
        return Hyperparameters(model.dp.get_estimator_params(), {})
    declared = Declaration.of(model.dp)
    if strategy == "self" and declared.space:
        return _searched(model, declared, tuning)
    if strategy == "last":
        found = _newest_compatible(model, declared, tuning.earlier(None))
        return found or _declared(model, declared)
    if strategy not in STRATEGIES:
        return _of_train(model, declared, strategy, tuning.earlier(strategy))
    if strategy == "self":
        logger.warning("%s: no search space is declared, so nothing is searched", model.id)
    return _declared(model, declared)


def _declared(model: Model, declared: Declaration) -> Hyperparameters:
    if declared.hyperparams:
        return _in_force(model, declared, declared.hyperparams, "dp")
    return _in_force(model, declared, None, "defaults")


def _searched(model: Model, declared: Declaration, tuning: Tuning) -> Hyperparameters:
    context = SearchContext(model, declared, SearchPlan.of(model.dp))
    log = tuning.open_log(_subject(context))
    model.search = lambda: search(context, log, tuning.workers)
    chosen = _in_force(model, declared, model.hyperparam_optimize(), "self")
    plan = context.plan
    trials = tuple(log.trials)
    return replace(chosen, trials=trials, metric=plan.metric, direction=plan.direction)


def _newest_compatible(
    model: Model, declared: Declaration, earlier: Iterable[Earlier]
) -> Hyperparameters | None:
    for train in earlier:
        hyperparams = restored(declared.space, train.hyperparams)
        reason = _misfit(model, declared, train)
        if reason:
            logger.info("%s: hyperparameters of %s: %s", model.id, train.train_id, reason)
        elif hyperparams:
            merged = {**declared.hyperparams, **hyperparams}
            return _in_force(model, declared, merged, train.train_id)
    return None


def _misfit(model: Model, declared: Declaration, train: Earlier) -> str | None:
    """Return why hyperparameters of an earlier train cannot be used again; None: they can."""
    known = {*declared.space, *declared.hyperparams}
    if train.found is False and plain(train.hyperparams) != plain(declared.hyperparams):
        return "they were declared, and something else is declared now"
    if known and (strange := [name for name in train.hyperparams if name not in known]):
        return f"{', '.join(strange)} is neither searched nor declared any more"
    if wrong := outside(declared.space, train.hyperparams):
        return f"{', '.join(wrong)} is outside its search space"
    try:
        _check_params(model, train.hyperparams)
    except DeclarationError as error:
        return str(error)
    return None


def _of_train(
    model: Model, declared: Declaration, named: str, earlier: Iterable[Earlier]
) -> Hyperparameters:
    train = next(iter(earlier), None)
    if train is None:
        raise UntrainedModelError(
            f"HYPEROPT_STRATEGY: the control DB has no hyperparameters of {model.id!r} with the "
            f"train or session {named!r}; correct the id, or use {', '.join(STRATEGIES)}.",
            dataprovider_id=model.id,
        )
    hyperparams = restored(declared.space, train.hyperparams)
    _check_params(model, hyperparams)
    return _in_force(model, declared, hyperparams, train.train_id)


def _check_params(model: Model, hyperparams: Mapping[str, Any]) -> None:
    if estimator := model.dp.make_estimator(hyperparams):
        estimator.check_params()


def _in_force(
    model: Model, declared: Declaration, hyperparams: Mapping[str, Any] | None, origin: str
) -> Hyperparameters:
    """Apply hyperparameters (None: the Estimator's own) and return those in force."""
    estimator = model.estimator
    given = {} if hyperparams is None else {"hyperparams": hyperparams}
    both = estimator.hyperparam_exchange(declared.params, **given) if estimator else {}
    logger.info("%s: hyperparameters from %s", model.id, origin)
    return Hyperparameters(both.get("params", {}), both.get("hyperparams", {}), origin)


def _subject(context: SearchContext) -> str:
    """Return a text that differs if the search differs in anything but its budget."""
    dp, declared, plan = context.model.dp, context.declared, context.plan
    parts = (
        {name: getattr(plan, name) for name in vars(plan) if name not in _BUDGET},
        declared.space,
        dp.get_estimator_class(),
        dp.get_estimator_class_params(),
        declared.params,
        declared.hyperparams,
        list(dp.get_estimator_features_list()),
        dp.get_target(),
    )
    return re.sub(r" at 0x[0-9a-f]+", "", repr(parts))  # addresses differ between processes


_BUDGET = ("evaluations", "seconds")
