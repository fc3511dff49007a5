"""The run's process hears of all its steps' processes, whichever of them speaks."""

import multiprocessing
import os
import signal
import time

from dagster._core.executor.child_process_executor import PROCESS_DEAD_AND_QUEUE_EMPTY

from xingu_dagster.child_events import _poll_for_event


def say(queue, words, seconds):
    time.sleep(seconds)
    for word in words:
        queue.put(word)


def children(*tasks):
    context = multiprocessing.get_context("spawn")
    started = []
    for words, seconds in tasks:
        queue = context.Queue()
        process = context.Process(target=say, args=(queue, words, seconds))
        process.start()
        started.append((process, queue))
    return started


def hear(started):
    """Poll in turns, as Dagster does, until all are dead and their queues empty."""
    heard = {process.pid: [] for process, _ in started}
    alive = list(started)
    while alive:
        for process, queue in list(alive):
            event = _poll_for_event(process, queue)
            if event == PROCESS_DEAD_AND_QUEUE_EMPTY:
                alive.remove((process, queue))
                queue.close()
            elif event is not None:
                heard[process.pid].append(event)
    return list(heard.values())


def test_all_events_of_all_are_heard_in_the_order_of_each():
    many = [f"event {number}" for number in range(200)]
    assert hear(children((many, 0), (["late"], 1), ([], 0))) == [many, ["late"], []]


def test_a_killed_process_is_noticed_while_another_is_silent():
    started = children((["never"], 600), (["late"], 1))
    os.kill(started[0][0].pid, signal.SIGKILL)
    assert hear(started) == [[], ["late"]]
