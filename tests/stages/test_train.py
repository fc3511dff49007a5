"""From source frames to a fitted Model, each stage a function of its inputs."""

import pandas as pd
import pytest

from tests.support.searches import Hills
from tests.support.stages import Stages, run_of, variant
from tests.support.toys import Houses, Taxes, houses
from xingu.errors import CheckFailedError, EmptySourceError, HookError
from xingu.model.provenance import Provenance
from xingu.provider.state import ProviderState
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, fit, split, tune
from xingu.tuning.resolve import Hyperparameters, Tuning


class Learning(Houses):
    """Learns in every hook, and notes what the hooks before have learned."""

    def clean_data_for_train(self, datasets):
        self.cleaned = 1
        return super().clean_data_for_train(datasets)

    def last_pre_process_for_train(self, data):
        self.processed = self.cleaned + 1
        return data

    def data_split_for_train(self, data):
        self.split = self.processed + 1
        return super().data_split_for_train(data)

    def get_estimator_hyperparameters(self):
        self.tuned = self.split + 1
        return {"max_depth": 3}

    def post_process_after_hyperparam_optimize(self, model):
        self.optimized = (self.tuned, model.trained, set(model.sets))

    def post_process_after_train(self, model):
        self.trained = bool(model.trained)


class Hollow(Houses):
    """No estimator, and no target."""

    hollow = True
    y = None

    def data_split_for_train(self, data):
        return {"train": data}

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=X["size"] * 3)


# -- clean, engineer, split -----------------------------------------------------------------------


def test_clean_pins_the_trains_of_prerequisites():
    pins = {"houses": "calm-fox"}
    prepared = clean(Stages().builder, Stages().sources, pins)
    assert prepared.state.pre_reqs == pins
    assert prepared.frame.index.name == "id"


def test_attributes_travel_from_hook_to_hook_on_new_providers():
    stages = Stages(Learning)
    splits = stages.splits()
    learned = splits.state.attributes()
    assert (learned["cleaned"], learned["processed"], learned["split"]) == (1, 2, 3)
    assert learned["town_codes"] == {"north": 0, "south": 1, "west": 2}


def test_a_stage_does_not_change_the_state_that_it_is_given():
    stages = Stages(Learning)
    cleaned = stages.cleaned()
    engineer(stages.builder, cleaned)
    assert set(cleaned.state.attributes()) == {"cleaned"}


def test_state_is_not_pickled_again_after_a_hook_that_is_not_overridden():
    stages = Stages(variant(feature_engineering_for_train=Houses.feature_engineering_for_train))
    features = engineer(stages.builder, stages.cleaned())
    assert split(stages.builder, features).state is features.state


@pytest.mark.parametrize(
    "hook",
    ["clean_data_for_train", "feature_engineering_for_train", "last_pre_process_for_train"],
)
def test_a_hook_that_drops_all_rows_is_named(hook):
    cls = variant(**{hook: lambda self, data: houses().head(0)})
    with pytest.raises(EmptySourceError, match=rf"houses\.{hook}: what it returned has no rows"):
        Stages(cls).splits()


@pytest.mark.parametrize("returned", [None, [1], {"train": 1}, "train"])
def test_a_split_that_is_no_dict_of_frames_is_refused(returned):
    with pytest.raises(HookError, match="data_split_for_train returned"):
        Stages(variant(data_split_for_train=lambda self, data: returned)).splits()


def test_a_tuple_of_the_split_gets_names():
    def data_split_for_train(self, data):
        return data.iloc[:300], None, data.iloc[300:]

    assert list(Stages(variant(data_split_for_train=data_split_for_train)).splits().frames) == [
        "train",
        "test",
    ]


def test_checks_of_the_builder_win_over_those_of_the_provider():
    cls = variant(
        checks={"disjoint_sets": "error"},
        data_split_for_train=lambda self, data: {"train": data, "test": data.head(3)},
    )
    stages = Stages(cls)
    features = engineer(stages.builder, stages.cleaned())
    with pytest.raises(CheckFailedError, match="share 3 rows"):
        split(stages.builder, features)
    lenient = ProviderBuilder(cls, lambda *_: None, checks={})
    assert list(split(lenient, features).frames) == ["train", "test"]


# -- tune -----------------------------------------------------------------------------------------


def test_declared_hyperparameters_are_in_force():
    stages = Stages(Learning)
    chosen = tune(stages.builder, stages.splits(), run_of(Learning), Tuning("dp"))
    assert (chosen.origin, chosen.hyperparams) == ("dp", {"max_depth": 3})
    assert chosen.params == Houses.estimator_params


def test_attributes_that_change_while_tuning_are_a_gain():
    def get_estimator_hyperparameters(self):
        self.calls = getattr(self, "calls", 0) + 1
        return {}

    stages = Stages(variant(get_estimator_hyperparameters=get_estimator_hyperparameters))
    splits = stages.splits()
    chosen = tune(stages.builder, splits, run_of(Houses), Tuning("dp"))
    assert set(chosen.gain.attributes()) == {"calls"}
    assert "calls" not in splits.state.attributes()


def test_a_search_returns_its_trials_and_the_best_of_them():
    stages = Stages(variant(Hills, hyperopt={**Hills.hyperopt, "evaluations": 6}))
    chosen = tune(stages.builder, stages.splits(), run_of(Hills), Tuning("self", workers=1))
    values = [trial.value for trial in chosen.trials]
    assert len(values) == 6
    best = chosen.trials[values.index(min(values))]
    assert chosen.hyperparams["x"] == best.params["x"]
    assert chosen.direction == "minimize"


def test_a_hollow_provider_has_nothing_to_tune():
    stages = Stages(Hollow)
    chosen = tune(stages.builder, stages.splits(), run_of(Hollow), Tuning("self"))
    assert (chosen.hyperparams, chosen.trials) == ({}, ())


# -- fit ------------------------------------------------------------------------------------------


def test_a_fitted_model_has_ids_signature_reference_and_the_state_of_all_hooks():
    stages = Stages(Learning)
    fitted = stages.fitted()
    model = fitted.model
    assert (model.id, model.train_id, model.train_session_id) == ("houses", "calm-fox", "brave-day")
    assert model.signature().set_rows == {"train": 280, "val": 80, "test": 40}
    assert set(model.reference.features) == {"size", "town", "town_code"}
    assert model.dp.optimized == (4, False, {"train", "val", "test"})
    assert model.dp.trained
    assert model.hyperparams_origin == "dp"


def test_a_fit_uses_the_hyperparameters_that_it_is_given():
    stages = Stages()
    chosen = Hyperparameters({"n_estimators": 3}, {"num_leaves": 5}, "wise-owl")
    model = fit(stages.builder, stages.splits(), chosen, run_of(Houses), Provenance()).model
    assert model.estimator.params == {"n_estimators": 3}
    assert model.estimator.hyperparams == {"num_leaves": 5}
    assert model.hyperparams_origin == "wise-owl"


def test_a_fit_is_repeatable():
    splits = Stages().splits()
    rows = splits.frames["test"]
    first, again = (Stages().fitted(splits).model.predict(rows) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_a_prerequisite_is_loaded_by_its_pinned_train():
    price = Stages().fitted().model
    model = Stages(Taxes, models={"houses": price}).fitted().model
    assert model.pre_req_trains == {"houses": "calm-fox"}
    assert model.dp.pre_req_model["houses"] is price


def test_a_hollow_model_is_fitted_without_an_estimator():
    model = Stages(Hollow).fitted().model
    assert model.estimator is None
    assert model.trained
    assert model.predict(houses())["estimation"].equals(houses()["size"] * 3)


def test_a_hook_of_the_fit_that_raises_is_named():
    def post_process_after_train(self, model):
        return {}["nothing"]

    with pytest.raises(HookError, match=r"houses\.post_process_after_train raised KeyError"):
        Stages(variant(post_process_after_train=post_process_after_train)).fitted()


# -- builder --------------------------------------------------------------------------------------


def test_a_builder_makes_a_new_provider_each_time_with_the_given_state():
    builder = Stages().builder
    provider = builder.build(ProviderState(pre_reqs={"taxes": "wise-owl"}))
    provider.town_codes = {"north": 7}
    state = ProviderState.capture(provider, "clean_data_for_train", {})
    assert not hasattr(builder.build(ProviderState()), "town_codes")
    assert builder.build(state).town_codes == {"north": 7}
    assert list(provider.pre_req_model) == ["taxes"]
