"""What is made before the first step is forked, so that its process finds everything there.

The repository is built once for each run, and so are the tables that libraries make when they are
first used. Nothing here may start threads: a forked process would wait for them for ever.
"""

import gc
import warnings
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
from narwhals.stable.v1 import from_native

from xingu.names import session_id_of
from xingu.plots.builtin import regression_plots
from xingu.plots.pages import figure_json, plotly_script_in_json
from xingu.plots.segments import error_by_segment
from xingu.plots.theme import stamp
from xingu.tracking.schema import tables

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the run's own process has shown them
    from xingu_dagster.definitions import defs, settings

    repository = defs.get_repository_def()
    graph = repository.asset_graph
    job = repository.get_implicit_global_asset_job_def()

tables(settings.table_prefix)
session_id_of("")  # the lists of words
from_native(pa.table({"x": [1.0]}))  # LightGBM's way into frames: looks for plugins
_some = pd.Series([0.0, 1.0, 2.0] * 10)
_figures = regression_plots(_some, _some, "y")
_figures["segments"] = error_by_segment(_some, _some.to_frame("x"), "error")
for _name, _figure in _figures.items():
    figure_json(_name, stamp(_figure, "", "", datetime.now(UTC)))  # plotly's validators, template
plotly_script_in_json()

# What is loaded by now stays; a collector that looked at it would copy its pages into every step.
gc.freeze()
