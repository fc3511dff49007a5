"""The outcome of a run as plain values: what `xingu train --json` prints.

It is read from storage by the run's id, so that it tells what is there and not what was intended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from xingu.errors import StorageError
from xingu.names import key_part
from xingu.tuning.trials import best_of, plain
from xingu.values import Key, partition_key
from xingu.workspace import Workspace
from xingu_dagster.engine.limits import dataprovider_of
from xingu_dagster.failures import Failure, is_interruption, is_refusal
from xingu_dagster.progress import Progress
from xingu_dagster.running import Graph, RunResult

OK, FAILED, REFUSED, INTERRUPTED = 0, 1, 3, 130
"""Exit codes of the command."""

STATUS = {OK: "success", FAILED: "failed", REFUSED: "refused", INTERRUPTED: "interrupted"}


def exit_code(result: RunResult, broken: Mapping[str, str]) -> int:
    """Return the exit code of the command after a run.

    Args:
        result: The end of the run.
        broken: Requested files and classes that cannot be used.
    """
    failures = result.failures.values()
    if result.status is dg.DagsterRunStatus.CANCELED:
        return INTERRUPTED
    if broken or not all(map(is_refusal, failures)):
        return FAILED
    if failures:
        return REFUSED
    return OK if result.status is dg.DagsterRunStatus.SUCCESS else FAILED


def records(
    graph: Graph, result: RunResult, progress: Progress, workspace: Workspace
) -> list[dict[str, Any]]:
    """Return the record of each DataProvider of a run, in the order of the run."""
    parts = dict.fromkeys(map(dataprovider_of, progress.steps))
    return [_Record(part, graph, result, progress, workspace).document() for part in parts]


class _Record:
    def __init__(
        self,
        part: str,
        graph: Graph,
        result: RunResult,
        progress: Progress,
        workspace: Workspace,
    ) -> None:
        self.part, self.graph, self.result = part, graph, result
        self.progress, self.workspace = progress, workspace
        self.steps = [step for step in progress.steps if dataprovider_of(step) == part]

    def document(self) -> dict[str, Any]:
        failures = [self.result.failures[step] for step in self.steps
                    if step in self.result.failures]  # fmt: skip
        return {
            "id": self.part,
            "status": self._status(failures),
            "phases": {step.rpartition("__")[2]: self._phase(step) for step in self.steps},
            **self._train(),
            **self._search(),
            "files": self._files(),
            "sinks": self._sinks(),
            "failures": [_failure(one) for one in failures],
            "warnings": self._warnings(failures),
        }

    def _status(self, failures: Sequence[Failure]) -> str:
        if any(map(is_interruption, failures)):
            return "interrupted"
        if failures:
            return "refused" if all(map(is_refusal, failures)) else "failed"
        states = {self.progress.phases[step].state for step in self.steps}
        return "success" if states == {"done"} else "skipped"

    def _phase(self, step: str) -> dict[str, Any]:
        phase = self.progress.phases[step]
        state = "skipped" if phase.state == "waiting" else phase.state
        return {"state": state, "seconds": round(phase.seconds, 3)}

    def _key(self, *path: str) -> Key:
        """Return the key of a value; of a batch with partitions, that of the run's last one."""
        key, steps = (self.part, *path), self.steps
        if path[0] == "batch" and self.result.partitions and self.graph.partitions(steps):
            return partition_key(key, self.result.partitions[-1])
        return key

    def _value_id(self, *path: str) -> str | None:
        """Return the id of the value that this run has stored."""
        record = self.workspace.values.record(self._key(*path), [self.result.run_id])
        return record.value_id if record and record.run_id == self.result.run_id else None

    def _train(self) -> dict[str, Any]:
        models, train_id = self.workspace.models, self._train_id()
        if not train_id or not self._value_id("model"):
            return {}
        try:
            manifest = models.manifest(self.part, train_id)
        except StorageError:
            return {"train_id": train_id}
        dp_id = manifest.dataprovider_id
        verdict = models.ledger(dp_id).verdict(train_id, manifest.trained)
        return {
            "id": dp_id,
            "train_id": train_id,
            "train_session_id": manifest.train_session_id,
            "current": models.current(dp_id) == train_id,
            "verdict": verdict.action if verdict else None,
            "hyperparameters_from": manifest.hyperparams_origin,
            "pre_reqs": dict(manifest.pre_reqs),
            "metrics": self._metrics(),
        }

    def _metrics(self) -> dict[str, dict[str, float | str | None]]:
        """Return the metrics of this run by set, which is empty for global ones, and name."""
        if not (value_id := self._value_id("trainset_metrics")):
            return {}
        table = self.workspace.values.read((self.part, "trainset_metrics"), (), value_id).value
        metrics: dict[str, dict[str, Any]] = {}
        for row in table.itertuples(index=False):
            name = "" if pd.isna(row.set) else str(row.set)
            value = row.value_text if pd.isna(row.value_number) else float(row.value_number)
            metrics.setdefault(name, {})[str(row.name)] = None if pd.isna(value) else value
        return metrics

    def _search(self) -> dict[str, Any]:
        """Return what a search has found; empty if there was none."""
        if not (value_id := self._value_id("hyperparameters")):
            return {}
        chosen = self.workspace.values.read((self.part, "hyperparameters"), (), value_id).value
        if not chosen.trials:
            fits = f"{self.part}__fit" in self.steps
            return {} if fits else {"search": {"trials": 0, "choice": chosen.choice}}
        best = best_of(chosen.trials, chosen.direction)
        return {
            "search": {
                "origin": chosen.origin,
                "trials": len(chosen.trials),
                "failed_trials": sum(trial.state == "failed" for trial in chosen.trials),
                "metric": chosen.metric,
                "best": best.value if best else None,
                "hyperparams": plain(chosen.hyperparams),
            }
        }

    def _files(self) -> dict[str, str]:
        """Return where the run has written what people open."""
        files: dict[str, str] = {}
        train = self._train_id()
        if train and self._value_id("model"):
            files["model"] = str(self.workspace.models.package(self.part, train))
        if train and self._value_id("plots"):
            files["plots"] = str(self.workspace.plots / self.part / train)
        for name, path in {
            "metrics": ("trainset_metrics",),
            "estimations": ("batch", "estimations"),
        }.items():
            if value_id := self._value_id(*path):
                folder = self.workspace.values.folder(self._key(*path))
                files[name] = str(folder / value_id)
        return files

    def _sinks(self) -> dict[str, str]:
        """Return where the run has written estimations, by name of the sink."""
        step = f"{self.part}__batch_sinks"
        paths = [key.path[1:] for key in self.graph.keys({step} & {*self.steps})]
        found = {path[-1]: (path, self._value_id(*path)) for path in paths}
        return {
            name: self.workspace.values.read(self._key(*path), (), value_id).value["address"]
            for name, (path, value_id) in found.items()
            if value_id
        }

    def _train_id(self) -> str | None:
        """Return the train that this run has made or used."""
        values = self.workspace.values
        record = values.record((self.part, "model"), [self.result.run_id])
        return record.facts.train_id if record else None

    def _warnings(self, failures: Sequence[Failure]) -> list[str]:
        """Return the checks that failed, without those that are the reason of a failure."""
        told = " ".join(one.text for one in failures)
        texts = [
            f"check {one.check_name}: {one.description}"
            for one in self.result.checks
            if key_part(one.asset_key.path[0]) == self.part
        ]
        return [text for text in texts if text.partition(": ")[2] not in told]


def _failure(failure: Failure) -> dict[str, str]:
    return {
        "phase": failure.step.rpartition("__")[2],
        "error": failure.error,
        "message": failure.text,
        "cause": failure.cause,
        "trace": failure.trace,
    }
