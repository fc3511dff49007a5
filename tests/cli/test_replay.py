"""`xingu replay` as people and programs call it."""

import json
import sqlite3

import pandas as pd
import pytest

from tests.support.toys import houses

PROVIDERS = """
from tests.support import toys


class Houses(toys.Houses):
    id = "houses"
    train_dataset_sources = {"houses": {"source": "db", "query": "select * from houses"}}
    retrain = {"when": {"new_data": {"min_new_rows": 60}}}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / tmp_path.name  # one of its own: tests of one process share its modules
    folder.mkdir()
    (folder / "models.py").write_text(PROVIDERS)
    rows = houses()
    days = pd.date_range("2026-01-01", periods=len(rows), freq="6h").astype(str)
    with sqlite3.connect(tmp_path / "houses.db") as db:
        rows.assign(sold=days).to_sql("houses", db, index=False)
    monkeypatch.setenv("DATAPROVIDER_FOLDER", folder.name)
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASES", f"db|sqlite:///{tmp_path / 'houses.db'}")
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_it_compares_policies_and_writes_nothing(home, call):
    before = {path for path in home.rglob("*") if "__pycache__" not in path.parts}
    code, output, _ = call("replay", "houses", "--by", "sold", "--every", "10d")
    assert code == 0
    assert "vs never" in output
    assert "RMSE (lower is better)" in output
    assert "80 new rows in houses" in output
    assert {path for path in home.rglob("*") if "__pycache__" not in path.parts} == before
    policies = ["--policy", "never", "--policy", '{"when": "on_new_data"}']
    code, output, _ = call("replay", "houses", "--by", "sold", *policies, "--json")
    document = json.loads(output)
    assert (code, document["schema"], document["metric"]) == (0, "xingu.replay/1", "RMSE")
    assert [one["trains"] for one in document["policies"]] == [1, len(document["cuts"]) - 1]
    assert len(document["policies"][0]["windows"]) == len(document["cuts"]) - 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--policy", "on_new_dta"], "Did you mean 'on_new_data'?"),
        (["--policy", "{when"], "it is no JSON"),
        (["--every", "weekly"], "'weekly' is no duration"),
    ],
)
def test_a_policy_or_a_duration_that_cannot_be_used_is_a_wrong_usage(home, call, arguments, told):
    code, _, errors = call("replay", "houses", "--by", "sold", *arguments)
    assert (code, told in errors) == (2, True)
