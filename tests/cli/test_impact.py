"""`xingu impact` as people and programs call it."""

import json

import pytest

from tests.support.toys import write_database

PROVIDERS = """
from tests.support import toys


class Houses(toys.Houses):
    id = "houses"
    train_dataset_sources = {
        "houses": {"source": "db", "query": "select id, size, town, price from main.houses"}
    }
    batch_predict_dataset_sources = {"houses": {"asset": "analytics/open"}}


class Taxes(toys.Taxes):
    id = "taxes"
    train_dataset_sources = {"houses": {"source": "db", "query": "select * from other"}}
    batch_predict_dataset_sources = {}


class Broken(toys.Houses):
    id = "broken"
    train_dataset_sources = {"houses": {"source": "db", "query": "select (("}}
    batch_predict_dataset_sources = {}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = f"code_{tmp_path.name}"  # modules of several projects of one process need own names
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "models.py").write_text(PROVIDERS)
    monkeypatch.setenv("DATAPROVIDER_FOLDER", folder)
    url = write_database(tmp_path / "houses.db")
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASES", f"db|{url}")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def test_a_table_lists_the_models_that_read_it_and_those_that_depend_on_them(home, call):
    code, output, errors = call("impact", "db.houses")
    assert code == 0
    assert "2 models depend on db.houses" in output
    houses, taxes = (line for line in output.splitlines() if line.startswith(("houses", "taxes")))
    assert "train houses: id, size, town, price" in houses
    assert "price" in houses
    assert taxes.split() == ["taxes", "houses"]
    assert "not considered: broken.train_dataset_sources['houses']" in errors


def test_a_column_lists_what_has_its_name(home, call):
    _, output, _ = call("impact", "db.main.houses.town", "--json")
    document = json.loads(output)
    assert (document["version"], document["table"], document["column"]) == (
        1,
        "main.houses",
        "town",
    )
    houses, taxes = document["models"]
    assert houses["features"] == ["town"]
    assert houses["target"] is None
    assert taxes["through"] == ["houses"]


def test_an_asset_is_named_by_its_key(home, call):
    assert "train houses" not in call("impact", "analytics/open")[1]
    assert "batch houses: all columns" in call("impact", "analytics/open")[1]


def test_a_table_that_nobody_reads_is_said_to_be_one_with_what_is_read(home, call):
    code, output, _ = call("impact", "db.main.hauses")
    assert code == 0
    assert "No model depends on db.main.hauses. Tables that are read: main.houses, other." in output
    assert "Did you mean 'main.houses'?" in output


def test_an_unknown_database_is_an_error_that_names_those_there_are(home, call):
    code, _, errors = call("impact", "dbb.houses")
    assert code == 1
    assert "nicknames in sources: db. Did you mean 'db'?" in errors
