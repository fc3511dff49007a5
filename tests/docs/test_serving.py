"""The page on serving shows the service as it is, and its batch job runs."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.docs.pages import ROOT, blocks
from tests.support.toys import houses
from xingu import Model

SERVICE, SCORE = blocks("python", "docs/how-to/serving.md")
[DOCKERFILE] = blocks("dockerfile", "docs/how-to/serving.md")


@pytest.mark.parametrize("block", [SERVICE, DOCKERFILE], ids=lambda block: block.title)
def test_the_page_shows_the_file_itself(block):
    assert block.raw == (ROOT / "examples" / "serving" / block.title).read_text()


@pytest.fixture(scope="module")
def model(trained_home):
    return Model.load("houses", path=trained_home / "models")


def test_the_batch_job_writes_an_estimation_for_each_row(trained_home, model, monkeypatch):
    monkeypatch.chdir(trained_home)
    exec(compile(SCORE.code, str(SCORE), "exec"), {})
    written = pd.read_parquet(trained_home / "estimations.parquet")
    pd.testing.assert_frame_equal(written, model.predict(houses(20).set_index("id")))


def test_loading_and_predicting_imports_neither_dagster_nor_databases_nor_plots(trained_home):
    script = (
        "import sys, pandas as pd; from xingu import Model; "
        "Model.load('houses').predict(pd.DataFrame({'size': [80.0], 'town': ['north']})); "
        "print([name for name in ('dagster', 'sqlalchemy', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=trained_home, check=True, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
