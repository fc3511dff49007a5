"""How a DataProvider shows itself in a notebook."""

import re
from pathlib import Path

import pytest

from tests.support.cards import facts_of
from tests.support.toys import Houses, Taxes
from xingu import DataProvider


class Remote(DataProvider):
    """Reads <b>far away</b>.

    More that is not shown.
    """

    id = "remote"
    train_dataset_sources = {
        "web": {"url": "https://ana:s3cret-word@host/a.csv"},
        "rows": {"source": "db", "query": "select *\n  from " + "very_" * 40 + "long"},
    }
    estimator_class = DataProvider
    estimator_params = {"seed": 1, "password": "s3cret-word"}
    pre_req = {"b", "a"}

    def get_dataset_sources_for_batch_predict(self, model=None):
        raise AssertionError("a card calls no hook")

    def compute_global_model_metrics_speed(self):
        return {}


def test_declarations_are_shown_in_one_line_each_and_defaults_are_not():
    rows = facts_of(Houses())
    assert rows["y"] == ["price"]
    assert rows["x_features"] == ["size, town"]
    assert rows["estimator_params"] == ["n_estimators=20, num_leaves=7, min_child_samples=5"]
    assert facts_of(Remote())["pre_req"] == ["a, b"]
    assert "random_state" not in rows


def test_sources_show_what_they_read_without_secrets():
    rows, shown = facts_of(Remote()), Remote()._repr_html_()
    assert rows["web"][0] == "train"
    assert "host/a.csv" in rows["web"][1]
    assert rows["rows"][1].startswith("db: select * from very_")
    assert rows["rows"][1].endswith("…")
    assert rows["(get_dataset_sources_for_batch_predict)"] == ["batch", "what this hook returns"]
    assert "s3cret-word" not in shown


@pytest.mark.parametrize("cls", [Houses, Taxes])
def test_overridden_hooks_say_which_class_and_line_declares_them(cls):
    lines = Path("tests/support/toys.py").read_text().splitlines()
    [place] = facts_of(cls())["feature_engineering_for_train"]
    line = int(re.fullmatch(r"Houses \(toys\.py:(\d+)\)", place)[1])
    assert "def feature_engineering_for_train" in lines[line - 1]
    assert "last_pre_process_for_train" not in facts_of(cls())


def test_metric_and_plot_methods_are_listed():
    assert "compute_global_model_metrics_speed" in facts_of(Remote())


def test_the_first_line_of_the_docstring_is_shown_and_escaped():
    shown = Remote()._repr_html_()
    assert "<p>Reads &lt;b&gt;far away&lt;/b&gt;.</p>" in shown
    assert "More that" not in shown


def test_attributes_that_hooks_have_set_are_listed_with_their_types():
    provider = Houses()
    assert "set by hooks" not in provider._repr_html_()
    provider.town_codes = {"north": 0}
    assert facts_of(provider)["town_codes"] == ["dict"]


def test_a_class_of_a_prompt_has_no_place():
    made = type("Prompt", (Houses,), {"id": "prompt", "__module__": "a_prompt"})
    assert "<small>Prompt</small>" in made()._repr_html_()
