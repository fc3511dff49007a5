"""A package that would not work without the project is refused when it is saved."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from upath import UPath

from tests.support.projects import SHARED, CodeFolder, fitted
from xingu.errors import PortabilityError
from xingu.registry.manifest import read_manifest
from xingu.registry.store import ModelStore

ROOT = Path(__file__).parents[2]

HOLLOW = "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"

REFUSED = {
    "an import by a name that is computed": (
        "    def pre_process_for_predict(self, X, model):\n"
        "        import importlib\n"
        "        importlib.import_module('dps_v' + '._hidden')\n"
        "        return X\n",
        "No module named 'dps_v'",
    ),
    "a file beside the module": (
        "    def pre_process_for_predict(self, X, model):\n"
        "        open(__file__.replace('one.py', 'towns.txt')).read()\n"
        "        return X\n",
        "FileNotFoundError.*towns.txt",
    ),
    "a file of the current folder": (
        "    def pre_process_for_predict(self, X, model):\n"
        "        open('here.txt').read()\n"
        "        return X\n",
        "FileNotFoundError.*here.txt",
    ),
    "other estimations": (
        "    def post_process_after_predict(self, X, Y_pred, model):\n"
        "        return Y_pred.assign(estimation=float(__name__ == 'dps_v.one'))\n",
        "its estimations of 3 rows differ",
    ),
    "the end of the process": (
        "    def pre_process_for_predict(self, X, model):\n"
        "        import os, sys\n"
        "        'dps_v.one' in sys.modules or os._exit(0)\n"
        "        return X\n",
        "the process that loaded it died",
    ),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = CodeFolder(tmp_path / "project")
    folder.root.mkdir()
    monkeypatch.chdir(folder.root)
    (folder.root / "here.txt").write_text("here")
    yield folder
    folder.leave()


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models", verify=True)


def model_of(project, code):
    project.write(
        {"dps_v/_hidden.py": "", "dps_v/towns.txt": "", "dps_v/one.py": SHARED + HOLLOW + code}
    )
    return fitted(project.cls("dps_v.one.One"))


@pytest.mark.parametrize(("code", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_work_elsewhere_is_refused_with_the_reason(project, store, code, reason):
    model = model_of(project, code)
    with pytest.raises(PortabilityError, match=f"one: the model is not saved, .*: .*{reason}"):
        store.save(model)
    assert store.trains("one") == []


def test_the_check_can_be_switched_off(project, tmp_path):
    code, _ = REFUSED["a file beside the module"]
    ModelStore(tmp_path / "models", verify=False).save(model_of(project, code))


def test_estimations_that_are_random_are_no_reason_to_refuse(project, store):
    code = (
        "    def post_process_after_predict(self, X, Y_pred, model):\n"
        "        import random\n"
        "        return Y_pred.assign(estimation=random.random())\n"
    )
    store.save(model_of(project, code))
    assert store.trains("one") == ["first"]


def test_rows_that_the_hooks_refuse_are_no_reason_to_refuse(project, store):
    code = "    def pre_process_for_predict(self, X, model):\n        return X[['rooms']]\n"
    store.save(model_of(project, code))
    assert store.trains("one") == ["first"]


def test_a_run_shares_one_process(project, store, tmp_path):
    """It must be forked where no threads are, so the test has a process of its own."""
    code, reason = REFUSED["an import by a name that is computed"]
    project.write({"dps_v/one.py": SHARED + HOLLOW, "dps_v/_hidden.py": ""})
    project.write({"dps_v/bad.py": SHARED + HOLLOW.replace("'one'", "'bad'") + code})
    script = f"""
    import os, subprocess, sys
    from tests.support.projects import fitted
    from xingu.errors import PortabilityError
    from xingu.registry import verification
    from xingu.registry.store import ModelStore
    from dps_v.one import One
    from dps_v.bad import One as Bad
    store = ModelStore({str(tmp_path / "models")!r}, verify=True)
    with verification.shared_verifier():
        address = os.environ[verification.VARIABLE]
        store.save(fitted(One))
        try:
            store.save(fitted(Bad))
        except PortabilityError as error:
            print(error)
        assert verification._own == {{}}
    assert not os.path.exists(address)
    """
    done = run(project.root, "-c", script)
    assert reason.rstrip("'") in done.stdout, done.stderr
    assert store.trains("one") == ["first"]


def test_a_folder_without_init_in_a_package_is_no_part_of_the_forked_process(project, tmp_path):
    project.write({"shop/__init__.py": "", "shop/dps/one.py": SHARED + HOLLOW})
    script = f"""
    from tests.support.projects import fitted
    from xingu.registry import verification
    from xingu.registry.store import ModelStore
    from shop.dps.one import One
    with verification.shared_verifier():
        ModelStore({str(tmp_path / "models")!r}, verify=True).save(fitted(One))
    """
    done = run(project.root, "-c", script)
    assert done.returncode == 0, done.stderr


def run(folder, *arguments):
    """Run Python in a process of its own, which sees Xingu and its current folder."""
    return subprocess.run(
        [sys.executable, *map(textwrap.dedent, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


SCRIPT = """
import helpers_w
from xingu import DataProvider
from tests.support.projects import fitted
from xingu.registry.store import ModelStore

class Scaler:
    by = 2

def twice(X):
    return X * Scaler.by

class Mine(DataProvider):
    id = "mine"
    x_features = ["size"]
    y = "price"
    estimator_class = "xingu.estimators.SklearnEstimator"

    def get_estimator_class_params(self):
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer
        return {"algorithm": make_pipeline(FunctionTransformer(twice), LinearRegression())}

    def feature_engineering_for_train(self, data):
        self.scaler = Scaler()
        return data

    def post_process_after_predict(self, X, Y_pred, model):
        return helpers_w.plus_one(Y_pred) * self.scaler.by

print("the script runs")
model = fitted(Mine)
model.save("models")
print(model.predict(__import__("pandas").DataFrame({"size": [1.0, 2.0]})))
"""


def test_what_a_script_defines_is_in_the_package(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "helpers_w.py").write_text("def plus_one(Y):\n    return Y + 1\n")
    done = run(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    away = tmp_path / "away"
    away.mkdir()
    (tmp_path / "models").rename(away / "models")
    use = """
    import pandas as pd
    from xingu import Model
    print(Model.load("mine").predict(pd.DataFrame({"size": [1.0, 2.0]}))["estimation"].tolist())
    """
    found = run(away, "-c", use)
    assert found.returncode == 0, found.stderr
    assert [round(value) for value in json.loads(found.stdout)] == [22, 42]
    [package] = (away / "models" / "mine" / "trains").iterdir()
    _change_python(package)
    assert "which Python 2.7 alone can read" in run(away, "-c", use).stderr


def _change_python(package):
    manifest = read_manifest(UPath(package))
    changed = {**manifest.provenance, "python": "2.7.18"}
    text = manifest.model_copy(update={"provenance": changed}).model_dump_json()
    (package / "manifest.json").write_text(text)
