"""The entry point of Dagster: the definitions of the project in the current folder."""

import gc
import sys

from xingu.config import Settings
from xingu_dagster.executors import PRELOADED, be_patient
from xingu_dagster.fork_server import start_fork_server

settings = Settings.load()
if settings.executor == "forkserver" and {"materialize", "launch"} & set(sys.argv):
    # This process is about to execute a run; the server imports on another core meanwhile.
    be_patient()
    start_fork_server(PRELOADED)

from xingu_dagster.project import build_definitions  # noqa: E402 (loads pandas: after the above)

defs = build_definitions(settings)

# What is loaded by now stays. A collector that never looks at it again saves a second at the end of
# a command, and a fifth of a second whenever it would have looked.
gc.freeze()
