"""A file of DataProviders that cannot be used is reported, and the others are used."""

import sys
import threading

import pytest

from tests.support.projects import CodeFolder
from xingu import DataProviderFactory
from xingu.errors import DeclarationError, UnknownProviderError

SOUND = "from xingu import DataProvider\nclass A(DataProvider):\n    id = 'a'\n"


@pytest.fixture
def folder(tmp_path):
    code = CodeFolder(tmp_path / "home")
    yield code
    code.leave()


def factory(folder, files, *arguments, **named):
    name = f"dps_{folder.root.parent.name}"
    folder.write({f"{name}/{path}": text.replace("DPS", name) for path, text in files.items()})
    return DataProviderFactory(*arguments, providers_folder=folder.root / name, **named)


BROKEN = {
    "a missing library": ("import nothing_like_this", "No module named 'nothing_like_this'"),
    "an error": ("1 / 0", "ZeroDivisionError"),
    "a syntax error": ("def", "SyntaxError"),
    "an exit": ("import sys\nsys.exit(0)", r"bad\.py, line 2, ends the process \(code 0\)"),
    "a hard exit": ("import os\nos._exit(0)", r"bad\.py, line 2, ends the process \(code 0\)"),
    "an invalid declaration": (
        "from xingu import DataProvider\nclass B(DataProvider):\n    id = ' '\n",
        "id must be a non-empty string",
    ),
}


@pytest.mark.parametrize(("code", "reason"), BROKEN.values(), ids=BROKEN)
def test_the_others_are_used_and_the_reason_is_told(folder, caplog, code, reason):
    found = factory(folder, {"bad.py": code, "good.py": SOUND})
    assert list(found) == ["a"]
    [(name, error)] = found.broken.items()
    assert ".bad" in name
    assert reason.replace("\\", "") in str(error)
    assert str(error) in caplog.text
    with pytest.raises(DeclarationError, match=reason):
        found.check()


def test_what_needs_a_broken_file_is_left_out_and_named(folder):
    provider = "from xingu import DataProvider\nclass B(DataProvider):\n    id = {!r}\n"
    found = factory(
        folder,
        {
            "bad.py": "1 / 0",
            "b.py": provider.format("b") + "    pre_req = {'of_bad'}\n",
            "c.py": provider.format("c") + "    pre_req = {'b'}\n",
            "d.py": "from .bad import X\n",
            "good.py": SOUND,
        },
    )
    assert list(found) == ["a"]
    assert [name.partition(".")[2] for name in found.broken] == ["bad", "d", "b.B", "c.B"]
    assert "b.pre_req names 'of_bad'" in str(list(found.broken.values())[2])
    with pytest.raises(DeclarationError) as error:
        found.check()
    assert len(str(error.value).splitlines()) == 4


def test_an_id_that_a_broken_file_may_have_is_asked_for(folder):
    with pytest.raises(UnknownProviderError, match=r"'of_bad'.*known: a\..*errors in dps_\S*\.bad"):
        factory(folder, {"bad.py": "1 / 0", "good.py": SOUND}, ["of_bad"])


@pytest.mark.parametrize("loop", ["while True: pass", "import time\ntime.sleep(1000)"])
def test_an_import_that_does_not_end_is_interrupted(folder, loop):
    found = factory(folder, {"bad.py": loop, "good.py": SOUND}, import_seconds=0.3)
    assert list(found) == ["a"]
    assert r"bad.py cannot be imported: it has not ended after 0.3 s" in str(
        [*found.broken.values()]
    )


def test_an_import_that_does_not_end_is_interrupted_in_another_thread(folder, caplog):
    found = []
    code = "while True:\n    try:\n        sum(range(9))\n    except Exception:\n        pass\n"
    files = {"bad.py": code, "good.py": SOUND}
    thread = threading.Thread(
        target=lambda: found.append(factory(folder, files, import_seconds=0.3)), daemon=True
    )
    thread.start()
    thread.join(20)
    assert list(found[0]) == ["a"]
    assert "bad.py: its import has not ended after 0.3 s" in caplog.text


def test_files_import_each_other(folder):
    provider = "from xingu import DataProvider\n{}\nclass {}(DataProvider):\n    id = '{}'\n"
    files = {
        "alpha.py": provider.format("from DPS.zeta import Z\nfrom .team.one import One", "A", "a"),
        "zeta.py": provider.format("", "Z", "z"),
        "team/one.py": provider.format(
            "from ..zeta import Z\nfrom .two import Two\nfrom DPS.team.two import Two as Same\n"
            "import DPS.team.two\nassert Same is Two is DPS.team.two.Two",
            "One",
            "one",
        ),
        "team/two.py": provider.format("", "Two", "two"),
    }
    found = factory(folder, files)
    assert sorted(found) == ["a", "one", "two", "z"]
    assert found.broken == {}
    for cls in found.classes.values():
        assert getattr(sys.modules[cls.__module__], cls.__name__) is cls
