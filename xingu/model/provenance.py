"""Read the provenance of a train: commit, branch, machine, user, CI job, library versions.

It is read once per process and project. If git is missing, the project is not in a repository, or
git refuses to open it, a warning is logged; a train never fails because of it.
"""

import getpass
import logging
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xingu.masking import HIDDEN, shown_address

if TYPE_CHECKING:
    from git import Repo

logger = logging.getLogger(__name__)

LIBRARIES = (
    "xingu", "xingu-core", "pandas", "numpy", "pyarrow", "scikit-learn",
    "lightgbm", "xgboost", "xgboost-cpu", "catboost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Provenance:
    """Code, machine, user and libraries of a train; None where unknown.

    Attributes:
        git_commit: SHA of the commit that was checked out.
        git_branch: Its branch, in CI that of the job.
        git_remote: URL of the first remote, as far as it may be shown.
        git_dirty: Whether there were uncommitted changes.
        git_diff: Hash of the uncommitted changes.
        user_name: User of the process.
        host_name: Name of the machine.
        python: Version of Python.
        libraries: Versions of `LIBRARIES`, by name.
        ci: What is known of the CI job, such as `github_run_id`.
        sample_rows: Largest number of rows of each source (SAMPLE_ROWS); 0: all rows.
    """

    git_commit: str | None = None
    git_branch: str | None = None
    git_remote: str | None = None
    git_dirty: bool | None = None
    git_diff: str | None = None
    user_name: str | None = None
    host_name: str | None = None
    python: str = field(default_factory=platform.python_version)
    libraries: Mapping[str, str] = field(default_factory=dict)
    ci: Mapping[str, str] = field(default_factory=dict)
    sample_rows: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return the fields as JSON types, as stored in a manifest."""
        return asdict(self)


@cache
def read_provenance(
    home: Path,
    user_name: str | None = None,
    host_name: str | None = None,
    ci: tuple[tuple[str, str], ...] = (),
) -> Provenance:
    """Return the provenance of trains.

    Args:
        home: Folder of the project.
        user_name: Name of the user; None: that of the process.
        host_name: Name of the machine; None: that of the network.
        ci: What is known of the CI job: names and values.
    """
    return Provenance(
        **_read_git(home),
        user_name=user_name or process_user(),
        host_name=host_name or socket.gethostname(),
        libraries=library_versions(),
        ci=dict(ci),
    )


@cache
def library_versions() -> Mapping[str, str]:
    """Return the installed versions of `LIBRARIES`, on which estimations depend."""
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
            return _read_repository(repository, home)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        logger.warning("Trains are not tied to a commit: %s is in no git repository", home)
    except (git.GitCommandError, git.GitCommandNotFound, ValueError, OSError) as error:
        logger.warning("Trains are not tied to a commit: git cannot read %s (%s)", home, error)
    return {}


def _read_repository(repository: "Repo", home: Path) -> dict[str, Any]:
    branch = ci_branch() if repository.head.is_detached else repository.head.ref.name
    if not repository.head.is_valid():
        logger.warning("Trains are not tied to a commit: %s has none yet", home)
        return {"git_branch": branch, "git_dirty": True}
    changes = repository.git.status("--porcelain")
    diff = None
    if changes:
        changed = changes + repository.git.diff("HEAD", "--binary")
        diff = blake2b(changed.encode(errors="replace"), digest_size=8).hexdigest()
    remote = next(iter(repository.remotes), None)
    return {
        "git_commit": repository.head.commit.hexsha,
        "git_branch": branch,
        "git_remote": remote and shown_address(next(remote.urls)).replace(f"{HIDDEN}@", ""),
        "git_dirty": bool(changes),
        "git_diff": diff,
    }


def ci_branch() -> str | None:
    """Return the branch of a CI job, where HEAD is detached; None outside CI or for a tag."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":  # GITHUB_REF_NAME is the name of the tag then
        return None
    names = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def process_user() -> str | None:
    """Return the name of the user of this process; None: it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no entry in the passwd file
        return None
