"""Tests of the project code in a package: the model loads and estimates without the project."""

import json
import sys

import pytest

from tests.support.projects import ROWS, SHARED, CodeFolder, fitted, save
from xingu.errors import PortabilityError, StorageError, UntrainedModelError
from xingu.registry.store import ModelStore

ESTIMATOR = """
import pandas as pd
from xingu import Estimator

class Mine(Estimator):
    def fit(self, datasets, features, target, model=None):
        self.mean = float(datasets["train"][target].mean())
        return self

    def predict(self, data):
        return pd.DataFrame({"estimation": self.mean + data["size"]})

    def is_classifier(self):
        return False
"""


@pytest.fixture
def project(tmp_path):
    folder = CodeFolder(tmp_path / "project")
    yield folder
    folder.leave()


@pytest.fixture
def installed(tmp_path):
    folder = CodeFolder(tmp_path / "lib" / "site-packages")
    yield folder
    folder.leave()


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def estimations(model):
    """Estimations of `ROWS`; none of a hollow DataProvider without a hook."""
    return [row[0] for row in model.predict(ROWS[["size"]]).to_numpy().tolist() if row]


def train_and_leave(project, store, files, name, train_id="first"):
    """Train a class of a project, take the project away, and return the estimations."""
    project.write(files)
    cls = project.cls(name)
    expected = estimations(save(store, cls, train_id))
    project.leave()
    return expected


HELPERS = {
    "absolute": "from dps_a._helpers import doubled",
    "relative": "from ._helpers import doubled",
    "of a module": "from . import _helpers\ndoubled = lambda X: _helpers.doubled(X)",
    "dotted": "import dps_a._helpers\ndoubled = lambda X: dps_a._helpers.doubled(X)",
    "renamed": "import dps_a._helpers as other\ndoubled = other.doubled",
    "beside the folder": "from helpers_a.frames import doubled",
    "of two steps": "from dps_a._more import doubled",
    "in a function": "def doubled(X):\n    from dps_a import _helpers\n"
    "    return _helpers.doubled(X)\n",
}


@pytest.mark.parametrize("statement", HELPERS.values(), ids=HELPERS)
def test_helpers_travel_however_they_are_imported(project, store, statement):
    doubled = "def doubled(X):\n    return X.assign(size=X['size'] * 2)\n"
    provider = f"""
from dps_a._shared import Shared
from dps_a._estimators import Mine
{statement}

class One(Shared):
    id = "one"
    estimator_class = Mine

    def pre_process_for_predict(self, X, model):
        return doubled(X)
"""
    files = {
        "dps_a/_shared.py": SHARED,
        "dps_a/_estimators.py": ESTIMATOR,
        "dps_a/_helpers.py": doubled,
        "dps_a/_more.py": "from ._helpers import *",
        "helpers_a/__init__.py": "",
        "helpers_a/frames.py": doubled,
        "dps_a/one.py": provider,
    }
    assert train_and_leave(project, store, files, "dps_a.one.One") == [27, 29, 31, 33]
    assert estimations(store.load("one", "first")) == [27, 29, 31, 33]


def test_only_modules_that_are_imported_travel(project, store):
    files = {
        "dps_b/_shared.py": SHARED,
        "dps_b/other.py": "import json",
        "dps_b/team/one.py": 'from .._shared import Shared\n\nclass One(Shared):\n    id = "one"\n'
        "    hollow = True\n",
    }
    project.write(files)
    store.save(fitted(project.cls("dps_b.team.one.One")))
    names = [name for name in store.manifest("one", "first").files if name.startswith("code/")]
    assert names == ["code/dps_b/_shared.py", "code/dps_b/team/one.py"]


PIPES = """
from xingu import DataProvider
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from dps_c._steps import Scaler

def own_function(X):
    return X * 3

def algorithm():
    return make_pipeline(FunctionTransformer(own_function), LinearRegression())

class Piped(DataProvider):
    id = "piped"
    x_features = ["size"]
    y = "price"
    estimator_class = "xingu.estimators.SklearnEstimator"
    estimator_class_params = {"algorithm": algorithm}

    def feature_engineering_for_train(self, data):
        self.scaler = Scaler(2)
        return data

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred * self.scaler.by

class Named(DataProvider):
    id = "named"
    x_features = ["size"]
    y = "price"
    estimator_class = "dps_c._estimators.Mine"
"""


def test_an_estimator_a_pipeline_and_attributes_of_the_project_travel(project, store):
    files = {
        "dps_c/_estimators.py": ESTIMATOR,
        "dps_c/_steps.py": "class Scaler:\n    def __init__(self, by):\n        self.by = by\n",
        "dps_c/pipes.py": PIPES,
    }
    project.write(files)
    for name in ("Piped", "Named"):
        save(store, project.cls(f"dps_c.pipes.{name}"))
    project.leave()
    assert estimations(store.load("piped", "first")) == pytest.approx([20, 40, 60, 80])
    assert estimations(store.load("named", "first")) == [26, 27, 28, 29]


def test_two_commits_in_one_process_keep_their_own_helpers(project, store):
    def files(factor):
        return {
            "dps_d/_shared.py": SHARED,
            "dps_d/_estimators.py": ESTIMATOR,
            "dps_d/_early.py": f"FACTOR = {factor}",
            "dps_d/_late.py": f"def late(X):\n    return X * {factor}",
            "dps_d/one.py": """
from ._shared import Shared
from dps_d._early import FACTOR

class One(Shared):
    id = "one"
    estimator_class = "dps_d._estimators.Mine"

    def pre_process_for_predict(self, X, model):
        from dps_d._late import late
        return late(X) * FACTOR
""",
        }

    for factor in (1, 2):
        train_and_leave(project, store, files(factor), "dps_d.one.One", f"train-{factor}")
    models = {factor: store.load("one", f"train-{factor}") for factor in (1, 2)}
    assert estimations(models[1]) == [26, 27, 28, 29]
    assert estimations(models[2]) == [29, 33, 37, 41]
    assert estimations(models[1]) == [26, 27, 28, 29]
    assert type(models[1].dp) is not type(models[2].dp)
    assert type(store.load("one", "train-1").dp) is type(models[1].dp)


def test_modules_of_the_application_stay_as_they_are(project, store, tmp_path):
    files = {
        "utils_e.py": "def twice(X):\n    return X * 2",
        "one_e.py": SHARED + "\nfrom utils_e import twice\n\nclass One(Shared):\n    id = 'one'\n"
        "    hollow = True\n\n    def post_process_after_predict(self, X, Y_pred, model):\n"
        "        return Y_pred.assign(estimation=twice(X['size']))\n",
    }
    expected = train_and_leave(project, store, files, "one_e.One")
    application = CodeFolder(tmp_path / "application")
    application.write({"utils_e.py": "NAME = 'of the application'"})
    import utils_e  # type: ignore[import-not-found]

    assert estimations(store.load("one", "first")) == expected == [2, 4, 6, 8]
    assert sys.modules["utils_e"] is utils_e
    application.leave()


LIBRARY_USERS = {
    "module": "import plotlib_f\n\ndef draw():\n    return plotlib_f.draw()",
    "sub-module": "import plotlib_f.pages as pages\n\ndef draw():\n    return pages.draw()",
    "function": "from plotlib_f import draw",
    "annotation": "import plotlib_f\n\ndef draw() -> plotlib_f.Figure | None:\n"
    "    return plotlib_f.draw()",
}


def test_a_library_that_is_installed_but_broken_is_needed_only_when_it_is_used(
    project, installed, store
):
    installed.write({"fine_r.py": ""})
    code = "import fine_r\n" + SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    train_and_leave(project, store, {"one_r.py": code + "    fine = fine_r\n"}, "one_r.One")
    installed.write({"fine_r.py": "raise ImportError('libfine.so: cannot open')"})
    model = store.load("one", "first")
    with pytest.raises(ModuleNotFoundError, match=r"fine_r .*libfine\.so: cannot open"):
        model.dp.fine.draw()


@pytest.mark.parametrize("code", LIBRARY_USERS.values(), ids=LIBRARY_USERS)
def test_a_library_that_prediction_does_not_use_is_not_needed(project, installed, store, code):
    installed.write(
        {
            "plotlib_f/__init__.py": "def draw(): pass\nclass Figure: pass",
            "plotlib_f/pages.py": "def draw(): pass",
        }
    )
    provider = code + SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    provider += "    def paint(self):\n        return draw()\n"
    train_and_leave(project, store, {"one_f.py": provider}, "one_f.One")
    installed.leave()
    model = store.load("one", "first")
    assert len(model.predict(ROWS)) == len(ROWS)
    expected = r"one_f\.py, line 1, imports plotlib_f\S*, which is used now, but plotlib_f cannot"
    with pytest.raises(ModuleNotFoundError, match=expected) as error:
        model.dp.paint()
    assert error.value.name == "plotlib_f"


def test_code_that_expects_a_missing_library_finds_it_missing(project, installed, store):
    installed.write({"fast_g.py": ""})
    code = (
        "try:\n    import fast_g\nexcept ImportError:\n    fast_g = None\n"
        + SHARED
        + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
        "    def has_it(self):\n        return fast_g is not None\n"
    )
    train_and_leave(project, store, {"one_g.py": code}, "one_g.One")
    installed.leave()
    assert store.load("one", "first").dp.has_it() is False


def test_a_library_that_is_needed_at_once_is_named(project, installed, store):
    installed.write({"base_h.py": "class Base: pass"})
    code = "from base_h import Base\n" + SHARED + "\nclass One(Base, Shared):\n    id = 'one'\n"
    train_and_leave(project, store, {"one_h.py": code + "    hollow = True\n"}, "one_h.One")
    installed.leave()
    with pytest.raises(PortabilityError, match=r"one: the code in its package .*base_h cannot"):
        store.load("one", "first")


def test_the_project_wins_and_changes_of_helpers_are_told(project, store, caplog):
    files = {
        "dps_i/_shared.py": SHARED,
        "dps_i/one.py": "from ._shared import Shared\n\nclass One(Shared):\n    id = 'one'\n"
        "    hollow = True\n",
    }
    project.write(files)
    save(store, project.cls("dps_i.one.One"))
    project.write({"dps_i/_shared.py": SHARED + "\n# a comment\n"})
    assert type(store.load("one", "first").dp).__module__ == "dps_i.one"
    assert "has changed" not in caplog.text
    project.write({"dps_i/_shared.py": SHARED + "\n    y = 'other'\n"})
    assert store.load("one", "first").dp.y == "other"
    assert "dps_i._shared has changed since this Model was trained" in caplog.text


def test_the_package_replaces_a_project_that_cannot_read_it(project, store, caplog):
    files = {
        "dps_j/_steps.py": "class Scaler:\n    by = 2\n",
        "dps_j/one.py": SHARED + "\nfrom dps_j import _steps\n\nclass One(Shared):\n"
        "    id = 'one'\n    hollow = True\n\n    def feature_engineering_for_train(self, data):\n"
        "        self.scaler = _steps.Scaler()\n        return data\n",
    }
    project.write(files)
    save(store, project.cls("dps_j.one.One"))
    project.write({"dps_j/_steps.py": "class Renamed:\n    pass\n"})
    assert store.load("one", "first").dp.scaler.by == 2
    assert "the project's code cannot read this Model" in caplog.text


@pytest.mark.parametrize(("name", "dp_id"), [("Villas", "one"), ("One", "villas")])
def test_a_class_that_is_gone_or_has_another_id_is_taken_from_the_package(
    project, store, caplog, name, dp_id
):
    code = SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    project.write({"one_k.py": code})
    save(store, project.cls("one_k.One"))
    changed = code.replace("class One", f"class {name}").replace("'one'", repr(dp_id))
    project.write({"one_k.py": changed})
    assert store.load("one", "first").dp.id == "one"
    assert "has no such DataProvider One; using the code in the package" in caplog.text


def test_an_error_in_the_projects_code_is_not_hidden_by_the_package(project, store):
    code = SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    project.write({"one_l.py": code})
    save(store, project.cls("one_l.One"))
    project.write({"one_l.py": "raise ValueError('typing error')"})
    with pytest.raises(StorageError, match="ValueError: typing error"):
        store.load("one", "first")


def test_without_project_and_copy_the_error_says_what_to_do(project, store):
    code = SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    train_and_leave(project, store, {"one_m.py": code}, "one_m.One")
    package = store.package("one", "first")
    _edit_manifest(package, lambda files: files.pop("code/one_m.py"))
    (package / "code" / "one_m.py").unlink()
    with pytest.raises(UntrainedModelError, match=r"one: .*one_m.*no copy of it.*PYTHONPATH"):
        store.load("one", "first")


def test_a_package_of_an_earlier_version_has_one_module(project, store):
    code = SHARED + "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
    train_and_leave(project, store, {"dps_n/one.py": code}, "dps_n.one.One")
    package = store.package("one", "first")
    (package / "code" / "dps_n" / "one.py").rename(package / "provider.py")
    moved = "code/dps_n/one.py"
    _edit_manifest(package, lambda files: files.update({"provider.py": files.pop(moved)}))
    assert store.load("one", "first").dp.id == "one"


def test_a_model_that_was_loaded_from_its_package_can_be_saved_again(project, store, tmp_path):
    files = {
        "dps_o/_steps.py": "class Scaler:\n    by = 2\n",
        "dps_o/one.py": SHARED + "\nfrom dps_o._steps import Scaler\n\nclass One(Shared):\n"
        "    id = 'one'\n    hollow = True\n\n    def feature_engineering_for_train(self, data):\n"
        "        self.scaler = Scaler()\n        return data\n",
    }
    train_and_leave(project, store, files, "dps_o.one.One")
    other = ModelStore(tmp_path / "other", verify=True)
    other.save(store.load("one", "first"))
    assert other.load("one", "first").dp.scaler.by == 2
    assert other.manifest("one", "first").provider.module == "dps_o.one"


def test_what_looks_like_a_secret_is_told_by_file_and_line(project, store, caplog):
    code = SHARED + (
        "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
        "    address = 'postgresql://me:topsecret@db/prices'\n"
        "    key = 'AKIA0123456789ABCDEF'\n    template = 'postgresql://me:{password}@db/x'\n"
    )
    project.write({"one_p.py": code})
    save(store, project.cls("one_p.One"))
    told = [r.getMessage() for r in caplog.records if "looks like" in r.getMessage()]
    assert [text.partition(",")[0] for text in told] == ["one: a text in one_p.py"] * 2
    assert "line 11 looks like a URL with a password" in told[0]
    assert "line 12 looks like an access key of AWS" in told[1]
    assert "topsecret" not in caplog.text
    assert "AKIA0" not in caplog.text


def test_frames_of_packaged_code_show_their_source(project, store):
    code = SHARED + (
        "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
        "    def fails(self):\n        raise ValueError('here')\n"
    )
    train_and_leave(project, store, {"one_q.py": code}, "one_q.One")
    model = store.load("one", "first")
    with pytest.raises(ValueError, match="here") as error:
        model.dp.fails()
    assert str(error.traceback[-1].path).endswith("first/code/one_q.py")
    assert "raise ValueError('here')" in str(error.traceback[-1].statement)


def _edit_manifest(package, edit):
    manifest = json.loads((package / "manifest.json").read_text())
    del manifest["digest"]
    edit(manifest["files"])
    (package / "manifest.json").write_text(json.dumps(manifest))
