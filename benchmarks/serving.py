"""Print throughput and latency of examples/serving, and the time of a cold start.

Usage: python benchmarks/serving.py [seconds]. One uvicorn process on loopback; clients with
keep-alive send one row per request; the model is LightGBM with 100 trees. The client needs a core.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.fitted import fit_model  # noqa: E402
from tests.support.served import service, wait_until  # noqa: E402
from tests.support.toys import Houses  # noqa: E402
from xingu.registry.store import ModelStore  # noqa: E402

COLD = """
import time; begin = time.process_time()
from xingu import Model
import pandas as pd
imported = time.process_time()
model = Model.load("houses", path="{models}")
loaded = time.process_time()
model.predict(pd.DataFrame({{"size": [80.0], "town": ["north"]}}))
print(*(round(one - begin, 2) for one in (imported, loaded, time.process_time())))
"""


class Large(Houses):
    """A model of a usual size."""

    estimator_params = {"n_estimators": 100}


def main() -> None:
    seconds = float(sys.argv[1]) if sys.argv[1:] else 5.0
    with tempfile.TemporaryDirectory() as folder:
        store = ModelStore(folder)
        runs = []
        for name in ("first", "second"):
            model = fit_model(Large, (name, name))
            store.save(model)
            runs.append(model.run)
        store.make_current(runs[0])
        with service(folder, "houses") as client:
            url = str(client.base_url)
            measure("1 client", url, 1, seconds)
            measure("8 clients", url, 8, seconds)
            store.make_current(runs[1])
            measure("1 client, while a train is exchanged", url, 1, 2.0)
            wait_until(lambda: client.get("/health").json()["train_id"] == "second")
        for _ in range(3):
            code = COLD.format(models=folder)
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder,
                                  capture_output=True, text=True, check=True)  # fmt: skip
            print("cold start, CPU seconds to: imported, loaded, predicted:", done.stdout.strip())


def measure(title: str, url: str, clients: int, seconds: float) -> None:
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(clients) as pool:
        times = np.concatenate(list(pool.map(lambda _: send(url, until), range(clients))))
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    rate = len(times) / seconds
    print(f"{title}: {rate:.0f} requests/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def send(url: str, until: float) -> list[float]:
    content = {"rows": [{"size": 80.0, "town": "north"}]}
    times = []
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        while (begin := time.perf_counter()) < until:
            assert client.post("/predict", json=content).status_code == 200
            times.append(time.perf_counter() - begin)
    return times


if __name__ == "__main__":
    main()
