"""Commit one file of the project, and push it: an inventory that a repository reviews."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from xingu.errors import SettingsError
from xingu.model.provenance import ci_branch

if TYPE_CHECKING:
    from git import Repo


def commit_and_push(path: Path, message: str) -> tuple[str | None, str | None]:
    """Commit `path` alone, whatever else is staged, and push the branch where there is a remote.

    An earlier commit that could not be pushed is pushed too.

    Returns:
        The commit, or None if the file has not changed; and the remote branch that has it now, as
        ``remote/branch``, or None if there is no remote.

    Raises:
        SettingsError: If git refuses, with its words; the file stays as it is.
    """
    try:
        import git
    except ImportError as error:
        raise SettingsError(f"{path} is written, but git cannot be run: {error}") from None
    try:
        with git.Repo(path.parent, search_parent_directories=True) as repository:
            target = _target(repository)
            commit = _commit(repository, path, message)
            if target:
                remote, branch = target
                repository.git.push(remote, f"HEAD:refs/heads/{branch}")
            return commit, "/".join(target) if target else None
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise SettingsError(
            f"{path} is written, but cannot be committed: it is in no git repository; run "
            "`git init`, or leave --commit-inventory out."
        ) from None
    except git.GitError as error:
        words = str(getattr(error, "stderr", "") or error).strip().removeprefix("stderr: ")
        reason = re.sub(r"//[^/@\s]*@", "//", words)  # the user and password of a remote
        raise SettingsError(
            f"{path} is written, but git refuses to commit or push it: {reason}"
        ) from None


def _target(repository: "Repo") -> tuple[str, str] | None:
    """Return the remote and its branch that HEAD goes to; None: there is no remote."""
    if not repository.remotes:
        return None
    first = repository.remotes[0].name
    if not repository.head.is_detached:
        own = repository.active_branch
        tracked = own.tracking_branch()
        return (tracked.remote_name, tracked.remote_head) if tracked else (first, own.name)
    branch = ci_branch()
    if branch is None:
        raise SettingsError(
            "The inventory is written, but not committed: HEAD is detached, and no variable of CI "
            "(as GITHUB_REF_NAME) names the branch to push to; check a branch out first."
        )
    return first, branch


def _commit(repository: "Repo", path: Path, message: str) -> str | None:
    repository.git.add("--", str(path))
    if not repository.git.diff("--cached", "--name-only", "--", str(path)):
        return None
    repository.git.commit("--only", "-m", message, "--", str(path))
    return repository.head.commit.hexsha
