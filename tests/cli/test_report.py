"""`xingu report` as people call it."""

import json
import os
import re
import subprocess
import sys

import pytest
from sqlalchemy import insert

from tests.support.control import control_db
from tests.support.recorded import Trains, day
from xingu_dagster.cli.main import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project whose control DB remembers three trains."""
    trains = Trains(control_db("sqlite:///.xingu/control.db", tmp_path))
    for at in range(3):
        trains.add(f"calm-{at}", {"RMSE": 3.0 - at, "profit": float(at)}, branch=f"b{at % 2}")
    trains.db.engine.dispose()
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def call(home, capsys, monkeypatch):
    """Call the command in this process; gives the exit code, the output and the errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xingu", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return call


def test_trains_are_printed_side_by_side(call):
    code, output, errors = call()
    assert (code, errors) == (0, "")
    assert all(f"calm-{at}" in output for at in range(3))
    assert re.search(r"1\.0000 +-1\.00▲ +2\.0000", output)


@pytest.mark.parametrize(
    ("arguments", "shown", "hidden"),
    [
        (["--train", "calm-1"], "calm-1", "calm-2"),
        (["--session", "of-calm-1"], "calm-1", "calm-2"),
        (["--branch", "b1"], "calm-1", "calm-2"),
        (["--since", "2026-01-03"], "calm-2", "calm-1"),
        (["--until", "2026-01-02"], "calm-0", "calm-1"),
        (["--metric", "profit"], "profit", "RMSE"),
        (["--limit", "2"], "1 older train not shown", "calm-0"),
        (["--reference", "calm-0"], "worse than calm-0", "worse than calm-1"),
    ],
)
def test_options_restrict_what_is_printed(call, arguments, shown, hidden):
    code, output, _ = call(*arguments)
    assert code == 0
    assert shown in output
    assert hidden not in output


def test_the_former_name_of_limit_works_and_is_not_in_the_help(call):
    assert call("--most", "2") == call("--limit", "2")
    _, usage, _ = call("--help")
    assert "--limit" in usage
    assert "--most" not in usage


def test_a_direction_is_declared(call):
    assert "2.0000    +1.00 " in call()[1]
    assert "2.0000    +1.00▲" in call("--more-is-better", "profit")[1]
    assert "2.0000    +1.00▼" in call("--less-is-better", "profit")[1]


def test_a_recorded_direction_counts_unless_another_is_said(call, home):
    trains = Trains(control_db("sqlite:///.xingu/control.db", home), 3)
    trains.add("calm-3", {"profit": 4.0}, directions={"profit": "more"})
    trains.db.engine.dispose()
    assert "4.0000    +2.00▲" in call()[1]
    assert "4.0000    +2.00▼" in call("--less-is-better", "profit")[1]


def test_json_is_for_programs(call):
    code, output, errors = call("--json", "--more-is-better", "profit", "--metric", "profit")
    assert (code, errors) == (0, "")
    [record] = json.loads(output)
    assert (record["dataprovider_id"], record["reference"]) == ("houses", "calm-1")
    newest = record["trains"][0]
    assert len(record["trains"]) == 3
    assert (newest["train_id"], newest["time"]) == ("calm-2", day(2).isoformat())
    assert newest["metrics"] == {
        "test": {"profit": {"value": 2.0, "difference": 1.0, "verdict": "better"}}
    }


def test_beside_files_json_alone_is_on_stdout(call, tmp_path):
    code, output, errors = call("--json", "--html", tmp_path / "report.html", "--limit", "2")
    assert (code, errors) == (0, f"Wrote {tmp_path / 'report.html'}: 3 trains.\n")
    assert len(json.loads(output)[0]["trains"]) == 2


def test_files_are_written_instead(call, tmp_path):
    page, book = tmp_path / "report.html", tmp_path / "report.xlsx"
    code, output, _ = call("--html", page, "--excel", book)
    assert (code, output) == (0, f"Wrote {page}: 3 trains.\nWrote {book}: 3 trains.\n")
    assert "calm-1" in page.read_text()
    assert book.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "calm"], "no train or session is called 'calm'"),
        (["--dp", "hauses"], "Did you mean 'houses'?"),
        (["--reference", "calm-9"], "The reference 'calm-9' is not among the 3 compared trains"),
        (["--metric", "RSME"], "Did you mean 'RMSE'?"),
        (["--html", "/dev/null/report.html"], "/dev/null"),
    ],
)
def test_what_cannot_be_is_one_line_and_code_1(call, arguments, said):
    code, output, errors = call(*arguments)
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("xingu: ")
    assert said in errors


def test_without_a_control_db_it_says_how_one_comes_into_being_and_makes_none(
    call, tmp_path, monkeypatch
):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PROJECT_HOME", str(empty))
    code, _, errors = call()
    assert (code, errors.count("\n")) == (1, 1)
    assert f"no control DB at sqlite:///{empty}/.xingu/control.db: train a model" in errors
    assert "XINGU_DB_URL" in errors
    assert list(empty.iterdir()) == []


def test_where_nothing_was_trained_it_is_one_line_and_code_1(call, tmp_path, monkeypatch):
    control = control_db("sqlite:///control.db", tmp_path)
    with control.write("test"):
        pass  # the tables are there now
    monkeypatch.setenv("XINGU_DB_URL", f"sqlite:///{tmp_path / 'control.db'}")
    code, _, errors = call()
    assert (code, errors.count("\n")) == (1, 1)
    assert "train a model first" in errors


def test_a_single_train_is_shown_with_its_commit(call, home):
    control = control_db("sqlite:///.xingu/control.db", home)
    with control.write("test") as connection:
        row = {"dataprovider_id": "houses", "train_session_id": "of-calm-2", "train_id": "calm-2"}
        commit = {"attribute": "git_commit", "value": "0123456789abcdef"}
        connection.execute(insert(control.tables.training_attributes).values({**row, **commit}))
    code, output, _ = call("--train", "calm-2")
    assert code == 0
    assert "01234567" in output
    assert "0123456789" not in output


def test_the_real_command_needs_no_dagster(home):
    start = "from xingu_dagster.cli.main import main; main()"
    code = f"import sys; sys.modules['dagster'] = None; {start}"
    ended = subprocess.run(
        [sys.executable, "-c", code, "report"], env=os.environ, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "calm-2" in ended.stdout
