"""Coach in a real notebook kernel, in a project of its own."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.toys import write_database

ROOT = Path(__file__).parents[2]
CELLS = [
    "from tests.support.toys import Houses, Taxes\nfrom xingu import Coach, DataProviderFactory",
    "coach = Coach(DataProviderFactory([Houses, Taxes]))\nmodels = coach.team_train()",
    "coach.report(reference_train_id=models['houses'].train_id)",
    "coach.instance.get_runs_count()",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    home = tmp_path_factory.mktemp("notebook")
    url = write_database(home / "houses.db")
    (home / "dagster.yaml").write_text("storage: {sqlite: {base_dir: .dagster}}\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PROJECT_HOME": str(home),
        "DATABASES": f"db|{url}",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("DAGSTER_HOME", None)
    client = NotebookClient(notebook, timeout=180, kernel_name="python3")
    client.execute(env=environment, cwd=str(home))
    notebook.home = home
    return notebook


def output(cell) -> str:
    return "\n".join(
        str(part.get("data", {}).get("text/html") or part.get("data") or part.get("text"))
        for part in cell.outputs
    )


def test_progress_renews_itself_in_one_output(notebook):
    shown = [part for part in notebook.cells[1].outputs if part.output_type == "display_data"]
    assert len(shown) == 1
    html = shown[0].data["text/html"]
    assert html.count("✓") == 12
    assert "…" not in html
    assert "taxes" in html


def test_no_log_of_dagster_covers_the_notebook(notebook):
    assert "STEP_START" not in output(notebook.cells[1])


def test_no_warning_that_a_user_cannot_act_on_is_shown(notebook):
    streams = [part for part in notebook.cells[1].outputs if part.output_type == "stream"]
    assert "never awaited" not in "".join(part.text for part in streams)


def test_a_report_is_shown_as_tables(notebook):
    html = output(notebook.cells[2])
    assert "ROC AUC" in html


def test_what_a_notebook_trains_is_in_the_instance_of_the_project(notebook):
    assert "1" in output(notebook.cells[3])
    assert (notebook.home / ".dagster" / "history" / "runs.db").exists()
