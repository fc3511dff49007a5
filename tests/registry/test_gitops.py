"""The inventory is committed alone and pushed: real repositories, with a bare one as the remote."""

import os
import subprocess

import pytest

from xingu.errors import SettingsError
from xingu.registry.gitops import commit_and_push


def git(folder, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def git_identity(monkeypatch):
    """Set an author, and no settings of this machine or of a CI job."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "GITHUB_")) or name in ("CI_COMMIT_REF_NAME", "BRANCH_NAME"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ana")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ana@example.org")


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit on `main`, and a written inventory."""
    folder = tmp_path / "project"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(folder))
    (folder / "code.py").write_text("old")
    git(folder, "add", "code.py")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "inventory.yaml").write_text("models: {}")
    return folder


@pytest.fixture
def remote(tmp_path, repository):
    """A bare repository that `repository` has as its remote, where `main` was pushed to."""
    folder = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    git(repository, "remote", "add", "origin", str(folder))
    git(repository, "push", "--quiet", "--set-upstream", "origin", "main")
    return folder


def reject(remote, reason: str) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\necho '{reason}' >&2\nexit 1\n")
    hook.chmod(0o755)


def send(folder) -> tuple[str | None, str | None]:
    return commit_and_push(folder / "inventory.yaml", "Inventory")


def on_branch(remote, branch="main", file="inventory.yaml") -> str:
    return git(remote, "show", f"{branch}:{file}")


def test_the_file_is_committed_and_pushed(repository, remote):
    commit, pushed = send(repository)
    assert pushed == "origin/main"
    assert git(remote, "rev-parse", "main") == commit
    assert on_branch(remote) == "models: {}"


def test_nothing_but_the_file_is_committed(repository):
    (repository / "code.py").write_text("staged")
    git(repository, "add", "code.py")
    (repository / "code.py").write_text("changed")
    (repository / "new.py").write_text("new")
    send(repository)
    assert git(repository, "show", "--name-only", "--format=") == "inventory.yaml"
    assert git(repository, "status", "--porcelain").splitlines() == ["MM code.py", "?? new.py"]
    assert git(repository, "show", ":code.py") == "staged"


def test_a_file_that_has_not_changed_is_not_committed(repository, remote):
    first, _ = send(repository)
    assert send(repository) == (None, "origin/main")
    assert git(repository, "rev-parse", "HEAD") == first


def test_without_a_remote_it_is_only_committed(repository):
    commit, pushed = send(repository)
    assert pushed is None
    assert git(repository, "rev-parse", "HEAD") == commit


def test_a_repository_without_a_commit_gets_its_first(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "inventory.yaml").write_text("models: {}")
    commit, _ = send(tmp_path)
    assert git(tmp_path, "rev-parse", "HEAD") == commit


def test_a_branch_is_pushed_to_the_one_that_it_follows(repository, remote):
    git(repository, "checkout", "--quiet", "-b", "work", "--track", "origin/main")
    assert send(repository)[1] == "origin/main"
    assert git(remote, "branch", "--format=%(refname:short)") == "main"


def test_a_branch_that_follows_none_is_pushed_by_its_own_name(repository, remote):
    git(repository, "checkout", "--quiet", "-b", "work")
    assert send(repository)[1] == "origin/work"
    assert on_branch(remote, "work") == "models: {}"


def test_a_detached_head_is_pushed_to_the_branch_of_the_ci_job(repository, remote, monkeypatch):
    monkeypatch.setenv("GITHUB_REF_NAME", "main")
    git(repository, "checkout", "--quiet", "--detach")
    commit, pushed = send(repository)
    assert pushed == "origin/main"
    assert git(remote, "rev-parse", "main") == commit


def test_a_detached_head_outside_of_ci_is_refused_before_anything_is_committed(repository, remote):
    git(repository, "checkout", "--quiet", "--detach")
    with pytest.raises(SettingsError, match=r"HEAD is detached.* check out a branch"):
        send(repository)
    assert git(repository, "rev-parse", "HEAD") == git(repository, "rev-parse", "main")


def test_a_folder_outside_of_a_repository_is_refused(tmp_path):
    (tmp_path / "inventory.yaml").write_text("models: {}")
    with pytest.raises(SettingsError, match=r"in no git repository; run `git init`"):
        send(tmp_path)


def test_a_remote_that_rejects_is_an_error_with_its_words_and_the_file_stays(repository, remote):
    reject(remote, "main is protected")
    with pytest.raises(SettingsError, match="git could not commit or push it.*main is protected"):
        send(repository)
    assert (repository / "inventory.yaml").read_text() == "models: {}"


def test_what_a_remote_has_rejected_is_pushed_the_next_time(repository, remote):
    reject(remote, "not now")
    with pytest.raises(SettingsError):
        send(repository)
    (remote / "hooks" / "pre-receive").unlink()
    assert send(repository) == (None, "origin/main")
    assert on_branch(remote) == "models: {}"


def test_a_remote_that_has_moved_on_is_never_overwritten(repository, remote, tmp_path):
    git(tmp_path, "clone", "--quiet", str(remote), "other")
    (tmp_path / "other" / "code.py").write_text("of others")
    git(tmp_path / "other", "commit", "--quiet", "--all", "-m", "other")
    git(tmp_path / "other", "push", "--quiet")
    with pytest.raises(SettingsError, match="rejected"):
        send(repository)
    assert on_branch(remote, file="code.py") == "of others"


def test_a_file_that_git_ignores_is_an_error_that_says_so(repository):
    (repository / ".gitignore").write_text("*.yaml")
    with pytest.raises(SettingsError, match="ignored by one of your .gitignore files"):
        send(repository)


@pytest.mark.parametrize("where", ["the URL", "the remote's words"])
def test_a_password_is_not_in_the_error(repository, remote, where):
    url = "http://ana:secret@127.0.0.1:1/project.git"
    if where == "the URL":
        git(repository, "remote", "set-url", "origin", url)
    reject(remote, f"moved to {url}")
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1") as error:
        send(repository)
    assert "secret" not in str(error.value)
