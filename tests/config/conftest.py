"""Tests of settings start from an empty project, which is the current folder."""

import pytest

from xingu.config import ConfigManager, Settings, aws


@pytest.fixture(autouse=True)
def project(monkeypatch, tmp_path):
    """The folder of the project, with no setting in the environment and none set by a program."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ConfigManager, "cache", {})
    monkeypatch.setattr(ConfigManager, "env_file", None)
    aws.forget()
    return tmp_path
