"""`xingu new` says what it found in a table, and writes a model that trains."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.toys import houses, write_database

ROOT = Path(__file__).parents[2]
RUFF = f'extend = "{ROOT / "pyproject.toml"}"\nsrc = []\n'
"""The rules of this repository, in a project of its own."""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A project with the file `houses.csv` and the database `db`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("DATABASES", f"db|{write_database(tmp_path / 'db.sqlite')}")
    monkeypatch.delenv("PROJECT_HOME", raising=False)
    houses().to_csv(tmp_path / "houses.csv", index=False)
    return tmp_path


def written(home: Path, name: str) -> str:
    return (home / "dataproviders" / f"{name}.py").read_text()


@pytest.mark.parametrize(
    ("origin", "declared"),
    [
        ("houses.csv", '"url": "houses.csv"'),
        ("hous*.csv", '"hous": {"url": "hous*.csv"}'),
        ("db.houses", 'SELECT id, size, town, price\n                FROM houses'),
        ("db.main.houses", "FROM main.houses"),
        ("SELECT * FROM houses WHERE id > 5 -- all", "SELECT * FROM houses WHERE id > 5 -- all"),
        ("select *\n\tfrom houses", "select *\n                \tfrom houses"),
        ("with a as (select * from houses) select * from a;", "select * from a;"),
    ],
)  # fmt: skip
def test_a_file_a_table_and_a_query_become_the_source(output_of, home, origin, declared):
    output = output_of("new", "prices", "--from", origin, "--target", "price")
    assert declared in written(home, "prices")
    assert "a number from" in output
    assert "id identifies the rows" in output
    *lines, command = output.splitlines()
    assert max(map(len, lines)) <= 80
    assert command == "  xingu train --dps prices"


def test_the_file_passes_ruff(output_of, home):
    rng = np.random.default_rng(0)
    frame = (
        houses()
        .assign(
            built=pd.date_range("2015-01-01", periods=400, freq="5D").strftime("%d.%m.%Y"),
            rent=[f"{number:,}" for number in rng.integers(500, 9000, 400)],
            floor=np.where(rng.random(400) < 0.1, np.inf, 3),
            **{f"a rather long name of a column {number}": rng.random(400) for number in range(5)},
        )
        .rename(columns={"price": "price_" * 9})
    )
    frame.loc[:30, "price_" * 9] = None
    frame.to_csv(home / "odd.csv", index=False)
    assert "price_price_" in output_of("new", "odd", "--from", "odd.csv", "--target", "price_" * 9)
    (home / "ruff.toml").write_text(RUFF)
    for command in (["check"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", "ruff.toml", "dataproviders"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_an_existing_file_is_not_replaced(call, home):
    (home / "dataproviders").mkdir()
    (home / "dataproviders" / "prices.py").write_text("mine")
    code, _, errors = call("new", "prices", "--from", "houses.csv", "--target", "price")
    assert (code, written(home, "prices")) == (1, "mine")
    assert "prices.py has a model 'prices'; give another name" in errors


def test_an_id_that_another_file_declares_is_refused(call, home):
    (home / "dataproviders").mkdir()
    (home / "dataproviders" / "other.py").write_text("class A:\n    id = 'prices'\n")
    code, _, errors = call("new", "prices", "--from", "houses.csv", "--target", "price")
    assert code == 1
    assert "other.py has a model 'prices'" in errors
    assert not (home / "dataproviders" / "prices.py").exists()


def test_in_a_terminal_the_target_is_asked_for(call, home, monkeypatch):
    terminal, end = pty.openpty()
    os.write(terminal, b"nothing\nprice\n")
    with open(os.dup(end)) as answers, open(end, "w") as questions:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", answers)
        monkeypatch.setattr(sys, "stderr", questions)
        code, _, _ = call("new", "prices", "--from", "houses.csv")
    assert code == 0
    assert 'y = "price"' in written(home, "prices")
    os.close(terminal)


def test_a_file_is_found_from_the_current_folder_and_named_from_the_projects_home(
    output_of, home, monkeypatch
):
    monkeypatch.setenv("PROJECT_HOME", str(home))
    (home / "below").mkdir()
    monkeypatch.chdir(home / "below")
    output_of("new", "near", "--from", "../houses.csv", "--target", "price")
    output_of("new", "far", "--from", str(home / "houses.csv"), "--target", "price")
    assert '"url": "houses.csv"' in written(home, "near")
    assert '"url": "houses.csv"' in written(home, "far")


def test_without_a_terminal_the_candidates_are_named(call):
    code, _, errors = call("new", "prices", "--from", "houses.csv")
    assert code == 2
    assert "Give --target; candidates: price, town, size." in errors


def test_a_column_that_is_called_target_is_taken(output_of, home):
    houses().rename(columns={"price": "target"}).to_csv(home / "houses.csv", index=False)
    output_of("new", "prices", "--from", "houses.csv")
    assert 'y = "target"' in written(home, "prices")


@pytest.mark.parametrize(("name", "module"), [("my-prices", "my_prices"), ("a b", "a_b")])
def test_a_name_becomes_that_of_a_module(output_of, home, name, module):
    output_of("new", name, "--from", "houses.csv", "--target", "price")
    assert f'id = "{module}"' in written(home, module)


@pytest.mark.parametrize("name", ["class", "2nd", "_hidden", "größe", "a/b", "..", ""])
def test_what_cannot_be_a_module_is_refused_with_a_proposal(call, home, name):
    code, _, errors = call("new", name, "--from", "houses.csv", "--target", "price")
    assert code == 2
    assert "for example 'model" in errors
    assert not (home / "dataproviders").exists()


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("nothing.csv", "does not exist"),
        ("houses", "databases: db; write NICK.table"),
        ("dbs.houses", "Did you mean 'db'?"),
        ("db.homes", "refused the query"),
        ("select nonsense from houses", "refused the query"),
        ("https://me:secret-word@host/a.csv", "contains a password or a key"),
    ],
)
def test_data_that_cannot_be_read_is_refused_without_a_file(call, home, origin, said):
    code, _, errors = call("new", "prices", "--from", origin, "--target", "price")
    assert code == 1
    assert said in errors
    assert "secret-word" not in errors
    assert not (home / "dataproviders").exists()


def test_a_query_with_several_databases_needs_to_be_told_which(call, monkeypatch, home):
    url = f"sqlite:///{home / 'db.sqlite'}"
    monkeypatch.setenv("DATABASES", f"one|{url}|two|{url}")
    query = "select * from houses"
    code, _, errors = call("new", "prices", "--from", query, "--target", "price")
    assert code == 1
    assert "name it with --source (one, two)" in errors
    code, _, errors = call("new", "prices", "--from", query, "--source", "tow")
    assert (code, "Did you mean 'two'?" in errors) == (1, True)
    code, _, _ = call("new", "prices", "--from", query, "--target", "price", "--source", "two")
    assert code == 0
    assert '"source": "two"' in written(home, "prices")
