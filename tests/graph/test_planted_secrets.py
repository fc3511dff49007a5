"""Secrets in every place that a project gets them from are in nothing that it writes."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import dagster as dg
import pytest

from tests.support.leaks import chain, found, told
from tests.support.project import Project
from tests.support.toys import Houses, houses, query
from tests.support.web import Site, serve
from xingu.errors import XinguError
from xingu.reports.compare import TrainFilter
from xingu.reports.page import write_page
from xingu.reports.report import report_trains
from xingu.workspace import Workspace

CORE = f"c0re{uuid4().hex}"
"""A part of every planted secret that no way of quoting changes."""
PASSWORD = f"a/b?#{CORE}@:"
DSN = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/db?jwt={CORE}&pool={CORE}"


def page() -> str:
    """Address of rows, with secrets in user, parameters and fragment."""
    site = os.environ["SITE"].replace("//", f"//ann:{quote(PASSWORD, safe='')}@")
    return f"{site}/houses.csv?sessionid={CORE}&{CORE}#access_token={CORE}"


class Careless(Houses):
    """Its secrets are in addresses, SQL, log lines and exceptions."""

    estimator_hyperparams_search_space = {"num_leaves": ("int", {"low": 2, "high": 9})}

    def get_dataset_sources_for_train(self, model=None):
        options = {"client_kwargs": {"headers": {"X-Any": f"{CORE}-header"}}}
        return {
            **query(f"select * from houses -- {page()} password={CORE}"),
            "page": {"url": page(), "params": {"storage_options": options}},
        }

    def clean_data_for_train(self, datasets):
        self.log(f"read {page()}, then {DSN} with {PASSWORD} and {CORE}-header")
        logging.getLogger("xingu.own").warning("token=%s", CORE)
        return datasets["houses"].set_index("id")

    def compute_trainsets_model_metrics_own(self, XY, Y_pred):
        raise ValueError(f"no metrics from {page()}")

    def render_trainsets_model_plots_own(self, XY, Y_pred):
        raise KeyError(f"Authorization: Bearer {CORE}")


class Failing(Careless):
    def clean_data_for_train(self, datasets):
        try:
            raise ConnectionError(f"{DSN} refused {PASSWORD}", {"token": CORE})
        except ConnectionError as error:
            error.add_note(f"asked {page()}")
            raise RuntimeError(f"no rows from {page()}") from error


class Unreachable(Careless):
    def get_dataset_sources_for_train(self, model=None):
        return query(f"select 1 -- {DSN}", "far")


class Gone(Careless):
    def get_dataset_sources_for_train(self, model=None):
        return {"page": {"url": page().replace("houses.csv", "gone.csv")}}


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    with serve() as site:
        site.pages["/houses.csv"] = houses().to_csv(index=False).encode()
        monkeypatch.setenv("SITE", site.url)
        yield site


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".dagster").mkdir()
    for arguments in (
        ["init", "-q"],
        ["remote", "add", "origin", f"https://ann:a/{CORE}@example.org/a.git"],
        ["commit", "-q", "--allow-empty", "-m", "first"],
    ):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    (tmp_path / ".git" / "config").chmod(0o600)
    return tmp_path


def project_of(home: Path, provider: type[Houses]) -> Project:
    db = f"sqlite:///{home / 'houses.db'}"
    databases = {"db": f"{db}?timeout=5", "far": DSN}
    project = Project(home, [provider], {"databases": databases, "datasource_cache": "cache"})
    project.instance = dg.DagsterInstance.local_temp(str(home / ".dagster"))
    return project


def written(project: Project, caught: list[BaseException], caplog, capfd) -> list[str]:
    (project.home / ".git" / "config").unlink()  # where the secret of the remote comes from
    return told(project, caught, caplog, capfd)


def test_a_train_writes_no_planted_secret(home, site, caplog, capfd):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "xingu")
    project = project_of(home, Careless)
    with pytest.raises(XinguError) as failure:
        project.run("houses/*", "sources/houses/page")
    control = Workspace(project.config).control
    write_page(report_trains(control, TrainFilter()), home / "report.html")
    texts = written(project, chain(failure.value), caplog, capfd)
    assert found("/houses.csv?sessionid=***", texts)
    assert found("no metrics from", texts)
    assert found(CORE, texts) == []


@pytest.mark.parametrize("provider", [Failing, Unreachable, Gone])
def test_a_failure_writes_no_planted_secret(home, site, caplog, capfd, provider):
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "xingu")
    project = project_of(home, provider)
    with pytest.raises(XinguError) as failure:
        project.run("houses/*")
    texts = written(project, chain(failure.value), caplog, capfd)
    assert found("STEP_FAILURE", texts)
    assert found(CORE, texts) == []
