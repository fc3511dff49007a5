"""The phase `batch_sinks`: write the estimations of a batch to files and tables.

It is a step of its own, so that a database that is down loses neither metrics nor plots of the
batch, and the step can be run again alone.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from xingu.errors import CheckFailedError
from xingu.provider.state import PreparedFrame
from xingu.sinks.spec import FileSink, Sink, TableSink
from xingu.sinks.write import rows_of, write_sink
from xingu.values import Facts, Label
from xingu_dagster.kinds import database_kind
from xingu_dagster.metadata import Metadata, table_metadata, uri_metadata
from xingu_dagster.phases.batch import ESTIMATIONS
from xingu_dagster.phases.build import Results, build_phase
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.spec import ProviderSpec


def build_sinks(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the assets ``<dp>/batch/sinks/*``."""
    specs = []
    for part, sink in provider.sinks.items():
        spec = provider.asset_spec(
            *("batch", "sinks", part),
            deps=[provider.asset_key(*ESTIMATIONS)],
            kinds=_kinds(provider, sink),
            description=_describe(sink),
        )
        if isinstance(sink, TableSink):
            spec = spec.replace_attributes(metadata={**_table(sink), **spec.metadata})
        specs.append(spec)
    return build_phase(provider, "batch_sinks", specs, write_sinks)


def write_sinks(step: PhaseStep) -> Results:
    """Write the estimations to the selected sinks.

    Raises:
        CheckFailedError: If they are of a train of samples (SAMPLE_ROWS).
    """
    stored = step.stored(*ESTIMATIONS)
    estimations: PreparedFrame = stored.value
    train_id = stored.record.facts.train_id or ""
    _refuse_samples(step, train_id)
    rows = rows_of(estimations.frame, train_id, step.partition)
    key = list(rows.columns[: estimations.frame.index.nlevels])
    for part, sink in step.spec.sinks.items():
        path = ("batch", "sinks", part)
        if step.selected(*path):
            started = time.perf_counter()
            address = write_sink(rows, sink, step.workspace.databases, key, step.partition)
            label = Label(step.derived_version(ESTIMATIONS), Facts(train_id=train_id))
            value = {"address": address, "rows": len(rows), "train_id": train_id}
            place = step.workspace.databases.home
            metadata = {
                **(_table(sink) if isinstance(sink, TableSink) else _uri(address, place)),
                **table_metadata(rows),
                "address": address,
                "train_id": train_id,
            }
            yield step.keep(path, value, label, time.perf_counter() - started, metadata)


def _refuse_samples(step: PhaseStep, train_id: str) -> None:
    models, dp_id = step.workspace.models, step.spec.id
    if models.has(dp_id, train_id) and models.manifest(dp_id, train_id).sampled:
        raise CheckFailedError(
            f"{dp_id}: {train_id} was trained on samples of its sources (SAMPLE_ROWS), so its "
            "estimations are not written to sinks; train on all rows.",
            dataprovider_id=dp_id, train_id=train_id,
        )  # fmt: skip


def _kinds(provider: ProviderSpec, sink: Sink) -> Sequence[str]:
    if isinstance(sink, FileSink):
        return [sink.format]
    return ["table", *database_kind(provider.resource.backends(sink.database))]


def _table(sink: TableSink) -> Metadata:
    return {"dagster/table_name": sink.table}


def _uri(address: str, home: Path) -> Metadata:
    return uri_metadata(address if "://" in address else home / address)


def _describe(sink: Sink) -> str:
    if isinstance(sink, FileSink):
        return f"The estimations as a {sink.format} file, replaced by each batch."
    rows = "all rows" if sink.mode == "replace" else "the rows with the same key"
    return f"The estimations in the table `{sink.label}`; each batch replaces {rows}."
