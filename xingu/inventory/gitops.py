"""Commit one file of the project, and push it: an inventory that a repository reviews."""

from pathlib import Path

from xingu.errors import SettingsError
from xingu.provenance import ci_branch


def commit_and_push(path: Path, message: str) -> str | None:
    """Commit `path` alone, whatever else is staged, and push it where there is a remote.

    Returns:
        The commit, or None if the file has not changed.

    Raises:
        SettingsError: If git refuses, with its words; the file stays as it is.
    """
    import git

    try:
        with git.Repo(path.parent, search_parent_directories=True) as repository:
            repository.git.add("--", str(path))
            if not repository.git.diff("--cached", "--name-only", "--", str(path)):
                return None
            repository.git.commit("--only", "-m", message, "--", str(path))
            commit = repository.head.commit.hexsha
            if repository.remotes:
                _push(repository)
            return commit
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise SettingsError(
            f"{path} cannot be committed: it is in no git repository; run `git init`, or leave "
            "--commit-inventory out."
        ) from error
    except git.GitError as error:
        reason = str(getattr(error, "stderr", "") or error).strip()
        raise SettingsError(
            f"{path} is written, but git refuses to commit or push it: {reason}"
        ) from None


def _push(repository) -> None:
    detached = repository.head.is_detached
    branch = ci_branch() if detached else repository.head.ref.name
    if branch is None:
        raise SettingsError(
            "The inventory is committed on a detached HEAD and cannot be pushed: no variable of CI "
            "names the branch; check a branch out first."
        )
    tracking = None if detached else repository.head.ref.tracking_branch()
    remote = tracking.remote_name if tracking else repository.remotes[0].name
    repository.git.push(remote, f"HEAD:refs/heads/{branch}")
