"""Let the environment override `.env` under `dagster` and `dg`, as it does everywhere else.

Each of their processes writes `.env` of the current folder over its environment, and code servers
of `dg dev` write that of the project. Processes that they start inherit what was written. So the
first of them already has to put it right: it does when it opens the instance whose `dagster.yaml`
names our storage. Linux only, where a process can read the environment that it was started with.
"""

import os
from pathlib import Path

from xingu.config.lookup import Lookup, read_env_file

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


def notes_on_precedence(lookup: Lookup) -> list[str]:
    """Return a sentence on variables that `.env` will override under `dagster` and `dg`, if any."""
    environment, written = lookup.layers["environment"], lookup.layers[".env"]
    names = [name for name in written if environment.get(name, written[name]) != written[name]]
    file = Path(os.environ.get("DAGSTER_HOME") or lookup.home) / "dagster.yaml"
    ours = file.is_file() and "xingu_dagster.engine.storage" in file.read_text(errors="replace")
    if not names or (ours and STARTED_WITH.exists()):
        return []
    reason = (
        f"{file} does not name Xingu's storage"
        if STARTED_WITH.exists()
        else "only on Linux can a process read the environment that it was started with"
    )
    return [
        f"{', '.join(names)}: set in the environment and in .env. The servers of dagster and dg "
        f"take what .env says, because {reason}. Write NAME=${{NAME:-value}} in .env to let the "
        "environment win."
    ]
