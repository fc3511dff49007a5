"""Deploys in processes that are killed, and several at once."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Return the trains that targets served after kills, and the exit codes of eight deploys."""
    folder = tmp_path_factory.mktemp("kills")
    command = [sys.executable, "-m", "tests.support.deploys", str(folder), "40"]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return json.loads(run.stdout)


def test_a_killed_deploy_leaves_what_was_served_and_the_next_one_finishes(outcome):
    """`tests.support.deploys` deploys again after each kill, and raises if that fails."""
    served = outcome["served"]
    parts = ("copy", "verify", "prove", "rows", "pointer")
    assert {served[f"before {part}"] for part in parts} == {"first"}
    # Only what comes after the entry of the ledger may be missing when the second is served.
    by_change = [train for name, train in served.items() if "change" in name]
    assert by_change == sorted(by_change)
    assert by_change[0] == "first"


def test_one_of_eight_deploys_at_once_wins_and_the_others_say_so(outcome):
    assert outcome["eight"] == {"0": 1, "3": 7}
