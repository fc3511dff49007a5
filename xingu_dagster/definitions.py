"""The entry point of Dagster: the definitions of the project in the current folder."""

import gc

from xingu_dagster.collector import without_collections

with without_collections():
    from xingu.config import Settings
    from xingu_dagster.engine.environment import restore_environment
    from xingu_dagster.project import build_definitions

    restore_environment()
    defs = build_definitions(Settings.load())

# The collector need not look at what is loaded by now: it stays. Dagster goes on to make snapshots
# of it, millions of objects that stay as well; looking at them rarely saves a quarter of the CPU
# time of a command with 1,000 DataProviders.
gc.freeze()
gc.set_threshold(50_000, 20, 100)
