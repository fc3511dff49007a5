"""Read the state of sensors: when each ticked last, and with which outcome.

Dagster keeps a row for each tick in its own storage; these rows are the heartbeats of sensors.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg


@dataclass(frozen=True, slots=True)
class SensorState:
    """A sensor, as Dagster's storage has it.

    Attributes:
        name: Its name.
        location: Name of its code location.
        running: Whether it is turned on.
        interval: Seconds between two ticks.
        age: Seconds since its last tick began; None: it has never ticked.
        status: Outcome of that tick in lower case: success, skipped, started, failure; empty: none.
        error: The error of that tick, as Dagster records it; None: none.
    """

    name: str
    location: str
    running: bool
    interval: float
    age: float | None
    status: str
    error: Any

    @property
    def late(self) -> bool:
        """Whether it should have ticked: ten intervals ago, and ten minutes ago."""
        return self.running and self.age is not None and self.age > max(600, 10 * self.interval)


def sensor_states(instance: dg.DagsterInstance) -> Iterator[SensorState]:
    """Yield the sensors that have ticked or were turned on or off, of all code locations."""
    if instance.schedule_storage is None:  # an instance in memory
        return
    now = time.time()
    for state in instance.all_instigator_state():
        if state.instigator_type.value != "SENSOR":
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        last = ticks[0] if ticks else None
        data: Any = state.instigator_data
        origin = state.origin.repository_origin
        yield SensorState(
            name=state.instigator_name,
            location=origin.code_location_origin.location_name,
            running=state.status.value != "STOPPED",
            interval=float(getattr(data, "min_interval", None) or 30),
            age=max(now - last.timestamp, 0) if last else None,
            status=last.status.value.lower() if last else "",
            error=last.error if last else None,
        )
