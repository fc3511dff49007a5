"""Model packages: what they hold, what is verified, and loading without Dagster."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from tests.support.fitted import fit_model, save_model
from tests.support.toys import Houses, Taxes, houses
from xingu import Model
from xingu.errors import CorruptPackageError, UntrainedModelError
from xingu.model.provenance import library_versions
from xingu.registry.store import ModelStore

ROOT = Path(__file__).parents[2]


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


class ModelStoreContract:
    @pytest.fixture
    def root(self):
        raise NotImplementedError

    @pytest.fixture
    def store(self, root):
        return ModelStore(root)

    def test_a_saved_model_estimates_the_same(self, store, root):
        model = save_model(Houses, store)
        loaded = Model.load("houses", path=root)
        rows = houses(50, seed=1)
        pd.testing.assert_frame_equal(loaded.predict(rows), model.predict(rows))
        assert loaded.dp.town_codes == model.dp.town_codes
        assert loaded.signature() == model.signature()
        assert (loaded.run, loaded.trained) == (model.run, model.trained)

    def test_the_manifest_names_every_file_with_its_checksum(self, store):
        save_model(Houses, store)
        package = store.package("houses", "first")
        manifest = json.loads((package / "manifest.json").read_text())
        files = {
            path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()
        }
        assert set(manifest["files"]) == files - {"manifest.json"}
        assert "estimator/booster.txt" in files
        assert manifest["estimator_features"] == ["size", "town_code"]

    @pytest.mark.parametrize(
        "name", ["provider_state.pkl", "estimator/booster.txt", "code/tests/support/toys.py"]
    )
    def test_a_flipped_byte_is_refused_before_anything_is_loaded(self, store, name):
        save_model(Houses, store)
        flip_a_byte(store.package("houses", "first").joinpath(*name.split("/")))
        with pytest.raises(CorruptPackageError, match=f"{name} is not what was saved"):
            store.load("houses", "first")

    def test_a_missing_file_is_named(self, store):
        save_model(Houses, store)
        (store.package("houses", "first") / "estimator" / "booster.txt").unlink()
        with pytest.raises(CorruptPackageError, match=r"estimator/booster\.txt is missing"):
            store.load("houses", "first")

    def test_a_manifest_that_cannot_be_read_is_refused(self, store):
        save_model(Houses, store)
        (store.package("houses", "first") / "manifest.json").write_text("{")
        with pytest.raises(CorruptPackageError, match=r"manifest\.json cannot be read"):
            store.load("houses", "first")

    def test_prerequisites_are_inside_and_later_trains_change_nothing(self, store, root):
        save_model(Houses, store, "old")
        save_model(Taxes, store, "taxes-1", houses="old")
        save_model(Houses, store, "new")
        for file in store.package("houses", "old").rglob("*"):
            if file.is_file():
                file.unlink()
        taxes = Model.load("taxes", path=root)
        assert taxes.dp.pre_req_model["houses"].train_id == "old"
        assert len(taxes.dp.pre_req_model["houses"].predict(houses(5))) == 5

    def test_a_flipped_byte_in_a_prerequisite_is_refused(self, store):
        save_model(Houses, store, "old")
        save_model(Taxes, store, "taxes-1", houses="old")
        package = store.package("taxes", "taxes-1")
        flip_a_byte(package / "pre_reqs" / "houses" / "estimator" / "booster.txt")
        taxes = store.load("taxes", "taxes-1")
        with pytest.raises(CorruptPackageError, match=r"houses: estimator/booster\.txt"):
            taxes.dp.pre_req_model["houses"]

    def test_a_changed_manifest_of_a_prerequisite_is_refused(self, store):
        save_model(Houses, store, "houses-1")
        save_model(Taxes, store, "taxes-1", houses="houses-1")
        nested = store.package("taxes", "taxes-1") / "pre_reqs" / "houses"
        flip_a_byte(nested / "estimator" / "booster.txt")
        manifest = json.loads((nested / "manifest.json").read_text())
        changed = hashlib.sha256((nested / "estimator" / "booster.txt").read_bytes()).hexdigest()
        manifest["files"]["estimator/booster.txt"]["sha256"] = changed
        (nested / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(CorruptPackageError, match=r"pre_reqs/houses/manifest\.json"):
            store.load("taxes", "taxes-1").dp.pre_req_model["houses"]

    def test_a_prerequisite_that_no_hook_touches_is_not_read(self, store):
        save_model(Houses, store, "houses-1")
        save_model(Taxes, store, "taxes-1", houses="houses-1")
        nested = store.package("taxes", "taxes-1") / "pre_reqs" / "houses"
        for path in [path for path in nested.rglob("*") if path.is_file()]:
            path.unlink()
        rows = houses(3).assign(estimated_price=100.0)
        assert len(store.load("taxes", "taxes-1").predict_proba(rows)) == 3

    def test_a_train_is_found_by_id_session_time_or_as_the_current_one(self, store, root):
        save_model(Houses, store, "first", "s1")
        between = datetime.now(UTC)
        save_model(Houses, store, "second", "s2")
        find = store.find
        assert find("houses") == "second"
        assert find("houses", train_id="first") == "first"
        assert find("houses", session_id="s1") == "first"
        assert find("houses", as_of=between) == "first"
        assert find("houses", as_of=datetime.now(UTC)) == "second"

    def test_what_was_never_trained_is_an_error_that_says_what_to_do(self, store):
        with pytest.raises(
            UntrainedModelError, match="No saved model of 'houses'.*materialize houses"
        ):
            store.find("houses")
        save_model(Houses, store)
        with pytest.raises(UntrainedModelError, match="with train_id other"):
            store.find("houses", train_id="other")
        with pytest.raises(UntrainedModelError, match="with as_of 2020"):
            store.find("houses", as_of=datetime(2020, 1, 1, tzinfo=UTC))

    def test_of_the_preferred_trains_and_sessions_the_first_that_there_is_is_taken(self, store):
        save_model(Houses, store, "first", "s1")
        save_model(Houses, store, "second", "s2")
        save_model(Houses, store, "third", "s3")
        assert store.find("houses", preferred=["nobody", "s2", "first"]) == "second"
        assert store.find("houses", preferred=["first", "s2"]) == "first"
        assert store.find("houses", preferred=["nobody"]) == "third"


class TestLocalModels(ModelStoreContract):
    @pytest.fixture
    def root(self, tmp_path):
        return UPath(tmp_path)


class TestS3Models(ModelStoreContract):
    @pytest.fixture
    def root(self, s3_url, request):
        return UPath(f"{s3_url}/models/{request.node.name}")


def test_other_library_versions_are_named_in_a_warning(tmp_path, caplog):
    model = fit_model(Houses, libraries={**library_versions(), "lightgbm": "0.1"})
    model.save(tmp_path)
    with caplog.at_level(logging.WARNING):
        Model.load("houses", path=tmp_path)
    assert "lightgbm 0.1 → " in caplog.text


def run_alone(code, folder, **env):
    """Run `code` in a new process that can import neither Dagster nor a database library."""
    preamble = """
    import sys
    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in {"dagster", "sqlalchemy", "duckdb", "adbc_driver_manager"}:
                raise ImportError(f"{name} is not here")
    sys.meta_path.insert(0, Refuse())
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(preamble) + textwrap.dedent(code)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


PREDICT = """
import pandas as pd
from xingu import Model
model = Model.load("taxes", path="models")
rows = pd.DataFrame({"size": [50.0, 180.0], "town": ["north", "west"]})
rows["estimated_price"] = [1.0, 2.0]
print(model.predict_proba(rows).shape, model.dp.pre_req_model["houses"].predict(rows).shape)
try:
    import dagster
except ImportError as error:
    print(error)
"""


def test_a_package_predicts_where_neither_dagster_nor_a_database_can_be_imported(tmp_path):
    store = ModelStore(tmp_path / "models")
    save_model(Houses, store)
    save_model(Taxes, store, houses="first")
    done = run_alone(PREDICT, tmp_path, PYTHONPATH=str(ROOT))
    assert done.stdout == "(2, 2) (2, 1)\ndagster is not here\n", done.stderr


def test_a_package_predicts_without_the_projects_code(tmp_path):
    store = ModelStore(tmp_path / "models")
    save_model(Houses, store)
    save_model(Taxes, store, houses="first")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "xingu").symlink_to(ROOT / "xingu")
    done = run_alone(
        f"sys.path = [p for p in sys.path if p != {str(ROOT)!r}]\n" + PREDICT,
        tmp_path,
        PYTHONPATH=str(tmp_path / "site"),
    )
    assert done.stdout.startswith("(2, 2) (2, 1)\n"), done.stderr
    assert "using the code in the package" in done.stderr
