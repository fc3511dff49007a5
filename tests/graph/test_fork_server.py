"""The fork server of a command: forked where that is safe, and gone when the command is."""

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, sys, threading, time
{before}
from xingu_dagster.fork_server import start_fork_server

def child(queue):
    queue.put(("json.tool" in sys.modules, hasattr(multiprocessing, "inherited")))

if __name__ == "__main__":
    multiprocessing.inherited = True
    start_fork_server(["json.tool"])
    start_fork_server(["json.tool"])
    context = multiprocessing.get_context("forkserver")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    print(queue.get(timeout=30))
    process.join()
    from multiprocessing import forkserver
    print(process.exitcode, forkserver._forkserver._forkserver_pid)
"""


THREAD = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"


@pytest.mark.parametrize(("before", "forked"), [("", True), (THREAD, False)])
def test_a_child_finds_everything_and_the_server_ends_with_the_command(tmp_path, before, forked):
    script = tmp_path / "command.py"
    script.write_text(SCRIPT.format(before=before))
    command = [sys.executable, str(script), "materialize"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
    child, parent = found.stdout.splitlines()
    assert child == str((True, forked))
    exit_code, server = map(int, parent.split())
    assert exit_code == 0
    assert not _is_running(server)


def _is_running(pid: int) -> bool:
    """Whether a process is there and no zombie, waiting for its end for some seconds."""
    import psutil

    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
