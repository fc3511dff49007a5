"""How a Model shows itself."""

from dataclasses import replace

import pytest

from tests.support.cards import facts_of
from tests.support.fitted import fit_model
from tests.support.toys import Houses
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.records import TrainRun

RUN = TrainRun("houses", "calm-fox", "brave-day", "run-1")


@pytest.fixture(scope="module")
def fitted():
    model = fit_model(Houses, libraries={"pandas": "3.1", "lightgbm": "4.7.0"})
    changed = {"git_commit": "0123456789abcdef", "git_branch": "main", "git_dirty": True}
    model.provenance = replace(model.provenance, **changed)
    return model


def test_the_text_names_train_time_and_main_score(fitted):
    time = f"{fitted.trained:%Y-%m-%d %H:%M} UTC"
    score = fitted.scores["test"]["RMSE"]
    assert (
        repr(fitted) == f"<Model houses brave-day:calm-fox, trained {time}, test RMSE {score:.2f}>"
    )


def test_the_card_has_ids_code_estimator_with_its_library_and_target(fitted):
    rows = facts_of(fitted)
    assert "<td>train</td><td>calm-fox</td>" in fitted._repr_html_()
    assert rows["session"] == ["brave-day"]
    assert rows["commit"] == ["01234567 (main) with uncommitted changes"]
    assert rows["estimator"] == ["LightGBMRegressor (lightgbm 4.7.0)"]
    assert rows["target"] == ["price"]


def test_the_card_has_sizes_of_sets_and_scores_by_set(fitted):
    rows, signature = facts_of(fitted), fitted.signature()
    assert rows["set"] == ["rows", *fitted.scores["test"]]
    assert rows["val"] == [str(signature.set_rows["val"]), *[""] * len(fitted.scores["test"])]
    first = f"{fitted.scores['test']['RMSE']:.2f}"
    assert rows["test"][:2] == [str(signature.set_rows["test"]), first]


def test_the_card_says_which_features_hooks_make_and_which_the_estimator_uses(fitted):
    rows = facts_of(fitted)
    assert rows["size"] == ["float64", "estimator"]
    assert rows["town"][1] == "hooks"
    assert rows["town_code"] == ["made by hooks", "estimator"]


def test_a_model_that_is_not_trained_says_so():
    model = Model(Houses(), None, RUN)
    assert repr(model) == "<Model houses brave-day:calm-fox, not trained>"
    assert "not trained" in model._repr_html_()
    assert facts_of(model)["train"] == ["calm-fox"]


def test_an_estimator_of_an_unknown_library_has_no_version(fitted):
    bare = Model.of(fitted.dp, fitted.estimator, RUN, Provenance())
    assert facts_of(bare)["estimator"] == ["LightGBMRegressor"]
