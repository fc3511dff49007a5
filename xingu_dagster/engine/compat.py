"""Decide at run time whether this Dagster has the internals that a part of the engine needs.

Each part lists the objects that it uses and the parameters that it passes. They are looked up when
the part is used for the first time, never at import. If one is missing, stock Dagster takes the
part's place, and one warning says so. `XINGU_ENGINE=stock` makes every probe fail.
"""

import inspect
import logging
import os
from functools import cache
from importlib import import_module
from multiprocessing import parent_process
from operator import attrgetter
from typing import Literal

logger = logging.getLogger(__name__)

Part = Literal[
    "pool", "runs", "threads", "storage", "compute_logs", "locations", "asset_values", "launcher"
]  # fmt: skip

_CORE = "dagster._core"
_PLAN = f"{_CORE}.execution.plan"
_STORAGE = f"{_CORE}.storage"
_EVENT_LOG = f"{_STORAGE}.event_log.sqlite.sqlite_event_log:SqliteEventLogStorage"
_LOCAL_LOGS = f"{_STORAGE}.local_compute_log_manager"
_ACTIVE = {
    f"{_PLAN}.active:ActiveExecution.check_for_interrupts": "",
    f"{_PLAN}.active:ActiveExecution.concurrency_event_iterator": "plan_context",
    f"{_PLAN}.active:ActiveExecution.get_known_state": "",
    f"{_PLAN}.active:ActiveExecution.get_steps_to_execute": "limit",
    f"{_PLAN}.active:ActiveExecution.handle_event": "dagster_event",
    f"{_PLAN}.active:ActiveExecution.is_complete": "",
    f"{_PLAN}.active:ActiveExecution.mark_interrupted": "",
    f"{_PLAN}.active:ActiveExecution.plan_events_iterator": "job_context",
    f"{_PLAN}.active:ActiveExecution.verify_complete": "job_context step_key",
    f"{_PLAN}.instance_concurrency_context:InstanceConcurrencyContext": "instance dagster_run",
}

NEEDED: dict[Part, dict[str, str]] = {
    "pool": {
        "dagster:DagsterEvent.engine_event": "message event_specific_data",
        "dagster:DagsterEvent.step_worker_started": (
            "log_manager job_name message metadata step_key"
        ),
        "dagster:DagsterEvent.step_worker_starting": "step_context message metadata",
        "dagster:DagsterInstance.from_ref": "instance_ref",
        "dagster:Executor.log_failure_or_retry_event_after_error": (
            "step_context err_info known_state"
        ),
        f"{_CORE}.events:EngineEventData": "metadata error",
        f"{_CORE}.events:EngineEventData.engine_error": "error",
        f"{_CORE}.events:EngineEventData.interrupted": "steps_interrupted",
        f"{_CORE}.events:EngineEventData.multiprocess": "pid step_keys_to_execute",
        f"{_CORE}.execution.api:create_execution_plan": (
            "job run_config step_keys_to_execute known_state repository_load_data"
        ),
        f"{_CORE}.execution.api:execute_plan_iterator": (
            "execution_plan job dagster_run instance retry_mode run_config"
        ),
        f"{_CORE}.execution.context.system:PlanOrchestrationContext.for_step": "step",
        f"{_CORE}.execution.context.system:PlanOrchestrationContext.reconstructable_job": "",
        f"{_CORE}.execution.context_creation_job:create_context_free_log_manager": (
            "instance dagster_run"
        ),
        f"{_CORE}.execution.retries:RetryMode.for_inner_plan": "",
        f"{_PLAN}.active:ActiveExecution": (
            "execution_plan retry_mode sort_key_fn max_concurrent tag_concurrency_limits "
            "instance_concurrency_context step_dependency_config"
        ),
        f"{_PLAN}.active:ActiveExecution.get_step_by_key": "step_key",
        **_ACTIVE,
        f"{_PLAN}.plan:ExecutionPlan.repository_load_data": "",
        f"{_PLAN}.plan:ExecutionPlan.step_keys_to_execute": "",
        "dagster._utils:get_run_crash_explanation": "prefix exit_code",
        "dagster._utils.error:serializable_error_info_from_exc_info": "exc_info",
        "dagster._utils.interrupts:capture_interrupts": "",
        "dagster._utils.interrupts:pop_captured_interrupt": "",
    },
    "runs": {
        "dagster:DagsterInstance.create_run_for_job": (
            "job_def run_id run_config tags job_code_origin asset_selection"
        ),
        "dagster:DagsterInstance.report_run_canceled": "dagster_run",
        "dagster:DagsterInstance.report_run_canceling": "run",
        f"{_CORE}.definitions.job_base:InMemoryJob": "job_def",
        f"{_CORE}.definitions.reconstruct:ReconstructableRepository.for_module": (
            "module fn_name working_directory"
        ),
        f"{_CORE}.definitions.reconstruct:ReconstructableRepository.get_reconstructable_job": (
            "name"
        ),
        f"{_CORE}.execution.api:execute_run_iterator": "job dagster_run instance",
    },
    "threads": {
        "dagster:DagsterEvent.capture_logs": "job_context step_keys log_key log_context",
        "dagster:DagsterEvent.engine_event": "message event_specific_data",
        f"{_CORE}.events:EngineEventData.in_process": "pid step_keys_to_execute",
        f"{_CORE}.events:EngineEventData.interrupted": "steps_interrupted",
        f"{_CORE}.execution.api:ExecuteRunWithPlanIterable": (
            "execution_plan iterator execution_context_manager"
        ),
        f"{_CORE}.execution.compute_logs:create_compute_log_file_key": "",
        f"{_CORE}.execution.context_creation_job:PlanExecutionContextManager": (
            "job retry_mode execution_plan run_config dagster_run instance raise_on_error "
            "output_capture step_dependency_config"
        ),
        f"{_PLAN}.active:ActiveExecution": (
            "execution_plan retry_mode max_concurrent tag_concurrency_limits "
            "instance_concurrency_context step_dependency_config"
        ),
        **_ACTIVE,
        f"{_PLAN}.execute_plan:dagster_event_sequence_for_step": "step_context",
    },
    "storage": {
        f"{_EVENT_LOG}": "base_dir inst_data",
        f"{_EVENT_LOG}._has_asset_key_col_on_connection": "conn column_name",
        f"{_EVENT_LOG}.conn_string_for_shard": "shard_name",
        f"{_EVENT_LOG}.dispose": "",
        f"{_EVENT_LOG}.has_secondary_index": "name",
        f"{_EVENT_LOG}.has_table": "table_name",
        f"{_EVENT_LOG}.index_connection": "",
        f"{_EVENT_LOG}.run_connection": "run_id",
        f"{_EVENT_LOG}.store_event_batch": "events",
        f"{_EVENT_LOG}.wipe": "",
        f"{_EVENT_LOG.partition(':')[0]}:INDEX_SHARD_NAME": "",
        f"{_STORAGE}.runs.sqlite.sqlite_run_storage:SqliteRunStorage": "conn_string inst_data",
        f"{_STORAGE}.runs.sqlite.sqlite_run_storage:SqliteRunStorage.connect": "",
        f"{_STORAGE}.runs.sqlite.sqlite_run_storage:SqliteRunStorage.from_local": (
            "base_dir inst_data"
        ),
        f"{_STORAGE}.schedules.sqlite.sqlite_schedule_storage:SqliteScheduleStorage": (
            "conn_string inst_data"
        ),
        f"{_STORAGE}.schedules.sqlite.sqlite_schedule_storage:SqliteScheduleStorage.connect": "",
        f"{_STORAGE}.schedules.sqlite.sqlite_schedule_storage:SqliteScheduleStorage.from_local": (
            "base_dir inst_data"
        ),
        f"{_STORAGE}.sqlite:SQLITE_BUSY_TIMEOUT_SECONDS": "",
        f"{_STORAGE}.sqlite:create_db_conn_string": "base_dir db_name",
        f"{_STORAGE}.sqlite_storage:DagsterSqliteStorage.event_log_storage": "",
        f"{_STORAGE}.sqlite_storage:DagsterSqliteStorage.run_storage": "",
        f"{_STORAGE}.sqlite_storage:DagsterSqliteStorage.schedule_storage": "",
    },
    "compute_logs": {
        f"{_CORE}.execution.compute_logs:redirect_to_file": "stream filepath",
        f"{_STORAGE}.compute_log_manager:CapturedLogContext": "log_key",
        f"{_STORAGE}.compute_log_manager:ComputeIOType.STDERR": "",
        f"{_LOCAL_LOGS}:IO_TYPE_EXTENSION": "",
        f"{_LOCAL_LOGS}:LocalComputeLogManager": "base_dir inst_data",
        f"{_LOCAL_LOGS}:LocalComputeLogManager.capture_logs": "log_key",
        f"{_LOCAL_LOGS}:LocalComputeLogManager.complete_artifact_path": "log_key",
        f"{_LOCAL_LOGS}:LocalComputeLogManager.get_captured_local_path": "log_key extension",
    },
    "locations": {
        "dagster._cli.utils:has_pyproject_dagster_block": "path",
        f"{_CORE}.remote_origin:ManagedGrpcPythonEnvCodeLocationOrigin.loadable_target_origin": "",
        f"{_CORE}.workspace.load_target:PyProjectFileTarget": "",
        f"{_CORE}.workspace.load_target:PyProjectFileTarget.create_origins": "",
        f"{_CORE}.workspace.load_target:WorkspaceFileTarget": "",
        f"{_CORE}.workspace.load_target:WorkspaceFileTarget.create_origins": "",
    },
    "launcher": {
        "dagster:DefaultRunLauncher.supports_check_run_worker_health": "",
        "dagster:DefaultRunLauncher.check_run_worker_health": "run",
        f"{_CORE}.launcher.base:CheckRunHealthResult": "status msg",
        f"{_CORE}.launcher.base:WorkerStatus.FAILED": "",
        f"{_CORE}.launcher.base:WorkerStatus.RUNNING": "",
    },
    "asset_values": {
        f"{_STORAGE}.asset_value_loader:AssetValueLoader": "assets_defs_by_key instance",
        f"{_STORAGE}.asset_value_loader:AssetValueLoader.load_asset_value": (
            "asset_key partition_key_range input_definition_metadata resource_config"
        ),
    },
}


@cache
def usable(part: Part) -> bool:
    """Return whether Dagster has what `part` needs; the first refusal is logged as a warning."""
    missing = find_missing(part)
    if missing is None:
        return True
    if not _told and parent_process() is None:  # the run's process has logged it
        _told.append(part)
        logger.warning(
            "Xingu's engine falls back to stock Dagster, which is slower, because %s.", missing
        )
    return False


_told: list[Part] = []
"""The part whose fallback this process has logged."""


def find_missing(part: Part) -> str | None:
    """Return what `part` needs and this Dagster does not have; None if it has everything."""
    if os.environ.get("XINGU_ENGINE") == "stock":
        return "XINGU_ENGINE=stock"
    for name, parameters in NEEDED[part].items():
        module, _, path = name.partition(":")
        try:
            found = attrgetter(path)(import_module(module))
        except (ImportError, AttributeError) as error:
            return f"Dagster has no {module}.{path} ({error})"
        if lacking := set(parameters.split()) - set(_parameters(found)):
            return f"{module}.{path} takes no {', '.join(sorted(lacking))}"
    return None


def _parameters(found: object) -> list[str]:
    return list(inspect.signature(found).parameters) if callable(found) else []
