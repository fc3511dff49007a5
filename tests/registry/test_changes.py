"""DataProviders that have changed since the trains of a model storage."""

import pytest
from upath import UPath

from tests.support.projects import CodeFolder, save
from xingu.errors import UntrainedModelError
from xingu.registry.changes import borrow_train, changed_dataproviders
from xingu.registry.store import ModelStore

HOUSES = """
from xingu import DataProvider
from helping.words import SIZES

class Houses(DataProvider):
    id = "houses"
    x_features = ["size"]
    y = "price"
    estimator_class = "tests.support.toys.MeanEstimator"

    def feature_engineering_for_train(self, data):
        return data * SIZES["factor"]
"""
TAXES = HOUSES.replace("Houses", "Taxes").replace('"houses"', '"taxes"')
TAXES += '    pre_req = {"houses"}\n'
WORDS = 'SIZES = {"factor": 1}\n'


@pytest.fixture
def code(tmp_path):
    folder = CodeFolder(tmp_path / "home")
    files = {"helping/__init__.py": "", "helping/words.py": WORDS}
    folder.write({**files, "houses_dp.py": HOUSES, "taxes_dp.py": TAXES})
    yield folder
    folder.leave()


@pytest.fixture
def base(tmp_path):
    return ModelStore(UPath(tmp_path / "base"), verify=False)


def classes(code):
    return {"houses": code.cls("houses_dp.Houses"), "taxes": code.cls("taxes_dp.Taxes")}


@pytest.fixture
def trained(code, base):
    for cls in classes(code).values():
        save(base, cls)
    return code


def changed(code, base):
    return changed_dataproviders(classes(code), base, code.root)


def test_what_was_never_trained_has_changed(code, base):
    assert set(changed(code, base)) == {"houses", "taxes"}


def test_nothing_has_changed_after_a_train_or_a_comment(trained, base):
    assert changed(trained, base) == {}
    trained.write({"houses_dp.py": HOUSES + "# more", "helping/words.py": f"# more\n{WORDS}"})
    assert changed(trained, base) == {}


def test_a_changed_class_changes_those_that_need_it(trained, base):
    trained.write({"houses_dp.py": HOUSES.replace("data *", "data +")})
    assert changed(trained, base) == {
        "houses": "its code differs from that of first",
        "taxes": "its prerequisite houses changed",
    }


def test_a_changed_class_does_not_change_what_it_needs(trained, base):
    trained.write({"taxes_dp.py": TAXES.replace("data *", "data +")})
    assert list(changed(trained, base)) == ["taxes"]


def test_a_changed_module_that_the_package_holds_counts(trained, base):
    trained.write({"helping/words.py": WORDS.replace("1", "2")})
    assert changed(trained, base)["houses"] == "helping/words.py changed since first"


def test_a_borrowed_train_is_current_and_the_same(trained, base, tmp_path):
    models = ModelStore(UPath(tmp_path / "models"), verify=False)
    for _ in range(2):
        borrowed = borrow_train(base, models, "houses")
        assert borrowed is not None
        assert borrowed.train_id == "first"
    assert models.current("houses") == "first"
    assert models.load("houses", "first").train_id == "first"
    assert models.manifest("houses", "first") == base.manifest("houses", "first")
    assert [entry.action for entry in models.ledger("houses").entries()] == ["train"]


def test_a_storage_without_a_train_lends_none(base, tmp_path):
    models = ModelStore(UPath(tmp_path / "models"))
    assert borrow_train(base, models, "houses") is None
    with pytest.raises(UntrainedModelError):
        models.find("houses")
