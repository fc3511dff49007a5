"""How a run's process hears of what the processes of its steps do: at once, and asleep until then.

Its one idea: it waits for all of them together. Dagster waits 20 ms for each that is silent before
it looks at the next one, and takes one event at a time, so a step that has much to say beside one
that computes ended a third of a second late.
"""

import threading
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from typing import Any
from weakref import WeakSet

from dagster._core.executor import child_process_executor

LONGEST_WAIT_SECONDS = 0.02
"""Then the run's process looks for signals, and whether a silent process is alive."""
ROUNDS_AWAKE = 10
"""After an event the run's process has more to do before it can wait: it starts the next step, in
several rounds in which it asks the other processes for events each time."""

_dagsters_own = child_process_executor._poll_for_event


class _Heard(threading.local):
    """What one run has heard; a run lives in one thread."""

    def __init__(self) -> None:
        self.queues: WeakSet[Queue] = WeakSet()
        self.silent_rounds = 0

    def wait(self) -> None:
        """Sleep until a process has an event, if there was none for a while."""
        if self.silent_rounds > ROUNDS_AWAKE:
            queues: Any = self.queues  # there is no public way to wait for several
            readers = [queue._reader for queue in queues]
            connection.wait([one for one in readers if not one.closed], LONGEST_WAIT_SECONDS)


_heard = _Heard()


def hear_children_at_once() -> None:
    """Let Dagster's multiprocess executor wait for all of its processes together."""
    child_process_executor.TICK = 0.0  # Dagster only looks; the waiting is done here
    child_process_executor._poll_for_event = _poll_for_event


def _poll_for_event(process: BaseProcess, queue: Queue) -> Any:
    """Return the next event of a process, or what Dagster makes of there being none."""
    _heard.queues.add(queue)
    _heard.wait()
    event = _dagsters_own(process, queue)
    _heard.silent_rounds = 0 if event is not None else _heard.silent_rounds + 1
    return event
