"""Ticks of sensors, written to the storage of an instance."""

import time

from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin


def ticked(instance, name, age, error=None, status=InstigatorStatus.DECLARED_IN_CODE):
    """Record that a sensor has ticked `age` seconds ago."""
    target = LoadableTargetOrigin(module_name="project")
    location = InProcessCodeLocationOrigin(target, location_name="project")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
    data = SensorInstigatorData(min_interval=30, sensor_type=None)
    state = InstigatorState(origin, InstigatorType.SENSOR, status, data)
    instance.add_instigator_state(state)
    instance.create_tick(
        TickData(state.instigator_origin_id, name, InstigatorType.SENSOR,
                 TickStatus.FAILURE if error else TickStatus.SKIPPED, time.time() - age,
                 error=error, selector_id=state.selector_id)
    )  # fmt: skip
