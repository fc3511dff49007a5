"""A project with two targets, and a Model that is fitted once."""

import pytest

from tests.support.targets import fit_houses, targets_in


@pytest.fixture(scope="package")
def model():
    return fit_houses()


@pytest.fixture
def project(tmp_path, model, monkeypatch):
    return targets_in(tmp_path, model, monkeypatch)
