"""Seconds of each stage of a bare script, from the start of its process, as one line of JSON."""

import json
import time

import psutil


class Laps:
    """A stopwatch that adds up laps of the same name; the first lap holds the process's start."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = psutil.Process().create_time()

    def lap(self, name: str) -> None:
        """Count the time since the previous lap under `name`."""
        now = time.time()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = now

    def report(self, rmse: float) -> None:
        """Print everything on one line, as the harness expects it to be the last one."""
        seconds = {name: round(value, 3) for name, value in self.seconds.items()}
        print(json.dumps({"seconds": seconds, "rmse": rmse}), flush=True)
