"""The class of a saved Model: from the project's code, else from the packaged copy."""

import logging
import pickle
import sys
import textwrap

import pytest

from xingu.errors import UntrainedModelError
from xingu.provider.code_version import code_version
from xingu.registry.manifest import ProviderRecord
from xingu.registry.provider_class import load_provider_class

SOURCE = """
from xingu import DataProvider

class Encoder:
    pass

class Cottages(DataProvider):
    id = "cottages"
    scale = 2
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder on the path; gives a function that writes a module into it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names = []

    def write(name: str, text: str = SOURCE):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        sys.modules.pop(name, None)
        names.append(name)
        return tmp_path / f"{name}.py"

    yield write
    for name in names:
        sys.modules.pop(name, None)


def record(module: str, name: str = "Cottages", version: str = "1") -> ProviderRecord:
    return ProviderRecord(module=module, name=name, code_version=version, has_source=True)


def test_the_class_of_the_project_is_taken(project, tmp_path):
    project("cottages_a")
    cls = load_provider_class(record("cottages_a"), "cottages", tmp_path / "no.py")
    assert (cls.__name__, cls.id, cls.scale) == ("Cottages", "cottages", 2)


def test_the_project_wins_over_the_packaged_copy(project, tmp_path):
    project("cottages_b")
    copy = tmp_path / "provider.py"
    copy.write_text(SOURCE.replace("scale = 2", "scale = 99"))
    assert load_provider_class(record("cottages_b"), "cottages", copy).scale == 2


def test_the_packaged_copy_is_taken_if_the_module_is_gone(tmp_path, caplog):
    copy = tmp_path / "provider.py"
    copy.write_text(SOURCE)
    try:
        cls = load_provider_class(record("cottages_gone"), "cottages", copy)
        assert cls.id == "cottages"
        assert "using the code in the package" in caplog.text
        encoder = sys.modules["cottages_gone"].Encoder()
        assert type(pickle.loads(pickle.dumps(encoder))).__name__ == "Encoder"
    finally:
        sys.modules.pop("cottages_gone", None)


def test_without_module_and_copy_the_error_says_what_to_do(tmp_path):
    with pytest.raises(UntrainedModelError, match=r"cottages: .*no_such_module.*PYTHONPATH"):
        load_provider_class(record("no_such_module"), "cottages", tmp_path / "no.py")


@pytest.mark.parametrize(("name", "dp_id"), [("Villas", "cottages"), ("Cottages", "villas")])
def test_a_class_that_is_gone_or_has_another_id_is_an_error(project, tmp_path, name, dp_id):
    project("cottages_c")
    with pytest.raises(UntrainedModelError, match=f"has no DataProvider {name} with this id"):
        load_provider_class(record("cottages_c", name), dp_id, tmp_path / "no.py")


def test_a_class_that_is_bound_to_another_name_is_found(project, tmp_path):
    project("cottages_d", SOURCE + "\nOTHER, Cottages = Cottages, None\n")
    cls = load_provider_class(record("cottages_d"), "cottages", tmp_path / "no.py")
    assert cls.id == "cottages"


def test_changed_code_is_a_warning_and_unchanged_code_is_none(project, tmp_path, caplog):
    project("cottages_e")
    with caplog.at_level(logging.WARNING):
        cls = load_provider_class(record("cottages_e"), "cottages", tmp_path / "no.py")
        assert "the code of cottages_e.Cottages has changed" in caplog.text
        caplog.clear()
        same = record("cottages_e", version=code_version(cls))
        load_provider_class(same, "cottages", tmp_path / "no.py")
        assert caplog.text == ""


def test_an_error_in_the_projects_code_is_not_hidden_by_the_copy(project, tmp_path):
    project("cottages_f", "raise ValueError('typing error')")
    copy = tmp_path / "provider.py"
    copy.write_text(SOURCE)
    with pytest.raises(ValueError, match="typing error"):
        load_provider_class(record("cottages_f"), "cottages", copy)
