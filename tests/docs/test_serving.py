"""The service and the batch job of the page on serving, over HTTP on loopback."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pandas as pd
import pytest

from tests.docs.pages import ROOT, blocks
from tests.support.toys import houses
from xingu import Model

SERVICE, SCORE = blocks("python", "docs/how-to/serving.md")


@pytest.fixture(scope="module")
def service(trained_home):
    """The app of the page, started as the page says, in a folder that has only the models."""
    (trained_home / SERVICE.title).write_text(SERVICE.raw)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_ID": "houses"}
    with (
        subprocess.Popen(command, cwd=trained_home, env=environment) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        try:
            wait_until_it_answers(client, process)
            yield client
        finally:
            process.terminate()


def wait_until_it_answers(client, process):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the service has ended"
        try:
            client.get("/health")
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service did not answer within a minute")


@pytest.fixture(scope="module")
def model(trained_home):
    return Model.load("houses", path=trained_home / "models")


def test_health_names_the_train(service, model):
    answer = service.get("/health").json()
    assert (answer["model"], answer["train_id"]) == ("houses", model.train_id)


def test_it_estimates_what_the_model_estimates(service, model):
    rows = houses(20)[["size", "town"]]
    answer = service.post("/predict", json={"rows": rows.to_dict("records")}).json()
    assert answer["train_id"] == model.train_id
    assert answer["estimations"] == pytest.approx(model.predict(rows)["estimation"].tolist())


def test_whole_numbers_are_taken_for_a_feature_with_decimals(service):
    answer = service.post("/predict", json={"rows": [{"size": 80, "town": "north"}]})
    assert answer.status_code == 200


def test_concurrent_requests_get_their_own_answers(service):
    def ask(size):
        rows = [{"size": size, "town": "south"}]
        return service.post("/predict", json={"rows": rows}).json()["estimations"]

    sizes = [40, 90, 140, 190] * 5
    expected = {size: ask(size) for size in sizes}
    assert len({tuple(answer) for answer in expected.values()}) > 1
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, sizes)) == [expected[size] for size in sizes]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"size": 80}], "Missing features: town."),
        ([{"size": "large", "town": "north"}], "large"),
        ([], "at least 1 item"),
    ],
)
def test_bad_rows_are_answered_with_422_and_the_reason(service, rows, said):
    answer = service.post("/predict", json={"rows": rows})
    assert answer.status_code == 422
    assert said in answer.text


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
