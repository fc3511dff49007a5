"""Find what keeps a project from running: storage, databases, Dagster's daemon, sensors and runs.

Everything is only read, except that storage is tried with an empty file. Each part runs as a job
with a time limit, so one that hangs is reported and does not stop the others.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import dagster as dg

from xingu.config import read_settings
from xingu.config.hints import notes_on
from xingu.inspection.findings import Finding, sorted_findings
from xingu.inspection.jobs import Doing, Job, run_jobs
from xingu.inspection.places import place_jobs
from xingu.maintenance import sweep
from xingu.texts import counted
from xingu.workspace import Workspace
from xingu_dagster.engine.run_process import dead_runs, process_of
from xingu_dagster.engine.ticks import sensor_states
from xingu_dagster.failures import first_cause
from xingu_dagster.instance import instance_folder

Open = Callable[[Path], dg.DagsterInstance]
Steps = Iterator[Finding | Doing]
FREE_BYTES = 1 << 30
"""Free space of a disk below which there is a warning."""
BEAT_SECONDS, QUIET_SECONDS = 300, 3600
"""Age of a heartbeat of the daemon, and of the last event of a run, from which it is reported."""


def diagnose(open_instance: Open, seconds: float = 5) -> list[Finding]:
    """Return what is wrong with the project of the current folder, errors first.

    Args:
        open_instance: Opens the instance of a project, given its folder.
        seconds: Time limit of each thing that is looked at.
    """
    reading = read_settings()
    findings = [
        Finding("error", name, f"the setting cannot be used: {text}; commands fail. Correct it.")
        for name, text in reading.problems.items()
    ]
    findings += [
        Finding("warning", "settings", f"{note} What it should set has its default.")
        for note in notes_on(reading.lookup)
    ]
    workspace = Workspace(reading.settings)
    home = workspace.home
    jobs = [
        *place_jobs(workspace, reading.settings.table_prefix),
        Job("alerts", partial(_alerts, workspace)),
        Job("disk", partial(_disk, home)),
        Job("leftovers", partial(_leftovers, workspace)),
        Job("pins", partial(_pins, workspace)),
    ]
    if instance_folder(home).is_dir():
        jobs.append(Job("Dagster", partial(_look, home, open_instance)))
    findings += [finding for _, finding in run_jobs(jobs, seconds, len(jobs)) if finding]
    return sorted_findings(findings)


# -- the project ---------------------------------------------------------------------------------


def _alerts(workspace: Workspace) -> Steps:
    yield Doing("reading the channels of alerts")
    workspace.alerts  # noqa: B018 - an error of a channel becomes a finding


def _disk(home: Path) -> Steps:
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        text = (
            f"{free / 2**20:,.0f} MiB are free on the disk of {home}; a train that fills it fails. "
            "Remove old trains with `xingu inventory prune`."
        )
        yield Finding("warning", "disk", text)


def _leftovers(workspace: Workspace) -> Steps:
    yield Doing("looking for leftovers")
    found = sweep(workspace.models, workspace.plot_folders, workspace.values, dry_run=True)
    if found:
        text = (
            f"killed processes left {counted(len(found), 'path')}; "
            "nothing reads them, but they take space. `xingu inventory prune` removes them."
        )
        yield Finding("warning", "leftovers", text)


def _pins(workspace: Workspace) -> Steps:
    yield Doing("reading the pins")
    for dp_id in workspace.models.dataproviders():
        if pin := workspace.models.pin_of(dp_id):
            text = (
                f"current is {pin}, so new trains do not become current. If that is not intended, "
                f"`xingu inventory unpin {dp_id}`, or remove it from inventory.yaml."
            )
            yield Finding("warning", dp_id, text)


# -- Dagster -------------------------------------------------------------------------------------


def _look(home: Path, open_instance: Open) -> Steps:
    yield Doing("opening Dagster's storage")
    with open_instance(home) as instance:
        for part in (_daemon, _sensors, _runs, _pools):
            yield Doing(f"reading the {part.__name__.strip('_')}")
            yield from part(instance)


def _daemon(instance: dg.DagsterInstance) -> Steps:
    beats = instance.get_daemon_heartbeats()
    queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    newest = max((one.timestamp for one in beats.values()), default=None)
    age = time.time() - newest if newest else None
    if age is not None and age <= BEAT_SECONDS:
        return
    waiting = any(one.running for one in sensor_states(instance))
    if not queued and not waiting:
        return
    since = f"has been silent for {age / 60:,.0f} minutes" if age else "has never run"
    waits = f", and {counted(queued, 'queued run')} cannot start" if queued else ""
    text = (
        f"Dagster's daemon {since}: no sensor ticks and no schedule starts{waits}. "
        f"Start `xingu ui`, or `dagster-daemon run`."
    )
    yield Finding("error", "daemon", text)


def _sensors(instance: dg.DagsterInstance) -> Steps:
    for one in sensor_states(instance):
        subject = f"sensor {one.name!r}"
        if one.late:
            text = (
                f"it has not ticked for {(one.age or 0) / 60:,.0f} minutes, so nothing that it "
                "watches is acted on; look at the daemon and at the code location."
            )
            yield Finding("error", subject, text)
        elif one.running and one.error is not None:
            text = f"its last tick failed, so it acts on nothing: {first_cause(one.error)}"
            yield Finding("error", subject, text)


def _runs(instance: dg.DagsterInstance) -> Steps:
    dead = {run.run_id: process for run, process in dead_runs(instance)}
    for run_id, process in dead.items():
        text = (
            f"it is marked as running, but {process} has ended. It blocks the queue and holds its "
            "pools until the next `xingu train`, or the daemon, marks it as failed."
        )
        yield Finding("warning", f"run {run_id[:8]}", text)
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    for record in instance.get_run_records(started, limit=50):
        run, quiet = record.dagster_run, time.time() - record.update_timestamp.timestamp()
        known = process_of(run)
        running = known is not None and known.state == "running"
        if run.run_id not in dead and not running and quiet > QUIET_SECONDS:
            text = (
                f"it is marked as running, and has not changed for {quiet / 3600:,.0f} hours; if "
                "its process is gone, terminate it in the UI, because it blocks the queue."
            )
            yield Finding("warning", f"run {run.run_id[:8]}", text)


def _pools(instance: dg.DagsterInstance) -> Steps:
    storage = instance.event_log_storage
    for pool in sorted(storage.get_concurrency_keys()):
        holders: Sequence[str] = sorted(storage.get_concurrency_info(pool).active_run_ids)
        for run_id in holders:
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                text = (
                    f"the run {run_id[:8]} has ended and still holds a slot, so others wait for "
                    "it; free it in the UI (Deployment, Concurrency), or set "
                    "run_monitoring.free_slots_after_run_end_seconds in dagster.yaml."
                )
                yield Finding("error", f"pool {pool!r}", text)
