"""Whatever a table holds, the proposed file can be imported, and what it declares trains."""

import datetime as dt
import string
import sys
from types import ModuleType

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.support.stages import Stages, variant
from xingu import DataProvider
from xingu.errors import DataError
from xingu.proposal import Origin, Sample, code_of, decisions_of, propose, values_of

ODD_NAMES = ["a b", "class", "it's", 'say "so"', "größe", "日本", "x\ny", "back\\slash", "", "id",
             "{x}", "%s", "_", "y_hat", "data", "self", '"""', "# no"]  # fmt: skip
NAMES = st.one_of(st.sampled_from(ODD_NAMES), st.text(string.ascii_letters + " _", min_size=1,
                                                      max_size=8))  # fmt: skip
FAST = {"n_estimators": 3, "num_threads": 1}
ORIGIN = Origin("rows", {"url": "rows.csv"}, "rows.csv")


def numbers(rng, rows):
    return rng.normal(size=rows)


def integers(rng, rows):
    return rng.integers(0, 1000, rows)


def few_integers(rng, rows):
    return rng.integers(0, 3, rows)


def infinite(rng, rows):
    return np.where(rng.random(rows) < 0.1, np.inf, rng.normal(size=rows))


def key(rng, rows):
    return np.arange(rows)


def wide(rng, rows):
    return rng.integers(0, 5, rows) + 2**60


def constant(rng, rows):
    return np.full(rows, "same")


def words(rng, rows):
    return rng.choice(["ab", "c'd", 'e"f', "ü"], rows)


def dominant(rng, rows):
    return np.where(rng.random(rows) < 0.02, "rare", "usual")


def unique_texts(rng, rows):
    return [f"text {number}" for number in range(rows)]


def yes_no(rng, rows):
    return rng.random(rows) < 0.4


def days(rng, rows):
    return pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, rows), "D")


def moments(rng, rows):
    return pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows), "h")


def plain_dates(rng, rows):
    return pd.Series(
        [dt.date(2024, 1, 1 + int(day)) for day in rng.integers(0, 28, rows)], dtype=object
    )


def german_dates(rng, rows):
    return pd.Series(days(rng, rows)).dt.strftime("%d.%m.%Y")


def iso_dates(rng, rows):
    return pd.Series(moments(rng, rows)).dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def numeric_texts(rng, rows):
    return [f"{number:,}" for number in rng.integers(0, 10_000, rows)]


def codes(rng, rows):
    return [f"{number:05}" for number in rng.integers(0, 30, rows)]


def lists(rng, rows):
    return pd.Series([[1, 2]] * rows, dtype=object)


def mixed(rng, rows):
    return pd.Series([1, "a"] * (rows // 2) + [None] * (rows % 2), dtype=object)


def categories(rng, rows):
    return pd.Categorical(rng.choice(["s", "m", "l"], rows))


def spans(rng, rows):
    return pd.to_timedelta(rng.integers(0, 100, rows), "s")


def empty(rng, rows):
    return pd.Series([None] * rows, dtype=object)


KINDS = [numbers, integers, few_integers, infinite, key, wide, constant, words, dominant,
         unique_texts, yes_no, days, moments, plain_dates, german_dates, iso_dates, numeric_texts,
         codes, lists, mixed, categories, spans, empty]  # fmt: skip
TARGETS = [numbers, integers, few_integers, infinite, words, dominant, yes_no, numeric_texts]


@st.composite
def tables(draw):
    rows = draw(st.integers(20, 90))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    target = draw(st.sampled_from(TARGETS))
    names = draw(st.lists(NAMES, min_size=len(kinds) + 1, max_size=len(kinds) + 1, unique=True))
    columns = {}
    for name, kind in zip(names, [target, *kinds], strict=True):
        values = pd.Series(kind(rng, rows))
        if draw(st.booleans()):
            values = values.mask(pd.Series(rng.random(rows) < draw(st.sampled_from([0.05, 0.6]))))
        columns[name] = values
    frame = pd.DataFrame(columns)
    if draw(st.booleans()):
        frame[7] = rng.normal(size=rows)  # a name that is no text
    if draw(st.integers(0, 4)) == 0:
        frame = pd.concat([frame, frame.iloc[:, [-1]]], axis=1)
    if draw(st.booleans()):
        frame.index = rng.integers(0, 5, rows)
    if draw(st.booleans()):
        frame = frame.iloc[:, ::-1]
    return frame, names[0], draw(st.booleans())


def imported(code: str) -> type[DataProvider]:
    """Return the DataProvider of a file, as an import makes it."""
    module = ModuleType("proposed_module")
    sys.modules[module.__name__] = module
    exec(compile(code, "proposed.py", "exec"), vars(module))
    [found] = [one for one in vars(module).values()
               if isinstance(one, type) and issubclass(one, DataProvider) and one.id]  # fmt: skip
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(tables())
def test_a_proposal_for_any_table_trains_or_says_why_there_is_none(table):
    frame, target, complete = table
    found = Sample(frame, len(frame) if complete else None, "all rows")
    try:
        proposal = propose(found, target)
    except DataError:
        return
    code = code_of(proposal, found, ORIGIN, "proposed")
    note(code)
    assert all(decisions_of(proposal, found))
    assert all(isinstance(values_of(one), str) for one in proposal.columns)
    declared = variant(imported(code), estimator_params=FAST)
    model = Stages(declared, {"rows": frame}).evaluated()
    assert len(model.sets_estimations["train"]) == len(model.sets["train"])
    if proposal.time:
        older, newer = model.sets["train"][proposal.time], model.sets["test"][proposal.time]
        assert older.max() < newer.min()
    rows = model.dp.clean_data_for_batch_predict({"rows": frame})
    estimated = model.predict(rows[list(declared.x_features)])
    assert estimated.index.equals(rows.index)
