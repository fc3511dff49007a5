"""Where a train comes from: commit, branch, machine, person, CI job, library versions.

Read once per process. A project that is no git repository, a repository that git refuses to open
and a missing git binary are one warning, never a failed train.
"""

import getpass
import logging
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

logger = logging.getLogger(__name__)

LIBRARIES = ("xingu", "pandas", "numpy", "pyarrow", "scikit-learn", "lightgbm")
CI_VARIABLES = ("GITHUB_ACTOR", "GITHUB_WORKFLOW", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known about the place that a train ran in; `None` where it could not be had."""

    git_commit: str | None = None
    git_branch: str | None = None
    git_dirty: bool | None = None
    user_name: str | None = None
    host_name: str | None = None
    python: str = field(default_factory=platform.python_version)
    libraries: Mapping[str, str] = field(default_factory=dict)
    ci: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return plain values, as stored in a manifest."""
        return asdict(self)


@cache
def read_provenance(home: Path) -> Provenance:
    """Return the provenance of trains that run in the project at `home`."""
    commit, branch, dirty = _read_git(home)
    return Provenance(
        git_commit=commit,
        git_branch=branch,
        git_dirty=dirty,
        user_name=os.environ.get("USERNAME") or _user_name(),
        host_name=os.environ.get("HOSTNAME") or socket.gethostname(),
        libraries=library_versions(),
        ci={name.lower(): os.environ[name] for name in CI_VARIABLES if os.environ.get(name)},
    )


def library_versions() -> dict[str, str]:
    """Return the installed versions of the libraries that decide what a model estimates."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _read_git(home: Path) -> tuple[str | None, str | None, bool | None]:
    try:
        import git
    except ImportError as error:
        logger.warning("Trains are not tied to a commit: git cannot be run (%s)", error)
        return None, None, None
    try:
        with git.Repo(home, search_parent_directories=True) as repository:
            branch = _ci_branch() if repository.head.is_detached else repository.head.ref.name
            if not repository.head.is_valid():
                logger.warning("Trains are not tied to a commit: %s has none yet", home)
                return None, branch, True
            dirty = repository.is_dirty(untracked_files=True)
            return repository.head.commit.hexsha, branch, dirty
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        logger.warning("Trains are not tied to a commit: %s is in no git repository", home)
    except (git.GitCommandError, git.GitCommandNotFound, ValueError, OSError) as error:
        logger.warning("Trains are not tied to a commit: git refuses to read %s (%s)", home, error)
    return None, None, None


def _ci_branch() -> str | None:
    """The branch of a CI job, which checks out a detached HEAD."""
    names = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _user_name() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no entry in the passwd file
        return None
