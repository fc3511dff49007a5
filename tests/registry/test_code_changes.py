"""Differences between the code of two packages, down to the hook."""

from upath import UPath

from xingu.registry.code_changes import code_changes

OLD = {
    "dataproviders/a.py": """
LIMIT = 3

class A:
    '''Text.'''
    id = "a"

    def gone(self):
        return 1

    def same(self):
        return 2

    def hook(self):
        return LIMIT
""",
    "dataproviders/b.py": "X = 1\n",
    "dataproviders/c.py": "Y = 1\n",
    "dataproviders/same.py": "Z = 1\n",
}
NEW = {
    "dataproviders/a.py": OLD["dataproviders/a.py"]
    .replace("LIMIT = 3", "LIMIT: int = 4")
    .replace("'''Text.'''", "'''Other text.'''")
    .replace("def gone", "def came")
    .replace("return LIMIT", "return LIMIT + 1"),
    "dataproviders/b.py": "X = 1  # a comment\n",
    "dataproviders/d.py": "Y = 1\n",
    "dataproviders/same.py": "Z = 1\n",
}


def package(folder, sources) -> UPath:
    for path, text in sources.items():
        file = folder / "code" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return UPath(folder)


def test_files_and_members_that_differ_are_listed(tmp_path):
    old, new = package(tmp_path / "old", OLD), package(tmp_path / "new", NEW)
    found = {one.file.removeprefix("dataproviders/"): one for one in code_changes(old, new)}
    assert {file: one.kind for file, one in found.items()} == {
        "a.py": "changed",
        "b.py": "comments only",
        "c.py": "removed",
        "d.py": "added",
    }
    assert set(found["a.py"].members) == {"~ LIMIT", "+ A.came", "- A.gone", "~ A.hook"}
    assert code_changes(old, old) == []


def test_packages_in_object_storage_are_compared(s3_url, tmp_path):
    remote = UPath(f"{s3_url}/code-changes")
    for path, text in OLD.items():
        (remote / "code" / path).write_text(text)
    assert code_changes(package(tmp_path, OLD), remote) == []
