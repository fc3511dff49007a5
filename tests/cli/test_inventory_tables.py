"""The tables of `xingu inventory`: scores, and the width of the terminal."""

import os
import subprocess
import sys

import pytest

from tests.support.trains import train_past
from xingu.texts import number


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    return train_past(tmp_path_factory.mktemp("tables") / "home")


@pytest.fixture(scope="module")
def printed(past):
    """Return the output of a process, by the width of its terminal; "" is a pipe."""

    def call(width: str) -> str:
        home = {"PROJECT_HOME": str(past.project.home), "COLUMNS": width, "NO_COLOR": "1"}
        command = [sys.executable, "-m", "xingu_dagster.cli", "inventory"]
        ended = subprocess.run(
            command, env={**os.environ, **home}, capture_output=True, text=True, timeout=60
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    return {width: call(width) for width in ("", "80", "120", "200")}


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_the_main_score_of_each_train_is_shown(past, printed, width):
    current, history = printed[width].split("History")
    for dp_id, train_ids in (("houses", past.houses), ("taxes", past.taxes)):
        for train_id in train_ids:
            name, value = next(
                iter(past.project.models.manifest(dp_id, train_id).scores["test"].items())
            )
            score = f"{name} {number(value, 4)}"
            assert [line for line in history.splitlines() if train_id in line and score in line]
            assert score in current or train_id != train_ids[-1]
    assert max(map(len, printed[width].splitlines())) <= int(width)


def test_a_wide_terminal_shows_more_columns(printed):
    assert "session " in printed["80"].split("History")[0]
    header = printed["200"].splitlines()[1].split()
    assert header == [
        "DataProvider",
        "train",
        "test",
        "score",
        "trained",
        "(UTC)",
        "commit",
        "session",
    ]


def test_piped_output_is_text_without_control_characters(past, printed):
    assert "\x1b" not in printed[""]
    assert all(train_id in printed[""] for train_id in (*past.houses, *past.taxes))
