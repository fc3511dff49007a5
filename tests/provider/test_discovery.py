import sys
import textwrap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import DataProvider, DataProviderFactory
from xingu.errors import (
    DeclarationError,
    DuplicateProviderError,
    PrerequisiteCycleError,
    UnknownProviderError,
)


@pytest.fixture
def folder(tmp_path):
    """A folder of DataProviders under a name that no other test uses."""
    place = tmp_path / f"dps_{tmp_path.name}"
    place.mkdir()
    yield place
    for name in [name for name in sys.modules if name.startswith(place.name)]:
        del sys.modules[name]


def declare(folder, file, *classes):
    body = "from xingu import DataProvider\n" + "\n".join(textwrap.dedent(text) for text in classes)
    (folder / file).write_text(body)


def provider(provider_id, *pre_reqs):
    return type(provider_id, (DataProvider,), {"id": provider_id, "pre_req": set(pre_reqs)})


def test_classes_with_an_id_are_found(folder):
    declare(
        folder, "a.py", "class A(DataProvider):\n    id = 'a'", "class Base(DataProvider): pass"
    )
    assert list(DataProviderFactory(providers_folder=folder)) == ["a"]


def test_modules_with_a_leading_underscore_are_not_looked_at(folder):
    declare(folder, "_draft.py", "raise RuntimeError('imported')")
    declare(folder, "a.py", "class A(DataProvider):\n    id = 'a'")
    assert list(DataProviderFactory(providers_folder=folder)) == ["a"]


def test_a_class_that_a_module_only_imports_is_found_once(folder):
    declare(folder, "a.py", "class A(DataProvider):\n    id = 'a'")
    (folder / "b.py").write_text(f"from {folder.name}.a import A\n")
    assert list(DataProviderFactory(providers_folder=folder)) == ["a"]


def test_prerequisites_come_first():
    classes = [provider("c", "b"), provider("b", "a"), provider("a")]
    assert list(DataProviderFactory(classes)) == ["a", "b", "c"]


def test_only_what_is_asked_for_is_given_but_prerequisites_are_known(folder):
    declare(
        folder,
        "ab.py",
        "class A(DataProvider):\n    id = 'a'",
        "class B(DataProvider):\n    id = 'b'\n    pre_req = {'a'}",
    )
    factory = DataProviderFactory(["b"], folder)
    assert list(factory) == ["b"]
    assert factory.create("a").id == "a"


def test_an_unknown_id_is_named_with_a_suggestion(folder):
    declare(folder, "a.py", "class A(DataProvider):\n    id = 'price'")
    with pytest.raises(UnknownProviderError, match=r"'prise'.*known: price.*Did you mean 'price'"):
        DataProviderFactory(["prise"], folder)


def test_an_unknown_prerequisite_is_named():
    with pytest.raises(UnknownProviderError, match=r"b\.pre_req names 'a'"):
        DataProviderFactory([provider("b", "a")])


def test_a_cycle_is_an_error_that_draws_it():
    with pytest.raises(PrerequisiteCycleError, match=r"cycle: .* needs .* needs ") as caught:
        DataProviderFactory([provider("a", "b"), provider("b", "a")])
    assert set(caught.value.facts["cycle"]) == {"a", "b"}


@pytest.mark.parametrize(("one", "other"), [("a-b", "a_b"), ("A", "a"), ("x", "x")])
def test_ids_that_become_the_same_key_are_an_error_that_names_both(one, other):
    with pytest.raises(DuplicateProviderError) as caught:
        DataProviderFactory([provider(one), provider(other)])
    assert repr(one) in str(caught.value)
    assert repr(other) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DeclarationError, match="no folder of DataProviders.*DATAPROVIDER_FOLDER"):
        DataProviderFactory(providers_folder=tmp_path / "nowhere")


def test_a_prerequisite_written_as_text_is_an_error():
    cls = type("b", (DataProvider,), {"id": "b", "pre_req": "abc"})
    with pytest.raises(DeclarationError, match=r"b\.pre_req must be a set of ids; write \{'abc'\}"):
        DataProviderFactory([cls])


@pytest.mark.parametrize("provider_id", ["", "  ", 5, ("a",)])
def test_an_id_is_a_string_that_is_not_empty(provider_id):
    cls = type("B", (DataProvider,), {"id": provider_id})
    with pytest.raises(DeclarationError, match=r"\.B: id must be a non-empty string, not"):
        DataProviderFactory([cls])


def test_the_asset_keys_of_sources_are_reserved():
    with pytest.raises(DeclarationError, match="'sources' is reserved for asset keys of sources"):
        DataProviderFactory([provider("sources")])


def test_a_provider_that_is_its_own_prerequisite_is_a_cycle():
    with pytest.raises(PrerequisiteCycleError, match="pre_req has a cycle: a needs a; remove one"):
        DataProviderFactory([provider("a", "a")])


def test_classes_and_ids_of_the_folder_are_combined(folder):
    declare(folder, "a.py", "class A(DataProvider):\n    id = 'a'")
    factory = DataProviderFactory([provider("b", "a"), "a"], folder)
    assert list(factory) == ["a", "b"]
    assert len(factory) == 2


def test_classes_alone_need_no_folder(tmp_path):
    assert list(DataProviderFactory([provider("b")], tmp_path / "nowhere")) == ["b"]


def test_modules_in_subfolders_are_found(folder):
    (folder / "north").mkdir()
    declare(folder / "north", "a.py", "class A(DataProvider):\n    id = 'a'")
    assert list(DataProviderFactory(providers_folder=folder)) == ["a"]


def test_a_folder_whose_name_is_taken_is_imported_below_the_folder_above(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "team_x" / "json"  # the name of a package that is imported already
    folder.mkdir(parents=True)
    declare(folder, "decoder.py", "class A(DataProvider):\n    id = 'a'")
    factory = DataProviderFactory(providers_folder=folder)
    assert factory.classes["a"].__module__ == "team_x.json.decoder"


def test_an_absolute_import_that_means_another_project_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "team_y" / "json"
    folder.mkdir(parents=True)
    declare(folder, "_shared.py", "class A(DataProvider):\n    id = 'a'")
    declare(folder, "mine.py", "from json._shared import A\nclass B(A):\n    id = 'b'")
    factory = DataProviderFactory(providers_folder=folder)
    with pytest.raises(DeclarationError, match=r"mine\.py imports 'json', .*import it relatively"):
        factory.check()


def projects_with_a_module_of_one_name(tmp_path, importing):
    """Two projects, of which each imports a module of its own under the same plain name."""
    shared = f"shared_{tmp_path.name}"
    for team in ("one", "two"):
        folder = tmp_path / team / f"{team}_{tmp_path.name}"
        place = folder if importing == "beside" else folder.parent
        folder.mkdir(parents=True)
        declare(place, f"{shared}.py", f"class Base(DataProvider):\n    team = {team!r}")
        if importing == "through a helper":
            declare(place, f"helper_{team}_{tmp_path.name}.py", f"from {shared} import Base")
        module = f"helper_{team}_{tmp_path.name}" if "helper" in importing else shared
        code = f"from {module} import Base\nclass A(Base):\n    id = 'a'"
        declare(folder, "model.py", code)
        yield folder


@pytest.mark.parametrize("importing", ["beside", "in the parent", "through a helper"])
def test_a_plain_import_is_never_that_of_another_project(tmp_path, monkeypatch, importing):
    monkeypatch.setattr(sys, "path", [*sys.path])
    one, two = projects_with_a_module_of_one_name(tmp_path, importing)
    assert DataProviderFactory(providers_folder=one).classes["a"].team == "one"
    told = r"imports 'shared_.*import it relatively"
    with pytest.raises(DeclarationError, match=told):
        DataProviderFactory(providers_folder=two).check()


def test_an_import_inside_a_function_of_an_earlier_project_stays_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    helper, lazy = f"helper_{tmp_path.name}", "class A(DataProvider):\n    id = 'a'\n    "
    for team in ("one", "two"):
        folder = tmp_path / team / f"lazy_{team}_{tmp_path.name}"
        folder.mkdir(parents=True)
        (folder.parent / f"{helper}.py").write_text(f"TEAM = {team!r}")
    one, two = sorted(tmp_path.glob("*/lazy_*"))
    declare(one, "a.py", f"{lazy}def team(self):\n        import {helper}\n        "
                         f"return {helper}.TEAM")  # fmt: skip
    declare(two, "b.py", "class B(DataProvider):\n    id = 'b'")
    first = DataProviderFactory(providers_folder=one)
    assert list(DataProviderFactory(providers_folder=two)) == ["b"]
    assert first.create("a").team() == "one"


def test_a_file_that_is_called_as_a_library_may_import_the_library(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    declare(folder, "yaml.py", "import yaml\nclass A(DataProvider):\n    id = yaml.dump('a')[0]")
    assert list(DataProviderFactory(providers_folder=folder)) == ["a"]


def test_every_created_provider_is_a_new_instance():
    factory = DataProviderFactory([provider("a")])
    one, other = factory.create("a"), factory.create("a")
    one.learned = 1
    assert not hasattr(other, "learned")
    with pytest.raises(UnknownProviderError, match="DataProvider 'b': there is no such"):
        factory.create("b")


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), min_size=1)
)
def test_the_order_respects_prerequisites_or_names_a_cycle(graph):
    ids = {*graph, *(one for needed in graph.values() for one in needed)}
    classes = [provider(one, *graph.get(one, ())) for one in sorted(ids)]
    try:
        order = list(DataProviderFactory(classes))
    except PrerequisiteCycleError as error:
        cycle = error.facts["cycle"]
        assert len(cycle) > 1
        assert cycle[0] == cycle[-1]
        assert all(after in graph[before] for before, after in pairwise(cycle))
        return
    assert sorted(order) == sorted(ids)
    assert all(
        order.index(needed) < order.index(one) for one, more in graph.items() for needed in more
    )
