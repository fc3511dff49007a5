import importlib
import sys

import pytest

from xingu import DataProvider
from xingu.provider.code_version import code_version

TEXT = """
from xingu import DataProvider

LIMIT = 3

class Other(DataProvider):
    id = "other"

class Mine(DataProvider):
    id = "mine"

    def clean_data_for_train(self, datasets):
        return datasets["a"].head(LIMIT)
"""


@pytest.fixture
def version_of(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    count = iter(range(100))

    def version(text):
        name = f"mod_{tmp_path.name}_{next(count)}"
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        return code_version(importlib.import_module(name).Mine)

    yield version
    for name in [name for name in sys.modules if name.startswith(f"mod_{tmp_path.name}")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT = 3", "LIMIT = 3  # rows"),
        ('    id = "mine"', '    id = (\n        "mine"\n    )'),
        ('    id = "other"', '    id = "another"'),
    ],
)
def test_comments_formatting_and_other_classes_do_not_count(version_of, before, after):
    assert version_of(TEXT) == version_of(TEXT.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after"), [("LIMIT = 3", "LIMIT = 4"), ("head", "tail"), ('"mine"', '"yours"')]
)
def test_code_and_constants_count(version_of, before, after):
    assert version_of(TEXT) != version_of(TEXT.replace(before, after))


def test_classes_that_were_made_by_a_call_have_a_version_of_their_members():
    one, same, other = (type("P", (DataProvider,), {"id": "p", "y": y}) for y in ("a", "a", "b"))
    assert code_version(one) == code_version(same)
    assert code_version(one) != code_version(other)
