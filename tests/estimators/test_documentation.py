"""Tests of the examples in docs/how-to/estimators.md; its Estimator passes the contract suite."""

import sys
from types import ModuleType

import pytest

from tests.docs.pages import blocks
from tests.support.estimator_contract import RegressorContract
from tests.support.estimators import NUMBERS
from xingu import DataProvider
from xingu.errors import DeclarationError
from xingu.provider.estimator import resolve_estimator_class

PAGE = "docs/how-to/estimators.md"
BLOCKS = [block.text for block in blocks("python", PAGE)]
DECLARATIONS = [block for block in BLOCKS if "estimator_class = " in block]


def documented():
    """The module with `Ridge`, under a name by which pickle finds it."""
    if "documented_ridge" not in sys.modules:
        [code] = [block for block in BLOCKS if "class Ridge" in block]
        module = ModuleType("documented_ridge")
        sys.modules[module.__name__] = module
        exec(compile(code, PAGE, "exec"), vars(module))
    return sys.modules["documented_ridge"]


class TestRidge(RegressorContract):
    features = NUMBERS

    def make(self):
        return documented().Ridge({"penalty": 0.1})


def test_its_misspelt_parameter_is_refused():
    with pytest.raises(DeclarationError, match="'penalti'"):
        documented().Ridge({"penalti": 1}).check_params()


def test_the_page_declares_each_library():
    page = "".join(DECLARATIONS)
    for library in ("LightGBM", "XGBoost", "CatBoost", "sklearn."):
        assert library in page


@pytest.mark.parametrize("block", DECLARATIONS)
def test_declarations_on_the_page_are_known_to_their_estimators(block):
    names = {"DataProvider": DataProvider}
    exec(block, names)
    declared = vars(names.get("Houses", object)) | names
    kind = resolve_estimator_class(declared["estimator_class"], "page")
    own = declared.get("estimator_class_params", {})
    estimator = kind(declared["estimator_params"], declared.get("estimator_hyperparams"), **own)
    estimator.check_params()
