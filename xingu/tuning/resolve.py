"""Resolve the hyperparameters of a train: choose them by strategy, then apply them.

A strategy is a name. Earlier trains and the log of trials are passed in as functions, so this
module does not need the control DB.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from xingu.errors import DeclarationError, UntrainedModelError, did_you_mean
from xingu.model import Model
from xingu.provider.estimator import searches_itself
from xingu.provider.state import ProviderState
from xingu.records import Trial
from xingu.tuning.declaration import Declaration, without_address
from xingu.tuning.search import SearchContext, search
from xingu.tuning.space import outside, restore_types
from xingu.tuning.trials import TrialLog, plain

logger = logging.getLogger(__name__)

STRATEGIES = ("last", "self", "dp")
"""Names of strategies; any other name is a train id or session id."""
DECLARED = ("dp", "defaults")
"""Origins of hyperparameters that no search found."""
SEARCHED = "self"
"""Origin of hyperparameters that a search of the same train found."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Parameters of an Estimator, and their origin.

    Attributes:
        params: Fixed parameters of the DataProvider.
        hyperparams: Tuned parameters; they override `params` of the same name.
        origin: ``dp``: declared; ``defaults``: defaults of the Estimator; ``self``: searched in
            this train; otherwise the `train_id` of the train that they were taken from.
        gain: Attributes that hooks of this stage set on the DataProvider.
        trials: Trials of the search of this train, if there was one.
        metric: Name of the metric that the search optimized.
        direction: ``minimize`` or ``maximize``; empty without a search.
        declared: What was declared, as of `Declaration.record`; empty without an estimator.
        choice: Where they come from and what differs from the declaration, as a text for people.
    """

    params: Mapping[str, Any]
    hyperparams: Mapping[str, Any]
    origin: str = "dp"
    gain: ProviderState = field(default_factory=ProviderState)
    trials: tuple[Trial, ...] = ()
    metric: str = ""
    direction: str = ""
    declared: Mapping[str, Any] = field(default_factory=dict)
    choice: str = ""


@dataclass(frozen=True, slots=True)
class EarlierTrain:
    """Hyperparameters of an earlier train.

    Attributes:
        train_id: The train.
        hyperparams: Hyperparameters that it was fitted with.
        searched: Whether a search found them, in this train or in the one that it took them from;
            None if that is not known, as in a database of Xingu 2.0.
        declared: What was declared then, as of `Declaration.record`; None if that is not known.
        trained: Time of its fit; None if that is not known.
        disqualified: Why strategy ``last`` does not take them, for example because the train was
            rolled back; None if it does.
    """

    train_id: str
    hyperparams: Mapping[str, Any]
    searched: bool | None = None
    declared: Mapping[str, Any] | None = None
    trained: datetime | None = field(default=None, compare=False)
    disqualified: str | None = None

    @property
    def declaration(self) -> Mapping[str, Any] | None:
        """The declaration of that train; hyperparameters that were not searched were declared."""
        if self.declared is None and self.searched is False:
            return {"hyperparams": plain(self.hyperparams)}
        return self.declared


@dataclass(frozen=True, slots=True)
class Tuning:
    """Requested strategy, and access to earlier trains and to trials of searches.

    Attributes:
        strategy: ``last``, ``self``, ``dp``, a train id or a session id.
        earlier: Returns earlier trains, newest first; with an id, only those of this train or
            session.
        open_log: Returns the trials of the search with this key, new or to be resumed.
        workers: Number of concurrent trials; 0 means the number of cores.
        evaluations: Largest number of trials; 0 means as declared.
    """

    strategy: str = "dp"
    earlier: Callable[[str | None], Iterable[EarlierTrain]] = lambda _: ()
    open_log: Callable[[str], TrialLog] = lambda _: TrialLog()
    workers: int = 0
    evaluations: int = 0


def resolve(model: Model, tuning: Tuning) -> Hyperparameters:
    """Choose hyperparameters, apply them to the Estimator of `model`, and return those in force.

    What differs from the declaration is a warning in the log, unless this train searched it.

    Args:
        model: An unfitted Model with its sets.
        tuning: The strategy. ``last`` falls back to ``dp`` if no earlier train is compatible, or
            the declaration was changed since the newest one; ``self`` if no search space is
            declared.

    Raises:
        DeclarationError: If the search space or the plan cannot be used.
        UntrainedModelError: If the named train or session has no hyperparameters.
        DataError: If every trial of a search failed.
    """
    if model.estimator is None:
        return Hyperparameters(model.dp.get_estimator_params(), {})
    # In the order in which Xingu 2.0 asks.
    model.dp.get_estimator_features_list()
    model.dp.get_target()
    declared = Declaration.of(model.dp)
    match tuning.strategy.strip():
        case "last":
            chosen = _last(model, declared, tuning.earlier(None))
        case "self":
            chosen = _search(model, declared, tuning)
        case "dp":
            chosen = _as_declared(declared)
        case name:
            chosen = _of_named_train(model, declared, name, tuning.earlier(name))
    if chosen.origin != SEARCHED:  # a search has applied what it found
        given = None if chosen.origin == "defaults" else chosen.hyperparams
        model.exchange(chosen.params, given)
    params, hyperparams = dict(model.estimator.params), dict(model.estimator.hyperparams)
    differences = declared.differences(chosen.hyperparams)
    differ = f"; not as declared: {', '.join(differences)}" if differences else ""
    choice = f"{chosen.choice or _SAID.get(chosen.origin, f'of train {chosen.origin}')}{differ}"
    surprising = chosen.choice or (differences and chosen.origin != SEARCHED)
    level = logging.WARNING if surprising else logging.INFO
    logger.log(level, "%s: hyperparameters: %s", model.id, choice)
    record = declared.record()
    return replace(chosen, params=params, hyperparams=hyperparams, declared=record, choice=choice)


_SAID = {"dp": "as declared", "defaults": "defaults of the estimator", SEARCHED: "searched"}


def _as_declared(declared: Declaration, choice: str = "") -> Hyperparameters:
    origin = "dp" if declared.hyperparams else "defaults"
    return Hyperparameters(declared.params, declared.hyperparams, origin, choice=choice)


def _search(model: Model, declared: Declaration, tuning: Tuning) -> Hyperparameters:
    """Search; without a declared space only an Estimator that searches by itself does."""
    own = searches_itself(model.dp.get_estimator_class(), model.id)
    context = None if own and not declared.space else SearchContext.of(model, declared)
    if context is None and not own:
        return _as_declared(declared)
    if context is not None and tuning.evaluations:
        context = replace(context, plan=replace(context.plan, evaluations=tuning.evaluations))
    log = tuning.open_log(_search_key(model, declared, context))
    if context is not None:
        model.search = lambda: search(context, log, tuning.workers)
    found = model.hyperparam_optimize()
    log.close()  # an Estimator that searches by itself has not
    return Hyperparameters(
        declared.params,
        found,
        SEARCHED,
        trials=tuple(log.trials),
        metric=context.plan.metric if context else "",
        direction=context.plan.direction if context else "",
    )


def _last(model: Model, declared: Declaration, earlier: Iterable[EarlierTrain]) -> Hyperparameters:
    """Return those of the newest compatible train, unless the declaration was changed since."""
    for train in earlier:
        if not train.hyperparams:
            continue
        if reason := train.disqualified:
            logger.info("%s: skipped hyperparameters of %s: %s", model.id, train.train_id, reason)
            continue
        taken = _taken(declared, train)
        if changes := _changes(declared, train, taken):
            return _as_declared(
                declared,
                f"as declared, because the declaration was changed since train {train.train_id}: "
                f"{', '.join(changes)}",
            )
        if reason := _incompatibility(model, declared, train, taken):
            logger.info("%s: skipped hyperparameters of %s: %s", model.id, train.train_id, reason)
        elif taken:
            merged = {**declared.hyperparams, **restore_types(declared.space, taken)}
            return Hyperparameters(declared.params, merged, train.train_id)
        else:
            break
    return _as_declared(declared)


def _taken(declared: Declaration, train: EarlierTrain) -> dict[str, Any]:
    """Return the values that ``last`` takes: those that are searched.

    If the DataProvider neither searches nor declares anything, all of them.
    """
    known = {*declared.space, *declared.hyperparams}
    return {
        name: value
        for name, value in train.hyperparams.items()
        if name in declared.space or not known
    }


def _changes(declared: Declaration, train: EarlierTrain, taken: Mapping[str, Any]) -> Sequence[str]:
    before = train.declaration
    if before is None:
        return []
    wrong = outside(declared.space, taken)
    return declared.changes_since(before, taken) + [
        f"{name}={value!r} of that train is outside the search space"
        for name, value in wrong.items()
    ]


def _incompatibility(
    model: Model, declared: Declaration, train: EarlierTrain, taken: Mapping[str, Any]
) -> str | None:
    """Return why hyperparameters of an earlier train cannot be used; None if they can."""
    known = {*declared.space, *declared.hyperparams}
    unknown = [name for name in train.hyperparams if name not in known]
    if known and unknown and train.declaration is None:
        return f"{', '.join(unknown)} is no longer searched or declared"
    if wrong := outside(declared.space, taken):
        return f"{', '.join(wrong)} is outside its search space"
    try:
        _check_params(model, taken)
    except DeclarationError as error:
        return str(error)
    return None


def _of_named_train(
    model: Model, declared: Declaration, name: str, earlier: Iterable[EarlierTrain]
) -> Hyperparameters:
    train = next(iter(earlier), None)
    if train is None:
        raise unknown_train(model.id, name)
    hyperparams = restore_types(declared.space, train.hyperparams)
    _check_params(model, hyperparams)
    return Hyperparameters(declared.params, hyperparams, train.train_id)


def unknown_train(dp_id: str, name: str) -> UntrainedModelError:
    """Return the error of a strategy that is neither a known name nor a train or session."""
    return UntrainedModelError(
        f"HYPEROPT_STRATEGY or hyperopt_strategy: the control DB has no hyperparameters of "
        f"{dp_id!r} with the train or session {name!r}; correct the id, or use "
        f"{', '.join(STRATEGIES)}.{did_you_mean(name, STRATEGIES)}",
        dataprovider_id=dp_id,
    )


def _check_params(model: Model, hyperparams: Mapping[str, Any]) -> None:
    if estimator := model.dp.make_estimator(hyperparams):
        estimator.check_params()


_BUDGET = ("evaluations", "seconds")


def _search_key(model: Model, declared: Declaration, context: SearchContext | None) -> str:
    """Return a text that is equal for searches that differ at most in their budget."""
    dp, plan = model.dp, vars(context.plan) if context else {}
    parts = (
        {name: value for name, value in plan.items() if name not in _BUDGET},
        declared.space,
        dp.get_estimator_class(),
        dp.get_estimator_class_params(),
        declared.params,
        declared.hyperparams,
        list(dp.get_estimator_features_list()),
        dp.get_target(),
        dp.proba_class_index,
    )
    return without_address(repr(parts))
