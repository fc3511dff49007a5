"""SIGKILL at changes of the disk: nothing incomplete is visible, and what is left is swept."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEP = 14
"""Every fourteenth change; with 1 it takes half a minute."""


def test_a_killed_writer_leaves_nothing_half_written_and_nothing_that_is_not_swept(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.kills", tmp_path, str(STEP)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kills, left = map(int, done.stdout.split())
    assert kills >= 6
    assert left >= 1
