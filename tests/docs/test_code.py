"""Python on the pages compiles; blocks marked ``<!-- test: run -->`` run without an error."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, blocks
from xingu_dagster.scaffold import write_project

SEPARATE = ("docs/tutorial.md", "docs/how-to/serving.md")
RUNNABLE = [page for page in PAGES if any(block.run for block in blocks("python", page))]


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_on_a_page_compiles(block):
    compile(block.code, block.page, "exec")


def test_most_pages_with_python_have_blocks_that_run():
    assert len(RUNNABLE) > len({block.page for block in blocks("python")}) / 2


@pytest.mark.parametrize("page", [page for page in RUNNABLE if page not in SEPARATE])
def test_runnable_blocks_of_a_page_run_in_order(page, trained_home, monkeypatch):
    monkeypatch.chdir(trained_home)
    monkeypatch.delenv("PROJECT_HOME", raising=False)
    names = {"__name__": "page"}
    for block in blocks("python", page):
        if block.run:
            exec(compile(block.code, page, "exec"), names)


def test_the_examples_of_metrics_checks_and_searches_are_accepted_declarations():
    from xingu import DataProvider, DataProviderFactory
    from xingu_dagster.factory import build_provider_assets

    body = {"id": "example", "x_features": ["size"], "y": "delay",
            "train_dataset_sources": {"rows": {"url": "rows.csv"}},
            "estimator_class": "xingu.estimators.LightGBMRegressor"}  # fmt: skip
    examples = {"compute_global_model_metrics_size": lambda self, model: {"features": 1}}
    for page in ("tuning", "checks", "metrics-and-plots"):
        for block in blocks("python", f"docs/how-to/{page}.md"):
            if block.run:
                exec(compile(block.code, block.page, "exec"), names := {})
                for name, value in names.items():
                    declared = isinstance(value, type) and issubclass(value, DataProvider)
                    known = hasattr(DataProvider, name) or name.startswith("compute_")
                    if declared and value is not DataProvider:
                        examples |= {key: one for key, one in vars(value).items() if key[0] != "_"}
                    elif known and value is not DataProvider:
                        examples[name] = value
    assert {"checks", "quality_gates", "hyperopt", "metric_directions"} <= set(examples)
    example = type("Example", (DataProvider,), body | examples)
    assert list(DataProviderFactory([example])) == ["example"]
    assert build_provider_assets(example)


def test_the_tutorial_trains_a_model_and_then_one_with_a_learned_feature(tmp_path):
    use, extend = blocks("python", "docs/tutorial.md")
    module = write_project(tmp_path).folder / extend.title
    extended = f"{module.read_text()}\n{textwrap.indent(extend.raw, '    ')}"
    (tmp_path / "extended.py").write_text(extended)
    step = f"Coach(progress=False).team_train()\n{use.text}\n"
    output = run_script(
        "import sys; from pathlib import Path; from xingu import Coach\n"
        f"{step}"
        f"Path('extended.py').replace({extend.title!r})\n"
        "for name in [name for name in sys.modules if 'dataproviders' in name.split('.')]:\n"
        "    del sys.modules[name]\n"
        f"{step}"
        "print(model.signature().estimator_features)",
        tmp_path,
    )
    assert output.count("estimation") == 2
    assert "'condition', 'size_for_town')" in output


def run_script(script: str, home: Path) -> str:
    """Run `script` in a process of its own, in the project `home`, and return its output."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PROJECT_HOME": str(home),
        "DAGSTER_HOME": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_project_of_the_page_on_dagster_trains_in_a_process_of_its_own(tmp_path):
    from tests.support.toys import write_database

    for block in blocks("python", "docs/how-to/existing-dagster.md"):
        if block.title:
            (tmp_path / block.title).parent.mkdir(exist_ok=True)
            (tmp_path / block.title).write_text(block.text)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "WAREHOUSE_URL": write_database(tmp_path / "warehouse.db"),
        "DAGSTER_HOME": "",
    }
    select = "group:houses or key:expensive_houses"
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "asset", "materialize", "-f", "definitions.py",
         "--select", select],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "expensive_houses" in done.stderr
    assert list((tmp_path / "models" / "houses" / "trains").iterdir())
