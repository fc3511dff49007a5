"""Commit the inventory file to the project's git repository and push it.

Only this file is committed, whatever else is staged.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from xingu.errors import SettingsError
from xingu.model.provenance import ci_branch

if TYPE_CHECKING:
    from git import Repo


def open_repository(folder: Path) -> "Repo | None":
    """Return the git repository that holds a folder; None without one, or without git."""
    try:
        import git
    except ImportError:
        return None
    try:
        return git.Repo(folder, search_parent_directories=True)
    except (git.GitError, OSError):
        return None


def commit_and_push(path: Path, message: str) -> tuple[str | None, str | None]:
    """Commit `path` alone and push the current branch, if the repository has a remote.

    Earlier commits that are not on the remote are pushed too.

    Args:
        path: The file, inside a git repository.
        message: Commit message.

    Returns:
        The commit's SHA, None if the file is unchanged; and ``remote/branch`` of the push, None if
        there is no remote.

    Raises:
        SettingsError: If git fails or rejects the push; the file itself is not changed.
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
        reason = str(getattr(error, "stderr", "") or error).strip().removeprefix("stderr: ")
        raise SettingsError(
            f"{path} is written, but git could not commit or push it: {reason}"
        ) from None


def _target(repository: "Repo") -> tuple[str, str] | None:
    """Return the remote and its branch to push HEAD to; None if there is no remote."""
    if not repository.remotes:
        return None
    first = repository.remotes[0].name
    if not repository.head.is_detached:
        local = repository.active_branch
        tracked = local.tracking_branch()
        return (tracked.remote_name, tracked.remote_head) if tracked else (first, local.name)
    branch = ci_branch()
    if branch is None:
        raise SettingsError(
            "The inventory is written, but not committed: HEAD is detached, and no CI variable "
            "(such as GITHUB_REF_NAME) names the branch to push to; check out a branch first."
        )
    return first, branch


def _commit(repository: "Repo", path: Path, message: str) -> str | None:
    repository.git.add("--", str(path))
    if not repository.git.diff("--cached", "--name-only", "--", str(path)):
        return None
    repository.git.commit("--only", "-m", message, "--", str(path))
    return repository.head.commit.hexsha
