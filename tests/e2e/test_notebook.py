"""`notebooks/poc.ipynb` in a real kernel: every cell runs, and shows what its text promises."""

import json
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "poc.ipynb"
PLOT = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The cells by id, after a run from top to bottom; a cell that fails ends it."""
    home = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": commands, "PYTHONPATH": str(ROOT), "TMPDIR": str(home), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **own}
    environment.pop("DAGSTER_HOME", None)
    client = NotebookClient(notebook, timeout=180, kernel_name="python3")
    client.execute(env=environment, cwd=str(home))
    notebook.cells[0].home = home
    return {cell.id: cell for cell in notebook.cells}


def html(cell) -> str:
    return "\n".join(part.data.get("text/html", "") for part in cell.outputs if "data" in part)


def text(cell) -> str:
    """Streams and plain results of a cell."""
    return "".join(
        part.get("text") or part.get("data", {}).get("text/plain", "") for part in cell.outputs
    )


def figure(cell) -> dict:
    [shown] = [part.data[PLOT] for part in cell.outputs if PLOT in part.get("data", {})]
    return shown


# -- as it is stored ------------------------------------------------------------------------------


def test_it_is_stored_without_outputs_metadata_of_a_run_and_paths():
    stored = json.loads(NOTEBOOK.read_text())
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [(one["outputs"], one["execution_count"]) for one in code] == [([], None)] * len(code)
    assert all(cell["metadata"] == {} for cell in stored["cells"])
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert stored["metadata"] == {"kernelspec": kernel, "language_info": {"name": "python"}}
    assert not re.search(r"/(home|tmp|work|root|Users)/", NOTEBOOK.read_text())


def test_it_has_the_eight_scenarios_in_order():
    headings = re.findall(r'"## POC (\d)\. ', NOTEBOOK.read_text())
    assert headings == list("12345678")


# -- what it shows --------------------------------------------------------------------------------


def test_no_cell_shows_a_warning_or_a_log(cells):
    streams = {
        name: part.text
        for name, cell in cells.items()
        for part in cell.get("outputs", ())
        if part.output_type == "stream" and part.name == "stderr"
    }
    assert streams == {}
    shown = "".join(text(cell) for cell in cells.values() if cell.cell_type == "code")
    for word in ("Warning", "never awaited", "STEP_START", "Traceback"):
        assert word not in shown


def test_progress_renews_itself_in_one_output(cells):
    [shown] = cells["team-train"].outputs
    assert shown.data["text/html"].count("✓") == 13
    assert "…" not in shown.data["text/html"]


def test_coach_provider_and_model_show_themselves(cells):
    assert "0 Models in memory" in html(cells["coach"])
    assert "2 Models in memory" in html(cells["models"])
    assert "2 Models in memory" in html(cells["load"])
    assert "test ROC AUC 0.99" in html(cells["load"])
    assert "Luxury (luxury.py:6)" in html(cells["provider"])
    model = html(cells["model"])
    assert "LightGBMRegressor (lightgbm " in model
    assert re.search(r"<td>commit</td><td>[0-9a-f]{8} \(main\)</td>", model)
    assert re.search(r'<td>test</td><td class="n">150</td><td class="n">0\.97', model)


def test_batches_and_predictions_are_tables(cells):
    assert html(cells["batch"]).count("<th>A000") == 5
    assert "estimation_class_1" in html(cells["predict"])
    assert html(cells["model-batch"]).count("<th>A000") == 5


def test_reports_compare_the_trains(cells):
    report = html(cells["report"])
    assert "<small>2 trains</small>" in report
    assert re.search(r"<td>num_leaves</td><td>3</td><td>15</td>", report)
    assert 'class="worse"' in report
    assert "<th>RMSE</th>" in html(cells["frames"])


def test_the_evolution_has_three_trains_of_each_set(cells):
    lines = figure(cells["evolution"])["data"]
    assert {line["name"] for line in lines} == {"train", "val", "test"}
    assert [len(line["x"]) for line in lines] == [3, 3, 3]
    assert "hyperparameters: searched" in html(cells["search"])
    assert html(cells["sql"]).count("<tr>") == 3


def test_a_model_without_the_graph_is_fitted_drawn_and_saved(cells):
    assert "Predicted against true (test)" in text(cells["plots"])
    for name in ("plot", "importance"):
        assert figure(cells[name])["data"]
    assert text(cells["save"]) == "(True, True)"


def test_settings_are_shown_and_a_missing_one_is_named(cells):
    assert "'BUCKET': 's3://models-south'" in text(cells["config"])
    assert text(cells["config-set"]) == "('s3://models-north', 2)"
    assert text(cells["config-error"]).startswith("NO_SUCH_SETTING: it is not set")


def test_the_command_prints_plain_lines_and_no_table_that_redraws_itself(cells):
    shown = text(cells["command-train"])
    assert "luxury: fit done in" in shown
    assert "is current" in shown
    assert "\x1b[2K" not in shown
    assert {"apartment_price", "luxury"} <= set(
        re.findall(r"\w+", text(cells["command-inventory"]))
    )
    assert "PROJECT_HOME" not in text(cells["command-report"])
    assert "R2" in text(cells["command-report"])


def test_what_a_notebook_trains_is_in_the_instance_of_the_project(cells):
    [project] = cells["intro"].home.glob("xingu-poc-*/my_project")
    assert (project / ".dagster" / "history" / "runs.db").exists()
