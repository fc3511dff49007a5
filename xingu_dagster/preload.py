"""What the fork server imports, so that a step's process finds everything made already.

Building the repository here, once for each run, spares every step to build it again: the processes
that are forked inherit it.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the run's own process has shown them
    from xingu_dagster.definitions import defs

    repository = defs.get_repository_def()
    graph = repository.asset_graph
    job = repository.get_implicit_global_asset_job_def()
