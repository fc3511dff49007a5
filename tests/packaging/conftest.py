"""The archives of both distributions, built once for each process that runs tests of them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.distributions import BOTH, Distribution, build


@dataclass(frozen=True)
class Archives:
    """Files built from this repository, by name of the distribution."""

    wheels: dict[str, Path]
    sdists: dict[str, Path]


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Wheel and sdist of both distributions."""

    def of_both(kind: str) -> dict[str, Path]:
        return {one.name: made(one, kind) for one in BOTH}

    def made(one: Distribution, kind: str) -> Path:
        return build(one.folder, tmp_path_factory.mktemp(f"{one.name}-{kind}"), kind)

    return Archives(of_both("wheel"), of_both("sdist"))
