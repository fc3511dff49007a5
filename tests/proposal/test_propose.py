"""A proposal finds target, keys, time, and columns that leak the target."""

import numpy as np
import pandas as pd
import pytest

from xingu.errors import DataError
from xingu.proposal import (
    Sample,
    decisions_of,
    describe,
    obvious_target,
    propose,
    target_candidates,
)

N = 300
RNG = np.random.default_rng(0)
SIZE = RNG.uniform(20, 200, N)
SALES = pd.DataFrame({
    "sale_id": np.arange(N) + 100,
    "sold_on": pd.date_range("2022-01-01", periods=N, freq="3D"),
    "size": SIZE,
    "town": RNG.choice(["north", "south"], N),
    "shop_id": RNG.integers(1, 9, N) * 1000,
    "note": [f"note {one}" for one in range(N)],
    "country": "br",
    "price": 3 * SIZE + RNG.normal(0, 80, N),
})  # fmt: skip


def sample(frame: pd.DataFrame) -> Sample:
    return Sample(frame, len(frame), f"all {len(frame)} rows")


def proposed(frame: pd.DataFrame = SALES, target: str = "price"):
    return propose(sample(frame), target)


def test_keys_texts_without_repetition_and_constants_are_no_features():
    made = proposed()
    assert made.key == "sale_id"
    assert made.left_out == {
        "sale_id": "another value in every row",
        "note": "another value in every row",
        "country": "the same in every row",
    }
    assert made.features == ["size", "town", "shop_id"]


def test_identifiers_that_repeat_are_names_not_amounts():
    assert proposed().conversions["shop_id"].kind == "text"


def test_a_date_splits_the_rows_and_its_calendar_becomes_features():
    made = proposed()
    assert made.time == "sold_on"
    assert made.calendar == {"sold_on": ["month", "weekday"]}


@pytest.mark.parametrize(
    "frame",
    [
        SALES.rename(columns={"sold_on": "birth_date"}),
        SALES.assign(sold_on=SALES["sold_on"].mask(SALES["size"] > 190)),
        SALES.assign(sold_on=pd.Timestamp("2024-01-01")),
    ],
    ids=["a property", "incomplete", "one day"],
)
def test_not_every_date_orders_the_rows(frame):
    assert proposed(frame).time is None


def test_of_two_dates_that_in_whose_order_the_rows_are_splits_them():
    frame = SALES.assign(seen_on=SALES["sold_on"].sample(frac=1, random_state=0).to_numpy())
    assert proposed(frame[["seen_on", *SALES.columns]]).time == "sold_on"


def test_a_class_that_comes_late_prevents_a_split_by_time():
    frame = SALES.assign(kind=["old"] * 280 + ["new"] * 20)
    assert proposed(frame, "kind").time is None


def test_what_explains_the_target_alone_is_left_out():
    made = proposed(SALES.assign(in_cents=(SALES["price"] * 100).round()))
    assert "alone explains the target (R2" in made.left_out["in_cents"]


def test_what_is_missing_where_the_target_is_is_left_out():
    unsold = SALES["size"] > 150
    frame = SALES.assign(price=SALES["price"].mask(unsold), fee=RNG.normal(size=N))
    frame["fee"] = frame["fee"].mask(unsold)
    made = proposed(frame)
    assert "missing where the target is" in made.left_out["fee"]
    assert f"{unsold.sum()} rows without a target are left out" in " ".join(
        decisions_of(made, sample(frame))
    )


def test_a_date_that_is_missing_where_the_target_is_is_left_out():
    unsold = SALES["size"] > 150
    paid = (SALES["sold_on"] + pd.Timedelta(days=9)).mask(unsold)
    made = proposed(SALES.assign(price=SALES["price"].mask(unsold), paid_on=paid))
    assert "missing where the target is" in made.left_out["paid_on"]
    assert (made.time, list(made.calendar)) == ("sold_on", ["sold_on"])


def test_columns_without_a_name_of_their_own_are_named():
    frame = SALES.assign(**{"": 1, "twice": 1})
    frame = pd.concat([frame, frame[["twice"]]], axis=1)
    assert (
        "a name is a text that occurs once: '', 'twice'."
        in decisions_of(proposed(frame), sample(frame))[-1]
    )


def test_what_explains_much_of_the_target_is_kept_and_named():
    made = proposed()
    assert list(made.suspects) == ["size"]
    assert "size 0.8" in " ".join(decisions_of(made, sample(SALES)))


def test_a_column_that_explains_everything_is_kept_if_it_is_the_only_one():
    frame = pd.DataFrame({"a": SALES["price"] * 2, "price": SALES["price"]})
    assert proposed(frame).features == ["a"]


def test_a_table_without_anything_to_learn_from_is_refused_with_the_reasons():
    with pytest.raises(DataError, match="no column is left .* note: another value"):
        proposed(SALES[["note", "country", "price"]])


@pytest.mark.parametrize(
    ("values", "classify"),
    [
        (["a", "b", "c"] * 100, True),
        ([True, False] * 150, True),
        ([0, 1, 2] * 100, True),
        ([5, 90] * 150, True),
        ([10, 20, 30] * 100, False),
        (range(N), False),
        (np.linspace(0, 1, N), False),
        ([0] * 200 + [1] * 90 + [2] * 9 + [3], False),
    ],
)
def test_texts_and_a_few_counted_numbers_are_classes(values, classify):
    assert proposed(SALES.assign(target=values), "target").classify == classify


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("prise", "Did you mean 'price'"),
        ("sold_on", "holds date values"),
        ("country", "is 'br' in every row"),
        ("note", "300 different texts"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(target, reason):
    with pytest.raises(DataError, match=reason):
        proposed(target=target)


def test_rare_classes_are_pointed_out():
    frame = SALES.assign(fraud=["yes"] * 6 + ["no"] * 294)
    decisions = " ".join(decisions_of(proposed(frame, "fraud"), sample(frame)))
    assert "The class yes is rare (2.00%)" in decisions


def test_candidates_are_what_can_be_learned_those_called_so_first():
    named = SALES.assign(label=["a", "b"] * 150)[["label", *SALES.columns]]
    names = [one.name for one in target_candidates(describe(named))]
    assert names == ["label", "price", "town", "size"]
    assert obvious_target(describe(named)).name == "label"
    assert obvious_target(describe(SALES)) is None


def test_no_key_is_declared_from_a_part_of_the_rows():
    assert propose(Sample(SALES, None, "the first 300 rows"), "price").key is None
