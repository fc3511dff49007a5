"""Contract suite of Estimators, run for every algorithm."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, houses, sets
from xingu.errors import DataError, MissingColumnError, UntrainedModelError
from xingu.provider.estimator import Estimator


class EstimatorContract:
    target = "number"
    features = FEATURES
    """Numbers alone for algorithms that take no text."""

    def make(self) -> Estimator:
        raise NotImplementedError

    def rows(self, rows: int = 25) -> pd.DataFrame:
        return houses(rows, seed=7, target=self.target).drop(columns="price")

    def answers(self, estimator: Estimator, rows: pd.DataFrame) -> pd.DataFrame:
        return estimator.predict(rows)

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls):
        estimator = cls().make()
        estimator.fit(sets(cls.target), cls.features, "price")
        return estimator

    def test_it_has_learned_more_than_the_commonest_answer(self, fitted):
        unseen = houses(300, seed=9, target=self.target)
        answer = fitted.predict(unseen)["estimation"]
        if fitted.is_classifier():
            commonest = unseen.price.value_counts(normalize=True).iloc[0]
            assert (answer == unseen.price).mean() > commonest + 0.1
        else:
            assert ((answer - unseen.price) ** 2).mean() < unseen.price.var() / 2

    def test_estimations_are_one_column_indexed_as_the_data(self, fitted):
        rows = self.rows()
        answer = fitted.predict(rows)
        assert list(answer.columns) == ["estimation"]
        pd.testing.assert_index_equal(answer.index, rows.index)

    def test_the_order_of_columns_and_other_columns_do_not_matter(self, fitted):
        rows = self.rows()
        shuffled = rows[rows.columns[::-1]].assign(other="x")
        assert_frame_equal(self.answers(fitted, shuffled), self.answers(fitted, rows))

    def test_one_row_is_estimated_as_among_others(self, fitted):
        rows = self.rows()
        assert_frame_equal(
            self.answers(fitted, rows.iloc[[3]]), self.answers(fitted, rows).iloc[[3]]
        )

    def test_no_rows_give_no_estimations_of_the_same_types(self, fitted):
        rows = self.rows()
        answer = self.answers(fitted, rows.iloc[:0])
        assert answer.shape == (0, self.answers(fitted, rows).shape[1])
        assert list(answer.dtypes) == list(self.answers(fitted, rows).dtypes)

    def test_a_missing_feature_is_named(self, fitted):
        with pytest.raises(MissingColumnError, match="'rooms'"):
            fitted.predict(self.rows().drop(columns="rooms"))

    def test_a_feature_missing_from_no_rows_is_named_too(self, fitted):
        with pytest.raises(MissingColumnError, match="'rooms'"):
            fitted.predict(self.rows(1).iloc[:0].drop(columns="rooms"))

    def test_a_saved_one_estimates_the_same_bits(self, fitted, tmp_path):
        fitted.save(tmp_path)
        loaded = type(fitted).load(tmp_path)
        rows = self.rows(200)
        assert_frame_equal(self.answers(loaded, rows), self.answers(fitted, rows), check_exact=True)
        assert loaded.classes() == fitted.classes()
        assert loaded.is_classifier() == fitted.is_classifier()

    def test_a_pickled_one_estimates_the_same_bits(self, fitted):
        rows = self.rows()
        again = pickle.loads(pickle.dumps(fitted))
        assert_frame_equal(self.answers(again, rows), self.answers(fitted, rows), check_exact=True)

    def test_an_unfitted_one_says_so(self):
        with pytest.raises(UntrainedModelError, match="not fitted"):
            self.make().predict(self.rows())

    def test_an_unfitted_one_can_be_saved(self, tmp_path):
        made = self.make()
        made.save(tmp_path)
        assert type(made).load(tmp_path).hyperparam_exchange() == made.hyperparam_exchange()

    def test_fitting_twice_gives_the_same_estimator(self, fitted):
        again = self.make()
        again.fit(sets(self.target), self.features, "price")
        rows = self.rows()
        assert_frame_equal(self.answers(again, rows), self.answers(fitted, rows), check_exact=True)

    def test_importances_are_shares_by_feature_largest_first(self, fitted):
        weights = fitted.feature_importance()
        assert weights.sum() == pytest.approx(1)
        assert weights.is_monotonic_decreasing
        assert weights.index[0] in {"size", "remainder__size"} | set(self.features)

    def test_the_data_is_left_as_it_was(self, fitted):
        rows, before = self.rows(), self.rows()
        fitted.predict(rows)
        data = sets(self.target)
        self.make().fit(data, self.features, "price")
        assert_frame_equal(rows, before)
        assert_frame_equal(data["train"], sets(self.target)["train"])

    def test_a_train_set_without_rows_is_refused(self):
        with pytest.raises(DataError, match="train"):
            self.make().fit({"train": houses(5).iloc[:0]}, self.features, "price")

    def test_a_target_with_gaps_is_refused_by_name(self):
        train = sets(self.target)["train"]
        train["price"] = train.price.astype(object).where(train.index != train.index[0])
        with pytest.raises(DataError, match="'price' is missing in 1 of 400"):
            self.make().fit({"train": train}, self.features, "price")

    # One suite, many classes: each of them is an executor of its own.
    @settings(max_examples=15, suppress_health_check=[HealthCheck.differing_executors])
    @given(
        labels=st.one_of(
            st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=6, unique=True),
            st.lists(st.text(max_size=4), min_size=1, max_size=6, unique=True),
            st.lists(st.datetimes(), min_size=1, max_size=6, unique=True),
            st.lists(st.tuples(st.integers(0, 9), st.text("ab")), min_size=1, max_size=6),
        )
    )
    def test_any_index_is_kept(self, fitted, labels):
        several = isinstance(labels[0], tuple)
        index = pd.MultiIndex.from_tuples(labels) if several else pd.Index(labels)
        rows = self.rows(len(labels)).set_axis(index, axis=0)
        pd.testing.assert_index_equal(self.answers(fitted, rows).index, index)


class ClassifierContract(EstimatorContract):
    target = "bool"
    labels: tuple = (False, True)

    def answers(self, estimator, rows):
        return estimator.predict_proba(rows)

    def test_it_is_a_classifier_before_fitting(self):
        assert self.make().is_classifier()
        assert self.make().classes() == []

    def test_classes_are_the_sorted_labels(self, fitted):
        assert tuple(fitted.classes()) == self.labels

    def test_probabilities_have_a_column_for_each_class_and_sum_to_1(self, fitted):
        answer = fitted.predict_proba(self.rows())
        names = [f"estimation_class_{number}" for number in range(len(self.labels))]
        assert list(answer.columns) == names
        assert np.allclose(answer.sum(axis=1), 1)

    def test_class_index_gives_only_that_column(self, fitted):
        rows = self.rows()
        assert_frame_equal(
            fitted.predict_proba(rows, class_index=1),
            fitted.predict_proba(rows)[["estimation_class_1"]],
        )

    @pytest.mark.parametrize("class_index", [-1, 3])
    def test_a_class_index_that_does_not_exist_is_refused(self, fitted, class_index):
        with pytest.raises(DataError, match=f"no class_index {class_index}"):
            fitted.predict_proba(self.rows(), class_index=class_index)

    def test_the_estimation_is_the_likeliest_label(self, fitted):
        rows = self.rows()
        likeliest = fitted.predict_proba(rows).to_numpy().argmax(axis=1)
        expected = [self.labels[position] for position in likeliest]
        assert fitted.predict(rows)["estimation"].tolist() == expected


class CategoryContract:
    """For those that take text."""

    @pytest.fixture(params=["object", "str", "category"])
    def text(self, request):
        return request.param

    def test_an_unseen_category_is_estimated_without_an_error(self, fitted):
        rows = self.rows(4).assign(colour=["violet", "red", "", "green"])
        assert self.answers(fitted, rows).notna().all(axis=None)

    def test_text_of_any_type_gives_the_same_estimation(self, fitted, text):
        rows = self.rows()
        assert_frame_equal(
            self.answers(fitted, rows.astype({"colour": text})), self.answers(fitted, rows)
        )

    def test_categories_in_another_order_give_the_same_estimation(self, fitted):
        rows = self.rows()
        colour = pd.Categorical(rows.colour, ["violet", "green", "red", "blue"])
        assert_frame_equal(
            self.answers(fitted, rows.assign(colour=colour)), self.answers(fitted, rows)
        )


class RegressorContract(EstimatorContract):
    def test_it_is_no_classifier(self, fitted):
        assert not self.make().is_classifier()
        assert fitted.classes() == []

    def test_it_gives_no_probabilities(self, fitted):
        with pytest.raises(NotImplementedError, match="probabilities"):
            fitted.predict_proba(self.rows())
