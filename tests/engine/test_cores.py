"""Steps that run at the same time share the cores."""

import lightgbm  # noqa: F401 - loads OpenMP
import pytest
from threadpoolctl import threadpool_info

from xingu.cores import all_cores, own_cores
from xingu_dagster.engine import cores
from xingu_dagster.engine.cores import limited_to, share


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr(cores, "all_cores", lambda: 4)


def openmp_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "openmp"}


@pytest.mark.parametrize(("models", "expected"), [(0, 4), (1, 4), (2, 2), (3, 1), (9, 1)])
def test_each_model_gets_an_equal_share_and_one_core_at_least(models, expected):
    assert share(models) == expected


def test_a_share_limits_threads_of_openmp_and_of_searches_while_it_lasts():
    before = openmp_threads()
    with limited_to(1):
        assert openmp_threads() == {1}
        assert own_cores() == 1
    assert openmp_threads() == before
    assert own_cores() == all_cores()


def test_a_model_that_is_trained_alone_has_all_threads():
    before = openmp_threads()
    with limited_to(4):
        assert openmp_threads() == before
