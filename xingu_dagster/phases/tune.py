"""The phase `tune`: decide the hyperparameters, after a search if that is requested."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg

from xingu.plots.files import Header
from xingu.registry.lifecycle import disqualified
from xingu.stages.draw import draw_search
from xingu.stages.train import tune
from xingu.tracking.attributes import searched_attributes
from xingu.tracking.record import record_attributes
from xingu.tracking.trials import earlier_hyperparameters, open_trials
from xingu.tuning.resolve import (
    STRATEGIES,
    EarlierTrain,
    Hyperparameters,
    Tuning,
    unknown_train,
)
from xingu.tuning.trials import best_of, plain
from xingu.values import Facts, Label
from xingu_dagster.metadata import Metadata, cell
from xingu_dagster.phases.build import build_phase
from xingu_dagster.phases.plots import save_gallery
from xingu_dagster.phases.step import PhaseStep
from xingu_dagster.spec import ProviderSpec

logger = logging.getLogger(__name__)

ASSET = ("hyperparameters",)


def build_tune(provider: ProviderSpec) -> dg.AssetsDefinition:
    """Build the asset ``<dp>/hyperparameters``."""
    deps = [provider.asset_key("splits")]
    spec = provider.asset_spec(*ASSET, deps=deps, kinds=["python"])
    return build_phase(provider, "tune", [spec], run_tune)


def run_tune(step: PhaseStep) -> Iterator[dg.MaterializeResult]:
    """Materialize the hyperparameters."""
    with step.recorded("train_hyperhandle"):
        started = time.perf_counter()
        splits, place, run = step.get("splits"), step.workspace, step.train_run
        version = step.derived_version(("splits",))
        tuning = Tuning(
            strategy=step.options.hyperopt_strategy,
            evaluations=step.options.hyperopt_evaluations,
            earlier=partial(_earlier, step),
            open_log=lambda subject: open_trials(place.control, run, (version, subject)),
            workers=place.hyperopt_workers,
        )
        chosen = tune(step.builder, splits, run, tuning)
        if tuning.evaluations and not chosen.trials:
            logger.warning("%s: hyperopt_evaluations=%d is not used, because nothing was searched",
                           step.spec.id, tuning.evaluations)  # fmt: skip
        given = json.dumps(plain([chosen.params, chosen.hyperparams]), sort_keys=True)
        version = step.derived_version(("splits",), extra=[given])
        label = Label(version, Facts(options=step.used_options))
        plots = _plots(step, chosen) if chosen.trials else {}
        metadata = {**plots, **_describe(chosen), **_search_metadata(chosen)}
        yield step.keep(ASSET, chosen, label, time.perf_counter() - started, metadata)
        if chosen.trials:  # so that another train finds them, whether this one is fitted or not
            record_attributes(place.control, run, searched_attributes(chosen))


def require_hyperparameters(step: PhaseStep) -> None:
    """Raise if this run takes hyperparameters of a train or session that has none.

    Raises:
        UntrainedModelError: If the control DB has none.
    """
    strategy = step.options_of["tune"].values.hyperopt_strategy
    if strategy in STRATEGIES or step.spec.cls.hollow or not step.selected_in_run(*ASSET):
        return
    found = earlier_hyperparameters(step.workspace.control, step.spec.id, strategy)
    if next(iter(found), None) is None:
        raise unknown_train(step.spec.id, strategy)


def _earlier(step: PhaseStep, train_or_session_id: str | None) -> Iterator[EarlierTrain]:
    """Yield earlier trains, newest first, with why ``last`` takes nothing of some of them."""
    models, dp_id = step.workspace.models, step.spec.id
    ledger = models.ledger(dp_id)
    for train in earlier_hyperparameters(step.workspace.control, dp_id, train_or_session_id):
        reason = disqualified(models, ledger, train.train_id, train.trained)
        yield replace(train, disqualified=reason)


def _describe(chosen: Hyperparameters) -> Metadata:
    return {
        "origin": chosen.origin,
        "choice": chosen.choice,
        "params": as_json(chosen.params),
        "hyperparams": as_json(chosen.hyperparams),
        "declared hyperparams": as_json(chosen.declared.get("hyperparams", {})),
    }


def _search_metadata(chosen: Hyperparameters) -> Metadata:
    if not chosen.trials:
        return {}
    best = best_of(chosen.trials, chosen.direction)
    failed = sum(trial.state == "failed" for trial in chosen.trials)
    return {
        "trials": len(chosen.trials),
        "failed trials": failed,
        "seconds of all trials": round(sum(trial.seconds for trial in chosen.trials), 3),
        **({f"best {chosen.metric}": best.value, "best trial": best.number + 1} if best else {}),
        "table of trials": _table(chosen),
    }


def _table(chosen: Hyperparameters) -> dg.TableMetadataValue:
    """Return the trials as a table, the best first, failed ones last."""
    sign = 1 if chosen.direction == "minimize" else -1
    worst = float("inf")
    ranked = sorted(chosen.trials, key=lambda one: worst if one.value is None else sign * one.value)
    names = list(chosen.trials[0].params)
    columns = ["trial", "state", chosen.metric, *names, "seconds", "reason"]
    rows = [
        (
            one.number + 1,
            one.state,
            one.value,
            *(one.params.get(name) for name in names),
            round(one.seconds, 3),
            one.reason,
        )
        for one in ranked
    ]
    cells = [["" if value is None else cell(plain(value)) for value in row] for row in rows]
    records = [dict(zip(columns, row, strict=True)) for row in cells]
    schema = dg.TableSchema([dg.TableColumn(name) for name in columns])
    return dg.MetadataValue.table([dg.TableRecord(one) for one in records], schema=schema)


def _plots(step: PhaseStep, chosen: Hyperparameters) -> Metadata:
    """Save the plots of the search beside those of the train; errors must not lose the search."""
    run, metadata = step.train_run, {}
    gallery = draw_search(chosen, step.spec.id, step.spec.cls.builtin_plots_off)
    with gallery.failures.tolerate(f"saving the plots of the search of {step.spec.id}"):
        _, metadata = save_gallery(step, gallery, *ASSET, Header(run, datetime.now(UTC)))
    if gallery.failures.errors:
        failed = "\n".join(f"- {error}" for error in gallery.failures.errors)
        metadata |= {"plots that failed": dg.MetadataValue.md(failed)}
    return metadata


def as_json(value: Any) -> dg.JsonMetadataValue:
    """Return parameters as JSON; other values become text."""
    return dg.MetadataValue.json(plain(value))
