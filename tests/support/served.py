"""The service of examples/serving as a process, and a client that sends requests all the time."""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx

from tests.docs.pages import ROOT


@contextmanager
def service(models: Path | str, dp_id: str, **environment: str) -> Iterator[httpx.Client]:
    """Run the service on a free port of loopback; yield a client."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port),
               "--log-level", "warning"]  # fmt: skip
    variables = {"MODEL_ID": dp_id, "TRAINED_MODELS_PATH": str(models), "FOLLOW_SECONDS": "0.1"}
    env = {**os.environ, "PYTHONPATH": str(ROOT), **variables, **environment}
    process = subprocess.Popen(command, cwd=ROOT / "examples" / "serving", env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            wait_until(lambda: process.poll() is not None or answers(client))
            assert process.poll() is None, "the service has ended"
            yield client
    finally:
        process.terminate()
        process.wait(30)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.ConnectError:
        return False


def wait_until(condition, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


class Load:
    """A client that sends the same request again and again, as a context manager.

    Attributes:
        answers: Number of answers by status and train, in the order in which they came first.
        wrong: Answers whose estimation is not the one that is expected of their train.
    """

    def __init__(self, client: httpx.Client, row: dict, expected: dict[str, float]) -> None:
        self.answers: Counter[tuple[int, str]] = Counter()
        self.wrong: list[object] = []
        self._client, self._row, self._expected = client, row, expected
        self._stop = Event()
        self._thread = Thread(target=self._send)

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self._client.post("/predict", json={"rows": [self._row]})
                content = answer.json()
            except Exception as error:
                self.wrong.append(error)
                return
            train = content.get("train_id", "")
            self.answers[answer.status_code, train] += 1
            [estimation] = content.get("estimations", [None])
            if estimation is None or abs(estimation - self._expected[train]) > 1e-9:
                self.wrong.append(content)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
