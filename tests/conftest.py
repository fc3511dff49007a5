"""Fixtures that every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.services"]

# A busy machine shall not decide whether a rule holds.
settings.register_profile("xingu", deadline=None, derandomize=True)
settings.load_profile("xingu")
