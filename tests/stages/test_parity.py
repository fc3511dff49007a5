"""Rows of the training data give the same values through the batch hooks."""

import pandas as pd
import pytest

from tests.support.stages import Stages, variant
from tests.support.toys import Houses
from xingu.checks.parity import replay_sample
from xingu.stages.evaluate import estimate_sets
from xingu.stages.parity import Replay, replay_batch


def outcome_of(cls, batch_sources=("houses",), ignore=(), **frames):
    """Train `cls`, and replay some of its rows."""
    stages = Stages(cls)
    splits = stages.splits()
    model = stages.fitted(splits).model
    made = estimate_sets(model, splits).frames
    sample = {**replay_sample(stages.sources, 50), **frames}
    replay = Replay(sample, batch_sources, ignore, stages.builder)
    return replay_batch(model, replay, splits.frames, made)


class Skewed(Houses):
    """Encodes towns in the other order in batch."""

    def feature_engineering_for_batch_predict(self, data):
        data = super().feature_engineering_for_batch_predict(data)
        return data.assign(town_code=2 - data["town_code"]) if hasattr(self, "done") else data

    def post_process_after_train(self, model):
        self.done = True


class Relearning(Houses):
    """Learns the codes of towns in every batch again, in another order."""

    def feature_engineering_for_batch_predict(self, data):
        if hasattr(self, "done"):
            self.town_codes = {"north": 2, "south": 1, "west": 0}
        return super().feature_engineering_for_batch_predict(data)

    def post_process_after_train(self, model):
        self.done = True


class Neighbours(Houses):
    """Counts the rows of a town among all rows."""

    x_estimator_features = ("size", "town_code", "neighbours")

    def feature_engineering_for_batch_predict(self, data):
        data = super().feature_engineering_for_batch_predict(data)
        return data.assign(neighbours=data.groupby("town")["size"].transform("size"))


class Renumbered(Neighbours):
    """Its index is the number of the row."""

    def clean_data_for_train(self, datasets):
        return datasets["houses"].drop(columns="id").reset_index(drop=True)


class Refusing(Houses):
    """Its batch hooks take no rows with a price."""

    def clean_data_for_batch_predict(self, datasets):
        raise ValueError("a price")


class Missing(Houses):
    """Its batch hooks give no feature."""

    def last_pre_process_for_batch_predict(self, data):
        return data.drop(columns="town_code")

    def pre_process_for_predict(self, X, model):
        return X


class Mutating(Houses):
    """Changes the frames that it is given."""

    def clean_data_for_batch_predict(self, datasets):
        cleaned = super().clean_data_for_train(datasets)
        datasets["houses"]["size"] = 0
        return cleaned


def test_the_same_hooks_pass():
    outcome = outcome_of(Houses)
    assert outcome.passed
    assert outcome.figures == {"rows": 50, "columns different": 0}


def test_another_encoding_is_a_conclusive_failure():
    outcome = outcome_of(Skewed)
    assert (outcome.passed, outcome.conclusive) == (False, True)
    assert "'town_code'" in outcome.text
    assert {row["column"] for row in outcome.rows} == {"town_code", "estimation"}


def test_attributes_that_batch_hooks_learn_again_are_named():
    outcome = outcome_of(Relearning)
    assert (outcome.passed, outcome.conclusive) == (False, True)
    assert "The batch hooks learn town_codes anew." in outcome.text


def test_a_value_that_depends_on_the_other_rows_is_inconclusive():
    outcome = outcome_of(Neighbours)
    assert (outcome.passed, outcome.conclusive) == (False, False)
    assert "depend on the other rows" in outcome.text


def test_ignored_columns_are_not_compared():
    assert outcome_of(Neighbours, ignore=("neighbours", "estimation")).passed


def test_rows_that_cannot_be_matched_are_not_applicable():
    outcome = outcome_of(Renumbered)
    assert outcome.passed
    assert "cannot be recognized by their index" in outcome.figures["not applicable"]


@pytest.mark.parametrize(
    ("cls", "sources", "reason"),
    [
        (Houses, ("houses", "more"), "the batch reads more, which training does not"),
        (Refusing, ("houses",), "do not take rows of the training data: .* a price"),
    ],
)
def test_a_replay_that_is_not_possible_is_not_applicable(cls, sources, reason):
    outcome = outcome_of(cls, sources)
    assert outcome.passed
    assert pd.Series([outcome.figures["not applicable"]]).str.contains(reason).all()


def test_one_source_of_another_name_is_replayed():
    class Renamed(Houses):
        def clean_data_for_train(self, datasets):
            return next(iter(datasets.values())).set_index("id")

    assert outcome_of(Renamed, ("offers",)).figures["rows"] == 50


def test_a_result_that_cannot_be_estimated_fails():
    outcome = outcome_of(Missing)
    assert (outcome.passed, outcome.conclusive) == (False, True)
    assert "cannot be estimated: " in outcome.text
    assert "town_code" in outcome.text


def test_hooks_that_change_their_frames_do_not_change_the_sample():
    stages = Stages(Mutating)
    splits = stages.splits()
    model = stages.fitted(splits).model
    made = estimate_sets(model, splits).frames
    sample = replay_sample(stages.sources, 50)
    before = {name: frame.copy() for name, frame in sample.items()}
    replay_batch(model, Replay(sample, ("houses",), (), stages.builder), splits.frames, made)
    pd.testing.assert_frame_equal(sample["houses"], before["houses"])


def test_a_control_that_raises_leaves_the_failure_inconclusive():
    class Picky(Skewed):
        def clean_data_for_train(self, datasets):
            if hasattr(self, "done") or len(datasets["houses"]) == 400:
                return super().clean_data_for_train(datasets)
            raise ValueError("too few")

    outcome = outcome_of(variant(Picky))
    assert (outcome.passed, outcome.conclusive) == (False, False)
