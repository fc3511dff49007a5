"""`xingu check` as people call it: everything that is wrong, and nothing that is not."""

import json
import re
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing

import pytest

from tests.support.projects import CodeFolder
from tests.support.web import serve

GOOD = """
from tests.support.toys import Declared as Base

print("modules may print")

class Good(Base):
    id = "good"
    train_dataset_sources = {
        "rows": {"source": "shop", "query": "SELECT a, b FROM sales"},
        "file": {"url": "rows.csv"},
        "web": {"url": "SITE/rows.csv"},
    }

class Needs(Base):
    id = "needs"
    pre_req = {"good"}
    train_dataset_sources = {"rows": {"source": "shop", "query": "SELECT a, b FROM sales"}}
"""
BAD = """

from CODE.good import Base

class Bad(Base):
    id = "bad"
    train_dataset_sources = {
        "query": {"source": "shop", "query": "SELECT none FROM sales", "watermark": "SELECT no"},
        "nick": {"source": "shopp", "query": "SELECT 1"},
        "key": {"source": "shop", "querry": "SELECT 1"},
        "file": {"url": "none.csv"},
        "gone": {"url": "SITE/none.csv"},
        "dead": {"source": "dead", "query": "SELECT 1"},
    }
    pre_req = {"missing", "other"}
    quality_gates = {"test": {"R2": (">>", 1), "RMSE": ("<=", "low")}}
    checks = {"leakagge": "off"}
    estimator_hyperparams_search_space = {"depth": ("int", dict(low=9, high=1))}
    metric_directions = {"profit": "up"}

class Other(Base):
    id = "other"
    estimator_class = "nowhere.Estimator"
    pre_req = {"bad"}

class Again(Base):
    id = "other"
"""
BROKEN = """
import xingu
1 / 0
"""
ENDING = """
import os, sys
from CODE.good import Base

class Ends(Base):
    id = "ends"
    def get_dataset_sources_for_train(self, model=None):
        os._exit(0)

class Leaves(Base):
    id = "leaves"
    train_dataset_sources = {"file": {"url": "rows.csv"}}
    def get_estimator_class(self):
        sys.exit(3)

class Needy(Base):
    id = "needy"
    def __init__(self, needed):
        self.needed = needed

class Bare(Base):
    id = "bare"
    train_dataset_sources = {"file": {"url": "rows.csv"}}
    estimator_class = None
"""
EXPECTED = [
    ("bad", 5, "metric_directions['profit']"),
    ("bad", 8, "refuses the query: no such column: none"),
    ("bad", 8, "refuses the watermark: no such column: no"),
    ("bad", 9, "Did you mean 'shop'?"),
    ("bad", 10, "Did you mean 'query'?"),
    ("bad", 11, "none.csv does not exist"),
    ("bad", 12, "/none.csv does not exist"),
    ("bad", 15, "pre_req names 'missing'"),
    ("bad", 15, "has a cycle"),
    ("bad", 16, "there is no operator '>>'"),
    ("bad", 16, "['RMSE'] compares with 'low'"),
    ("bad", 17, "Did you mean 'leakage'?"),
    ("bad", 18, "the range 9 to 1 is empty"),
    ("other", 23, "cannot import 'nowhere.Estimator'"),
    ("other", 27, "both become the asset key 'other'"),
]


@pytest.fixture
def site():
    with serve() as site:
        site.pages["/rows.csv"] = b"a,b\n1,2\n"
        yield site


@pytest.fixture
def project(tmp_path, monkeypatch, site):
    """A folder with a database; gives a function that writes DataProviders."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
        db.execute("CREATE TABLE sales (a INTEGER, b INTEGER)")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    folder = f"code_{tmp_path.name}"
    code = CodeFolder(tmp_path)
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.setenv("DATAPROVIDER_FOLDER", folder)
    monkeypatch.setenv("DATABASES", "shop|sqlite:///shop.db")
    monkeypatch.setenv("COLUMNS", "80")

    def write(files: Mapping[str, str]):
        texts = {
            f"{folder}/{name}.py": text.replace("SITE", site.url).replace("CODE", folder)
            for name, text in files.items()
        }
        code.write(texts)
        return tmp_path

    yield write
    code.leave()


@pytest.fixture
def document(call):
    """Call `xingu check --json`; gives the exit code and the document."""

    def document(*arguments: str) -> tuple[int, dict]:
        code, output, _ = call("check", "--json", *arguments)
        return code, json.loads(output)

    return document


def test_when_all_is_well_one_line_says_what_was_checked(project, call, site):
    home = project({"good": GOOD})
    before = sorted(home.rglob("*"))
    code, output, _ = call("check")
    assert code == 0
    counts = "2 DataProviders, 2 databases, 2 queries, 2 files"
    assert " ".join(output.split()).startswith(f"All is well: checked {counts}, 3 folders in ")
    assert sorted(one for one in home.rglob("*") if "__pycache__" not in one.parts) == before
    assert not site.gets  # a HEAD is enough


def test_everything_that_is_wrong_is_listed_with_its_line(project, document, monkeypatch):
    home = project({"good": GOOD, "bad": BAD, "broken": BROKEN})
    monkeypatch.setenv(
        "DATABASES", "shop|sqlite:///shop.db|dead|postgresql://a:hid-den@127.0.0.1:9/x"
    )
    code, found = document()
    assert (code, found["schema"], found["ok"]) == (1, "xingu.check/1", False)
    findings = found["findings"]
    missing = [
        (subject, line, text)
        for subject, line, text in EXPECTED
        if not any(
            (one["subject"], one["line"]) == (subject, line) and text in one["text"]
            for one in findings
        )
    ]
    assert missing == []
    assert "hid-den" not in json.dumps(findings)
    [broken] = [one for one in findings if one["subject"].endswith(".broken")]
    assert (broken["line"], broken["severity"]) == (3, "error")
    assert broken["file"] == str(home / f"code_{home.name}" / "broken.py")
    assert "ZeroDivisionError" in broken["text"]
    [dead] = [one for one in findings if one["subject"] == "database 'dead'"]
    assert "used by bad" in dead["text"]


def test_a_hook_that_ends_the_process_and_a_class_that_cannot_be_made_hide_nothing(
    project, document
):
    project({"good": GOOD, "ending": ENDING})
    code, found = document()
    texts = {(one["subject"], one["line"]): one["text"] for one in found["findings"]}
    assert code == 1
    assert "line 8, ends the process (code 0)" in texts["ends", 7]
    assert "line 14, ends the process (code 3)" in texts["leaves", 13]
    assert "missing 1 required positional argument: 'needed'" in texts["needy", 18]
    assert "none is declared" in texts["bare", 21]


@pytest.mark.parametrize(
    ("url", "told"), [("rows.csv", None), ("none.csv", "does not exist"), ("", "is missing")]
)
def test_a_model_of_settings_is_checked(project, document, monkeypatch, url, told):
    project({"good": GOOD})
    monkeypatch.setenv("SIMPLEDP_ID", "simple")
    monkeypatch.setenv("TRAIN_DATASOURCE", url)
    monkeypatch.setenv("TARGET_FEATURE", "b")
    monkeypatch.setenv("ESTIMATOR_FEATURES", "a")
    monkeypatch.setenv("ESTIMATOR_CLASS", "tests.support.toys.MeanEstimator")
    code, found = document("--dps", "simple")
    assert code == (told is not None)
    assert told is None or told in found["findings"][0]["text"]


def test_a_finding_is_readable_at_80_columns(project, call):
    project({"good": GOOD, "bad": BAD})
    _, output, _ = call("check")
    home = re.search(r"^error  bad  (\S+):8$", output, re.MULTILINE)
    assert home
    assert home[1].startswith("code_")
    assert max(len(line) for line in output.splitlines() if "http" not in line) <= 80
    assert re.search(r"^\d+ errors.*: checked 5 DataProviders", output, re.MULTILINE)


def test_a_database_that_hangs_is_a_finding(project, document, monkeypatch):
    project({"good": GOOD})
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"postgresql://a@127.0.0.1:{server.getsockname()[1]}/x"
        monkeypatch.setenv("DATABASES", f"shop|sqlite:///shop.db|slow|{url}")
        code, found = document("--timeout", "0.5")
    assert code == 1
    [slow] = found["findings"]
    assert slow["subject"] == "database 'slow'"
    assert "no answer within 0.5 s (connecting)" in slow["text"]


def test_a_choice_of_dataproviders_is_checked_alone(project, document):
    project({"good": GOOD, "bad": BAD, "broken": BROKEN})
    code, found = document("--dps", "needs")
    assert (code, found["counts"]["DataProvider"]) == (0, 1)
    severities = {one["subject"].rpartition(".")[2]: one["severity"] for one in found["findings"]}
    assert severities == {"broken": "warning", "needs": "warning"}
    assert any(
        "needs good, of which no train is current" in one["text"] for one in found["findings"]
    )
    assert document("--dps", "neds")[1]["findings"][0]["text"].endswith("Did you mean 'needs'?")


def test_settings_that_cannot_be_read_are_a_finding(project, document, monkeypatch):
    project({"good": GOOD})
    monkeypatch.setenv("XINGU_KEEP_VALUES", "none")
    code, found = document()
    assert (code, found["findings"][0]["subject"]) == (1, "settings")
    assert "XINGU_KEEP_VALUES" in found["findings"][0]["text"]


def test_wrong_usage_is_code_2(project, call):
    assert call("check", "--timeout", "0")[0] == 2
