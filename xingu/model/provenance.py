"""Where a train comes from: commit, branch, machine, person, CI job, library versions.

Read once per process. A project that is no git repository, a repository that git refuses to open
and a missing git binary are one warning, never a failed train.
"""

import getpass
import logging
import os
import platform
import re
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from git import Repo

logger = logging.getLogger(__name__)

LIBRARIES = ("xingu", "pandas", "numpy", "pyarrow", "scikit-learn", "lightgbm")
CI_VARIABLES = ("GITHUB_ACTOR", "GITHUB_WORKFLOW", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known about the place that a train ran in; `None` where it could not be had."""

    git_commit: str | None = None
    git_branch: str | None = None
    git_remote: str | None = None
    """Where the repository comes from, without user and password."""
    git_dirty: bool | None = None
    """Whether something was not committed."""
    git_diff: str | None = None
    """A hash of what was not committed."""
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
    return Provenance(
        **_read_git(home),
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


def _read_git(home: Path) -> dict[str, Any]:
    try:
        import git
    except ImportError as error:
        logger.warning("Trains are not tied to a commit: git cannot be run (%s)", error)
        return {}
    try:
        with git.Repo(home, search_parent_directories=True) as repository:
            return _facts_of(repository, home)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        logger.warning("Trains are not tied to a commit: %s is in no git repository", home)
    except (git.GitCommandError, git.GitCommandNotFound, ValueError, OSError) as error:
        logger.warning("Trains are not tied to a commit: git refuses to read %s (%s)", home, error)
    return {}


def _facts_of(repository: "Repo", home: Path) -> dict[str, Any]:
    branch = ci_branch() if repository.head.is_detached else repository.head.ref.name
    if not repository.head.is_valid():
        logger.warning("Trains are not tied to a commit: %s has none yet", home)
        return {"git_branch": branch, "git_dirty": True}
    changes = repository.git.status("--porcelain")
    diff = None
    if changes:
        text = changes + repository.git.diff("HEAD", "--binary")
        diff = blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
    remote = next(iter(repository.remotes), None)
    return {
        "git_commit": repository.head.commit.hexsha,
        "git_branch": branch,
        "git_remote": remote and _without_user(next(remote.urls)),
        "git_dirty": bool(changes),
        "git_diff": diff,
    }


def _without_user(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def ci_branch() -> str | None:
    """Return the branch of a CI job, which checks out a detached HEAD."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":  # then GITHUB_REF_NAME is that of the tag
        return None
    names = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _user_name() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no entry in the passwd file
        return None
