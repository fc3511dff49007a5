"""The phase `batch_sinks`: write the estimations of a batch where people want them.

It is a step of its own, so that a database that is down loses neither metrics nor plots of the
batch, and the step can be run again alone.
"""

import time

import dagster as dg

from xingu.provider.state import PreparedFrame
from xingu.sinks.spec import FileSink, Sink
from xingu.sinks.write import rows_of, write_sink
from xingu.values import Facts, Label
from xingu_dagster.phases.batch import ESTIMATIONS
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.spec import ProviderSpec


def build_sinks(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/batch/sinks/*``."""
    specs = [
        provider.asset_spec(
            *("batch", "sinks", part),
            deps=[provider.asset_key(*ESTIMATIONS)],
            kinds=[sink.format if isinstance(sink, FileSink) else "table"],
            description=_describe(sink),
        )
        for part, sink in provider.sinks.items()
    ]
    return build_phase(provider, "batch_sinks", specs, write_sinks)


def write_sinks(step: PhaseStep) -> Results:
    """Write the estimations to the selected sinks."""
    stored = step.stored(*ESTIMATIONS)
    estimations: PreparedFrame = stored.value
    train_id = stored.record.facts.train_id or ""
    rows = rows_of(estimations.frame, train_id)
    key = list(rows.columns[: estimations.frame.index.nlevels])
    for part, sink in step.spec.sinks.items():
        path = ("batch", "sinks", part)
        if step.selected(*path):
            started = time.perf_counter()
            address = write_sink(rows, sink, step.workspace.databases, key)
            label = Label(step.derived_version(ESTIMATIONS), Facts(train_id=train_id))
            value = {"address": address, "rows": len(rows), "train_id": train_id}
            metadata = {"dagster/row_count": len(rows), "address": address, "train_id": train_id}
            yield step.keep(path, value, label, time.perf_counter() - started, metadata)


def _describe(sink: Sink) -> str:
    if isinstance(sink, FileSink):
        return f"The estimations as a {sink.format} file, replaced by each batch."
    rows = "all rows" if sink.mode == "replace" else "the rows with the same key"
    return f"The estimations in the table `{sink.label}`; each batch replaces {rows}."
