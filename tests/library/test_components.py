"""Components: models of YAML, and folders of DataProviders, in a project of `dg`."""

import sys
import textwrap
from pathlib import Path

import dagster as dg
import pytest

from tests.support.foreign import run
from xingu import Model
from xingu.checks.gates import parse_gates
from xingu_dagster import (
    XinguIOManager,
    XinguModel,
    XinguProjectComponent,
    XinguResource,
)
from xingu_dagster.scaffolders import XinguModelScaffolder, XinguProjectScaffolder

FLATS = """
type: xingu_dagster.XinguModel

attributes:
  description: Prices of flats.
  sources:
    houses: {source: db, query: select * from houses}
  batch_sources:
    houses: {source: db, query: select * from houses where id < 50}
  features: [size]
  target: price
  index: id
  params: {n_estimators: 10, min_child_samples: 5}
  search_space:
    num_leaves: {type: int, low: 4, high: 8}
  split: {by: size, test: 0.25, val: 0}
  checks: {feature_drift: off}
  gates: {test: {R2: [">=", -100]}}
  owners: [team:pricing]
  tags: {domain: sales}
"""
PROJECT = """
type: xingu_dagster.XinguProjectComponent

attributes:
  settings: {databases: {db: {env: HOUSES_URL}}}
"""
RENTS = """
type: xingu_dagster.XinguModel

attributes:
  id: rents
  sources:
    houses: {source: db, query: select * from houses}
  features: [size, estimated]
  target: price
  estimator: tests.support.toys.MeanEstimator
  pre_req: {flats: estimated}
"""
TAXES = """
from tests.support.toys import Houses

class Taxes(Houses):
    id = "taxes"
    pre_req = {"flats"}

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        return data.assign(size=self.pre_req_model["flats"].predict(data)["estimation"])
"""
TO_THE_MODEL = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
                "trainset_estimations", "trainset_metrics")  # fmt: skip


class DgProject:
    """A project of `dg` with components."""

    def __init__(self, home: Path, **files: str) -> None:
        self.home, self.defs = home, home / "shop" / "defs"
        self.defs.mkdir(parents=True)
        (home / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "shop"\n'
        )
        for name in ("shop/__init__.py", "shop/defs/__init__.py"):
            (home / name).touch()
        for name, text in files.items():
            self.write(f"{name}/defs.yaml", text)

    def write(self, path: str, text: str) -> None:
        (self.defs / path).parent.mkdir(parents=True, exist_ok=True)
        (self.defs / path).write_text(textwrap.dedent(text).lstrip())

    def load(self) -> dg.Definitions:
        sys.path.insert(0, str(self.home))
        try:
            return dg.load_from_defs_folder(path_within_project=self.home)
        finally:
            sys.path.remove(str(self.home))
            for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
                del sys.modules[name]


def told_by(error: BaseException | None) -> str:
    """Return the texts of an error and of its causes."""
    return f"{error}\n{told_by(error.__cause__)}" if error is not None else ""


def to_the_model(dp_id):
    return [f'key:"{dp_id}/{name}"' for name in TO_THE_MODEL]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, database):
    """A project with two models of YAML and one of Python, which need each other; all trained."""
    project = DgProject(tmp_path_factory.mktemp("dg"), flats=FLATS, ml=PROJECT, rents=RENTS)
    project.write("ml/dataproviders/taxes.py", TAXES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOUSES_URL", database)
        project.definitions = project.load()
        selection = [*to_the_model("flats"), *to_the_model("taxes"), *to_the_model("rents")]
        project.result = run(project.definitions, *selection)
    return project


def test_a_model_of_yaml_trains_beside_python_and_as_its_prerequisite(trained):
    assert trained.result.success
    taxes = Model.load("taxes", path=trained.home / "models")
    assert list(taxes.pre_req_trains) == ["flats"]


def test_estimations_of_a_prerequisite_are_a_column_of_a_model_of_yaml(trained):
    rents = Model.load("rents", path=trained.home / "models")
    assert list(rents.pre_req_trains) == ["flats"]
    assert list(rents.signature().estimator_features) == ["size", "estimated"]


def test_the_declarations_of_the_yaml_are_those_of_the_model(trained):
    flats = Model.load("flats", path=trained.home / "models")
    assert flats.signature().set_rows == {"train": 300, "test": 100}
    spec = next(
        one for one in trained.definitions.resolve_all_asset_specs()
        if one.key == dg.AssetKey(["flats", "model"])
    )  # fmt: skip
    assert (spec.description, list(spec.owners)) == ("Prices of flats.", ["team:pricing"])
    assert spec.tags["domain"] == "sales"


def test_a_package_of_a_model_of_yaml_loads_without_the_project(trained, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("xingu_declared")]:
        monkeypatch.delitem(sys.modules, name)
    model = Model.load("flats", path=trained.home / "models")
    assert type(model.dp).__module__.startswith("xingu_package_")
    (package,) = (trained.home / "models" / "flats").glob("trains/*/code/xingu_declared/*.py")
    assert "estimator_params = {'n_estimators': 10" in package.read_text()


def test_a_variable_of_the_settings_stays_one(trained):
    resource = trained.definitions.resources["xingu"]
    assert isinstance(resource.databases["db"], dg.EnvVar)


def test_models_of_yaml_alone_share_one_resource(tmp_path):
    definitions = DgProject(tmp_path, flats=FLATS, rents=RENTS).load()
    dg.Definitions.validate_loadable(definitions)
    assert set(definitions.resources) == {"xingu", "xingu_io"}
    assert definitions.resources["xingu"].project_home == str(tmp_path)


def test_key_prefix_and_resource_key_of_a_model_are_its_own(tmp_path):
    own = FLATS + "  key_prefix: team\n  resource_key: theirs\n"
    definitions = DgProject(tmp_path, flats=own).load()
    assert not definitions.resources
    theirs = {"theirs": XinguResource(), "theirs_io": XinguIOManager(XinguResource())}
    definitions = dg.Definitions.merge(definitions, dg.Definitions(resources=theirs))
    assert definitions.resolve_asset_graph().has(dg.AssetKey(["team", "flats", "model"]))


@pytest.mark.parametrize(
    ("line", "wrong", "message"),
    [
        ("  params: {n_estimators: 10, min_child_samples: 5}", "  parms: {}", "parms"),
        (
            "    houses: {source: db, query: select * from houses}",
            "    houses: {table: x}",
            "houses.table",
        ),
        (
            "    num_leaves: {type: int, low: 4, high: 8}",
            "    num_leaves: {type: integer}",
            "'int'",
        ),
        ("    num_leaves: {type: int, low: 4, high: 8}", "    num_leaves: {type: int}", "low"),
        ("  checks: {feature_drift: off}", "  checks: {feature_drfit: warn}", "feature_drift"),
        ('  gates: {test: {R2: [">=", -100]}}', "  gates: {test: {R2: high}}", "R2"),
        ("    houses: {source: db, query: select * from houses}", "    houses: {}", "houses"),
    ],
)
def test_an_error_names_the_line_of_the_yaml(tmp_path, line, wrong, message):
    assert line in FLATS
    text = FLATS.replace(line, wrong, 1)
    # Of a key that the schema does not know, Dagster names the line of the section.
    number = text.lstrip().splitlines().index(wrong) + (message != "houses.table")
    with pytest.raises(Exception) as caught:
        DgProject(tmp_path, flats=text).load().resolve_asset_graph()
    told = told_by(caught.value)
    assert f"flats/defs.yaml:{number}" in told
    assert message in told


def test_an_unknown_prerequisite_of_a_model_of_yaml_is_named(tmp_path):
    text = FLATS + "  pre_req: [houzes]\n"
    with pytest.raises(Exception) as caught:
        DgProject(tmp_path, flats=text).load()
    told = told_by(caught.value)
    assert "flats.pre_req names 'houzes': there is no such DataProvider" in told
    assert f"flats/defs.yaml:{len(text.strip().splitlines())}" in told


def test_a_metric_of_a_model_of_yaml_can_have_several_gates():
    limits = {"R2": [[">=", 0.1], ["<=", 0.99]], "MAE": ["<=", 9]}
    cls = XinguModel.model_validate({"id": "flats", "gates": {"test": limits}}).provider(
        Path("defs.yaml")
    )
    assert [(one.metric, one.operator) for one in parse_gates("flats", cls.quality_gates, {})] == [
        ("R2", ">="), ("R2", "<="), ("MAE", "<=")
    ]  # fmt: skip


def test_a_base_class_adds_hooks(tmp_path, database):
    text = FLATS.replace("  index: id\n", "  base: tests.support.toys.Houses\n").replace(
        "split: {by: size, test: 0.25, val: 0}", "split: {test: 0.25, val: 0}"
    )
    project = DgProject(tmp_path, flats=text + f"  settings: {{databases: {{db: '{database}'}}}}\n")
    result = run(project.load(), 'key:"flats/raw/houses"', 'key:"flats/cleaned"',
                 'key:"flats/features"')  # fmt: skip
    assert result.success


@pytest.mark.parametrize(
    ("component", "scaffolder"),
    [(XinguModel, XinguModelScaffolder), (XinguProjectComponent, XinguProjectScaffolder)],
)
def test_what_dg_scaffolds_loads(tmp_path, component, scaffolder):
    project = DgProject(tmp_path)
    target = project.defs / "made"
    target.mkdir()
    scaffolder().scaffold(
        dg.ScaffoldRequest(
            type_name=f"xingu_dagster.{component.__name__}", target_path=target,
            scaffold_format="yaml", project_root=tmp_path, params=None,
        )
    )  # fmt: skip
    definitions = project.load()
    dg.Definitions.validate_loadable(definitions)
    found = definitions.resolve_asset_graph().has(dg.AssetKey(["made", "model"]))
    assert found == (component is XinguModel)


def test_values_that_are_no_plain_data_are_refused(tmp_path):
    text = FLATS.replace("n_estimators: 10", "n_estimators: .nan")
    with pytest.raises(Exception) as caught:
        DgProject(tmp_path, flats=text).load()
    assert "flats.estimator_params holds a dict that is no plain data" in told_by(caught.value)
