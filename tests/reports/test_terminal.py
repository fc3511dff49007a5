"""A report in the terminal."""

import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from xingu.reports.terminal import SPARKLINE, as_text, print_report, sparks


def printed(report, width=80, **options):
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    print_report(report, console, **options)
    return console.file.getvalue()


@pytest.fixture
def few(trains):
    for at in range(4):
        trains.add(f"train-{at}", {"RMSE": float(at), "note": "fine"}, branch=f"b{at % 2}")
    return trains


def test_a_text_is_what_is_printed_without_colours(few, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    report = few.report()
    assert as_text(report) == str(report) == printed(report, 100)
    assert "\x1b" not in as_text(report)


@pytest.mark.parametrize(("limit", "omitted"), [(1, 2), (2, 2), (3, 1), (4, 0), (9, 0)])
def test_the_limit_counts_trains_with_the_reference_and_the_omitted_ones_are_counted(
    few, limit, omitted
):
    text = printed(few.report(), 200, limit=limit)
    note = f"{omitted} older train{'s' if omitted != 1 else ''} not shown: --limit N"
    assert (note in text) == bool(omitted)


def test_in_a_narrow_terminal_tables_stand_one_below_the_other(few):
    text = printed(few.report(), 50, limit=4)
    assert len(re.findall(r"^houses *$", text, re.MULTILINE)) > 1
    assert all(f"train-{at}" in text for at in range(4))


@pytest.mark.parametrize("width", [80, 120])
def test_names_are_not_broken_within_words(trains, width):
    names = ("sage-velociraptor-from-nibiru", "scallop-of-algebraic-rain", "electronic-salamander")
    for at, name in enumerate(names):
        metrics = {"RMSE": float(at), "late among the riskiest tenth of all flights": 0.5}
        trains.add(name, metrics, parameters={"minimum_child_samples_of_leaf": at})
    text = printed(trains.report(), width, limit=3)
    assert max(map(len, text.splitlines())) <= width
    words = {part for name in names for part in name.split("-")}
    words |= {"minimum", "child", "samples", "leaf"}
    words |= {"late", "among", "riskiest", "tenth", "flights"}
    assert words <= {*re.split(r"[\s_-]+", text)}


def test_a_wide_terminal_wraps_less(trains):
    for at in range(2):
        trains.add(f"outrageous-independent-parakeet-{at}", {"RMSE": float(at)})
    assert "outrageous-independent-parakeet-1 " in printed(trains.report(), 120)
    assert "outrageous-independent-parakeet-1 " not in printed(trains.report(), 60)


def test_a_narrow_terminal_drops_the_extremes_of_the_evolution(trains):
    for at in range(3):
        trains.add(f"t{at}", {"late among the riskiest tenth of all flights": float(at)})
    assert "least" in printed(trains.report(), 120)
    narrow = printed(trains.report(), 80)
    assert "newest" in narrow
    assert "least" not in narrow


def test_each_dataprovider_has_a_table(trains):
    trains.add("a", {"RMSE": 1.0})
    trains.add("b", {"RMSE": 1.0}, dp="taxes")
    text = printed(trains.report())
    assert text.index("taxes") < text.index("houses"), "that of the newest train first"


def test_texts_are_shown_whole_and_have_no_difference(few):
    row = next(line for line in printed(few.report()).splitlines() if " note " in line)
    assert row.split() == ["note", "fine", "fine", "fine"]


def test_the_evolution_begins_with_the_third_train(trains):
    for at in range(2):
        trains.add(f"t{at}", {"RMSE": 1.0})
    assert "evolution" not in printed(trains.report())
    trains.add("t2", {"RMSE": 1.0})
    assert "houses: evolution, oldest to newest" in printed(trains.report())


def test_only_20_metrics_evolve_unless_some_are_selected(trains):
    names = [f"metric {at:02}" for at in range(23)]
    for at in range(3):
        trains.add(f"t{at}", dict.fromkeys(names, 1.0))
    report = trains.report()
    assert "3 more metrics: --metric NAME, --set NAME." in printed(report)
    assert "more metrics" not in printed(report, branches=True)


def test_the_evolution_ignores_what_is_not_finite(trains):
    for at, value in enumerate((1.0, math.inf, 3.0)):
        trains.add(f"t{at}", {"RMSE": value})
    row = next(line for line in printed(trains.report()).splitlines() if "test  RMSE" in line)
    assert row.split()[2:7] == ["3", "1.000", "3.000", "1.000", "3.000"]


@given(st.lists(st.floats(-1e9, 1e9), max_size=60))
def test_a_sparkline_is_short_and_has_the_lowest_and_the_highest_block(values):
    line = sparks(pd.Series(values, dtype=float))
    assert len(line) == (min(len(values), SPARKLINE) if len(values) > 1 else 0)
    assert set(line) <= set("▁▂▃▄▅▆▇█")
    if 1 < len(values) <= SPARKLINE and np.ptp(values):
        assert {line[int(np.argmin(values))], line[int(np.argmax(values))]} == {"▁", "█"}


def test_a_constant_metric_is_a_flat_line():
    assert len(set(sparks(pd.Series([2.0] * 5)))) == 1
