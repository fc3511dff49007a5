"""Let the environment override `.env` under `dagster` and `dg`, as it does everywhere else.

Each of their processes writes `.env` of the current folder over its environment, and code servers
of `dg dev` write that of the project. Processes that they start inherit what was written. So the
first of them already has to put it right: it does when it opens the instance whose `dagster.yaml`
names our storage. Linux only, where a process can read the environment that it was started with.
"""

import os
from pathlib import Path

from xingu.config.lookup import read_env_file

STARTED_WITH = Path("/proc/self/environ")


def restore_environment() -> None:
    """Give variables that `.env` has replaced the values that this process was started with.

    Dagster's own variables are left as they are: the instance is chosen by them already.
    """
    if not STARTED_WITH.exists():
        return
    entries = os.fsdecode(STARTED_WITH.read_bytes()).split("\0")
    started = {name: value for name, _, value in (entry.partition("=") for entry in entries)}
    for folder in {Path.cwd(), Path(os.environ.get("PROJECT_HOME") or ".")}:
        for name, written in read_env_file(folder / ".env").items():
            replaced = name in started and os.environ.get(name) == written
            if replaced and not name.startswith("DAGSTER_"):
                os.environ[name] = started[name]
