"""The archives of both distributions, built once for each process that runs tests of them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.declared import BOTH, Distribution


@dataclass(frozen=True)
class Archives:
    """Files built from this repository, by name of the distribution."""

    wheels: dict[str, Path]
    sdists: dict[str, Path]


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a ``wheel`` or an ``sdist`` of the folder `source` into `target`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [archive] = target.iterdir()
    return archive


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Wheel and sdist of both distributions."""

    def of_both(kind: str) -> dict[str, Path]:
        return {one.name: made(one, kind) for one in BOTH}

    def made(one: Distribution, kind: str) -> Path:
        return build(one.folder, tmp_path_factory.mktemp(f"{one.name}-{kind}"), kind)

    return Archives(of_both("wheel"), of_both("sdist"))
