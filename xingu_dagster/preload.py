"""What is made before the first step is forked, so that its process finds everything there.

The repository is built once for each run, and so are the tables that libraries make when they are
first used. Nothing here may start threads: a forked process would wait for them for ever.
"""

import gc
import warnings

import pandas as pd
import pyarrow as pa
from narwhals.stable.v1 import from_native

from xingu.identity import session_id_of
from xingu.inventory.schema import tables
from xingu.plots.builtin import regression_plots
from xingu.plots.pages import figure_json, plotly_script_in_json

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the run's own process has shown them
    from xingu_dagster.definitions import defs, settings

    repository = defs.get_repository_def()
    graph = repository.asset_graph
    job = repository.get_implicit_global_asset_job_def()

tables(settings.table_prefix)
session_id_of("")  # the lists of words
from_native(pa.table({"x": [1.0]}))  # LightGBM's way into frames: looks for plugins
_few = pd.Series([0.0, 1.0, 2.0])
for _name, _figure in regression_plots(_few, _few, "y").items():
    figure_json(_name, _figure)  # plotly's validators and template
plotly_script_in_json()

# What is loaded by now stays; a collector that looked at it would copy its pages into every step.
gc.freeze()
