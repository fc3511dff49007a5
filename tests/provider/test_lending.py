"""No change that lent code makes to a frame reaches anybody else."""

import contextlib
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from xingu.provider import lending
from xingu.provider.lending import COPY_ON_WRITE, call_lent


def rows() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "number": [1.5, 2.5, np.nan],
            "count": [1, 2, 3],
            "yes": [True, False, True],
            "text": ["a", "b", None],
            "object": np.array(["a", "b", "c"], dtype=object),
            "list": [[1], [2, [3]], None],
            "dict": [{"k": [1]}, {}, {"k": [2]}],
            "array": [np.arange(2), np.arange(3), np.arange(1)],
            "tuple": [([1],), ([2],), ()],
            "category": pd.Categorical(["x", "y", "x"]),
            "Int64": pd.array([1, None, 3], dtype="Int64"),
            "Float64": pd.array([1.0, 2.0, 3.0], dtype="Float64"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "string": pd.array(["a", None, "c"], dtype="string"),
            "time": pd.to_datetime(["2024-01-01", "2024-01-02", "NaT"]),
            "zone": pd.to_datetime(["2024-01-01", "2024-01-02", "NaT"]).tz_localize("UTC"),
            "delta": pd.to_timedelta([1, 2, 3], unit="s"),
            "period": pd.period_range("2024", periods=3, freq="D"),
            "interval": pd.interval_range(0, 3),
        },
        index=pd.Index(["p", "q", "r"], name="id"),
    )
    frame.attrs["source"] = {"name": "shop"}
    return frame


def assigned(X, name):
    X[name] = X[name].iloc[::-1].to_numpy()


def part_assigned(X, name):
    X.loc["p", name] = X[name].iloc[-1]
    X.iloc[1, X.columns.get_loc(name)] = X[name].iloc[-1]
    X.at["r", name] = X[name].iloc[1]


def array_written(get):
    def write(X, name):
        values = get(X[name])
        values[0] = values[2]

    return write


def inplace(X, name):
    X.rename(columns={name: "other"}, inplace=True)
    X.sort_values("count", ascending=False, inplace=True)
    X.fillna({"number": 0.0}, inplace=True)
    X.drop(columns="other", inplace=True)
    X.insert(0, "new", 1)
    X.reset_index(inplace=True)
    X.drop_duplicates(subset="yes", inplace=True)


def structure_changed(X, name):
    X.pop(name)
    del X["count"]
    X.index = pd.Index([1, 2, 3], name="other")
    X.columns = [f"column {number}" for number in range(X.shape[1])]


def names_changed(X, name):
    X.index.name = "other"
    X.columns.name = "other"
    X.attrs["source"]["name"] = name


def labels_written(X, name):
    X.columns.to_numpy()[0] = name
    X.index.to_numpy()[0] = name


def cells_changed(X, name):
    X["list"].iloc[0].append(name)
    X["list"].iloc[1][1].append(name)
    X["dict"].iloc[0]["k"].append(name)
    X["array"].iloc[0][0] = 9
    X["tuple"].iloc[0][0].append(name)


def block_written(X, name):
    for kind in ("float64", "int64", "bool"):
        X.select_dtypes(kind).to_numpy()[:] = 1
        X.select_dtypes(kind).values[:] = 1


def through_numpy(X, name):
    np.add(X["number"], 1, out=X["number"].to_numpy())


WAYS = (
    assigned,
    part_assigned,
    array_written(lambda column: column.to_numpy()),
    array_written(lambda column: column.values),
    array_written(lambda column: column.array),
    array_written(np.asarray),
    inplace,
    structure_changed,
    names_changed,
    labels_written,
    cells_changed,
    block_written,
    through_numpy,
)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@given(
    st.lists(st.sampled_from(WAYS), min_size=1, max_size=4),
    st.sampled_from([name for name in rows().columns if name != "count"]),
)
def test_a_lent_frame_can_be_changed_in_no_way_that_others_see(ways, name):
    def hook(X):
        for way in ways:
            # A locked array refuses; a way may need what an earlier one has removed.
            with contextlib.suppress(Exception):
                way(X, name)

    held = rows()
    call_lent(hook, held)
    assert_frame_equal(held, rows())
    assert held.attrs == rows().attrs


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_a_pandas_without_blocks_gets_copies_of_whole_frames(monkeypatch):
    monkeypatch.setattr(lending, "COPY_ON_WRITE", False)
    monkeypatch.setattr(lending, "_blocks", lambda _: ())
    held = rows()
    for way in (assigned, part_assigned, inplace):
        call_lent(lambda X, way=way: way(X, "number"), held)
    assert_frame_equal(held, rows())


@pytest.mark.parametrize("name", rows().columns.drop(["list", "dict", "array", "tuple"]))
def test_code_may_assign_to_what_it_was_lent_as_to_a_frame_of_its_own(name):
    def hook(X):
        part_assigned(X, name)
        return X

    expected = rows()
    part_assigned(expected, name)
    assert_frame_equal(call_lent(hook, rows()), expected)


def test_frames_in_dicts_and_the_dict_itself_are_lent():
    def hook(datasets):
        assigned(datasets["one"], "count")
        del datasets["one"]

    datasets = {"one": rows()}
    call_lent(hook, datasets)
    assert_frame_equal(datasets["one"], rows())


class Holder:
    def __init__(self):
        self.sets, self.sets_estimations = {"train": rows()}, {}
        self.batch = rows()


def test_the_frames_that_a_model_holds_are_lent():
    def hook(model):
        train = model.sets["train"]
        assigned(train, "count")
        assert model.sets["train"]["count"].tolist() == [3, 2, 1]
        assigned(model.batch, "count")

    holder = Holder()
    sets = holder.sets
    call_lent(hook, holder)
    call_lent(hook, model=holder)
    assert holder.sets is sets
    assert_frame_equal(holder.sets["train"], rows())
    assert_frame_equal(holder.batch, rows())


def test_sets_are_replaced_by_assignment_to_the_model_alone():
    def replace(model):
        model.sets = {"train": rows().head(1)}

    def add(model):
        model.sets["other"] = rows()

    holder = Holder()
    with pytest.raises(TypeError, match="assignment"):
        call_lent(add, holder)
    assert list(holder.sets) == ["train"]
    call_lent(replace, holder)
    assert len(holder.sets["train"]) == 1


def test_the_frames_of_a_model_are_given_back_after_an_error():
    def hook(model):
        raise ValueError

    holder = Holder()
    sets = holder.sets
    with pytest.raises(ValueError):
        call_lent(hook, holder)
    assert holder.sets is sets


@pytest.mark.parametrize("name", ["number", "count", "category", "Float64", "time", "object"])
def test_a_returned_frame_can_be_changed_by_who_receives_it(name):
    received = call_lent(lambda X: X, rows())
    received[name].array[0] = rows()[name].iloc[1]
    received.loc["r", name] = rows()[name].iloc[1]
    assert received[name].nunique() == 1


def test_a_returned_frame_is_not_the_one_that_the_code_keeps():
    class Hook:
        def __init__(self):
            self.kept = pd.DataFrame({"estimation": [1.0]})

        def __call__(self, X, estimation):
            self.kept.loc[0, "estimation"] = estimation
            return self.kept

    hook = Hook()
    first = call_lent(hook, rows(), 2.0)
    second = call_lent(hook, rows(), 3.0)
    assert first["estimation"].tolist() == [2.0]
    assert second["estimation"].tolist() == [3.0]


def test_tuples_and_dicts_of_frames_are_returned_as_such():
    one, other = call_lent(lambda X: (X, None), rows())
    assert_frame_equal(one, rows())
    assert other is None
    (by_name,) = call_lent(lambda X: {"train": X}, rows()).values()
    assert_frame_equal(by_name, rows())


def test_lending_takes_no_memory_of_the_size_of_the_frame():
    million = pd.DataFrame(np.zeros((1_000_000, 5)), columns=list("abcde"))
    million = million.assign(text="a", kind=pd.Categorical(["x"] * len(million)))
    tracemalloc.start()
    try:
        call_lent(len, million)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (100_000 if COPY_ON_WRITE else 100_000_000)
