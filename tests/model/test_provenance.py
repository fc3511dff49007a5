"""Where a train ran: real git repositories, variables of CI jobs, libraries."""

import json
import logging
import os
import subprocess
from dataclasses import asdict
from importlib.metadata import version

import pytest

from xingu.model.provenance import Provenance, ci_branch, library_versions, read_provenance

CI = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "CI_COMMIT_REF_NAME", "BRANCH_NAME")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No variable of this machine, of a CI job or of a user's git settings."""
    for name in CI:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.org",
        "GIT_COMMITTER_NAME": "Ana", "GIT_COMMITTER_EMAIL": "ana@example.org",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


def git(folder, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit on `main`."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def read(home) -> Provenance:
    """Read it anew, as another process would."""
    read_provenance.cache_clear()
    return read_provenance(home)


def test_a_clean_repository_gives_commit_and_branch(repository):
    found = read(repository)
    assert found.git_commit == git(repository, "rev-parse", "HEAD")
    assert (found.git_branch, found.git_dirty, found.git_diff) == ("main", False, None)


def test_a_folder_inside_a_repository_belongs_to_it(repository):
    (repository / "deep" / "down").mkdir(parents=True)
    assert read(repository / "deep" / "down").git_branch == "main"


def test_changes_are_marked_and_told_apart_by_a_hash(repository):
    hashes = []
    for text in ("a = 2\n", "a = 3\n", "a = 2\n"):
        (repository / "code.py").write_text(text)
        found = read(repository)
        assert found.git_dirty
        hashes.append(found.git_diff)
    assert hashes[0] == hashes[2] != hashes[1]


def test_a_new_file_makes_it_dirty(repository):
    (repository / "new.py").write_text("")
    assert read(repository).git_dirty


def test_a_detached_head_gets_the_branch_of_the_ci_job(repository, monkeypatch):
    git(repository, "checkout", "--quiet", "--detach")
    assert read(repository).git_branch is None
    monkeypatch.setenv("GITHUB_REF_NAME", "feature")
    assert read(repository).git_branch == "feature"


def test_a_branch_that_is_checked_out_wins_over_variables(repository, monkeypatch):
    monkeypatch.setenv("GITHUB_REF_NAME", "feature")
    assert read(repository).git_branch == "main"


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({}, None),
        ({"GITHUB_HEAD_REF": "pull", "GITHUB_REF_NAME": "7/merge"}, "pull"),
        ({"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}, "main"),
        ({"CI_COMMIT_REF_NAME": "gitlab"}, "gitlab"),
        ({"BRANCH_NAME": "jenkins"}, "jenkins"),
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}, None),
    ],
)
def test_the_branch_of_a_ci_job_is_read_from_its_variables(monkeypatch, variables, branch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ci_branch() == branch


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ana:s3cret@example.org/a.git", "https://example.org/a.git"),
        ("https://ana:x@s3cret@example.org/a.git", "https://example.org/a.git"),
        ("https://ana:a/s3cret@example.org/a.git", "https://***"),
        ("https://example.org/a.git", "https://example.org/a.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("ssh://git@example.org/a.git", "ssh://example.org/a.git"),
    ],
)
def test_the_remote_has_no_credentials(repository, url, shown):
    git(repository, "remote", "add", "origin", url)
    assert read(repository).git_remote == shown


def test_a_repository_without_a_commit_is_dirty_and_a_warning(tmp_path, caplog):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    found = read(tmp_path)
    assert (found.git_commit, found.git_branch, found.git_dirty) == (None, "main", True)
    assert "has none yet" in caplog.text


def test_a_folder_outside_of_repositories_is_one_warning(tmp_path, caplog):
    read_provenance.cache_clear()
    with caplog.at_level(logging.WARNING):
        found = [read_provenance(tmp_path) for _ in range(2)]
    assert found[0].git_commit is None
    assert found[0] is found[1]
    assert caplog.text.count("is in no git repository") == 1


def test_a_damaged_repository_is_a_warning(tmp_path, caplog):
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert read(tmp_path).git_commit is None
    assert "Trains are not tied to a commit" in caplog.text


def test_user_and_machine_are_found_without_variables(tmp_path):
    found = read(tmp_path)
    assert found.user_name
    assert found.host_name


def test_versions_are_those_that_are_installed():
    found = library_versions()
    assert found["pandas"] == version("pandas")
    assert {"xingu", "numpy", "lightgbm"} <= set(found)


def test_it_survives_json(repository):
    found = read(repository)
    assert Provenance(**json.loads(json.dumps(found.as_dict()))) == found
    assert asdict(Provenance())["git_commit"] is None
