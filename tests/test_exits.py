"""Code of a project that ends its process makes the run fail, and is named."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xingu.errors import HookError
from xingu_dagster.exits import reported_exits

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("leave", [sys.exit, lambda code: os._exit(code)])
def test_the_end_of_the_process_is_an_error_that_names_file_and_line(leave):
    told = r"a__fit: .*test_exits\.py, line \d+, ends the process \(code 0\); raise an error"
    with pytest.raises(HookError, match=told), reported_exits("a__fit"):
        leave(0)


def test_other_errors_and_the_end_of_a_block_change_nothing():
    before = os._exit
    with pytest.raises(ValueError, match="mine"), reported_exits("a__fit"):
        raise ValueError("mine")
    with reported_exits("a__fit"):
        pass
    assert os._exit is before


def test_steps_in_threads_that_overlap_are_told_apart_and_change_nothing():
    before = os._exit
    first, second = reported_exits("a__fit"), reported_exits("b__fit")
    with ThreadPoolExecutor(1) as pool:
        first.__enter__()
        pool.submit(second.__enter__).result()
        with pytest.raises(SystemExit):
            os._exit(0)
        first.__exit__(None, None, None)
        with pytest.raises(SystemExit):
            pool.submit(os._exit, 0).result()
        pool.submit(second.__exit__, None, None, None).result()
    assert os._exit is before


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_end_of_the_process_by_another_thread_is_a_failure():
    done = run(
        """
        import os, threading
        from xingu_dagster.exits import reported_exits
        with reported_exits("a__fit"):
            thread = threading.Thread(target=os._exit, args=(0,))
            thread.start()
            thread.join()
        """
    )
    assert done.returncode == 1


def test_processes_that_a_hook_forks_end_as_they_like():
    done = run(
        """
        import os
        from xingu_dagster.exits import reported_exits
        with reported_exits("a__fit"):
            if not os.fork():
                os._exit(0)
            assert os.wait()[1] == 0
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
