"""Fixtures that every test may use."""

import os

from hypothesis import settings

# Tests run side by side: a train that takes all cores would wait for the others' threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"

pytest_plugins = ["tests.services"]

# A busy machine shall not decide whether a rule holds.
settings.register_profile("xingu", deadline=None, derandomize=True)
settings.load_profile("xingu")
