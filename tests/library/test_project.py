"""XinguProject: DataProviders in a Dagster project that has other assets."""

import dagster as dg
import pandas as pd
import pytest

from tests.support.foreign import run, write_team
from tests.support.toys import Houses, Taxes
from xingu import Model
from xingu.config import Settings
from xingu.errors import (
    DeclarationError,
    DuplicateProviderError,
    SettingsError,
    UnknownProviderError,
)
from xingu.registry.store import ModelStore
from xingu.tracking.query import TrainFilter, find_trains
from xingu.workspace import Workspace
from xingu_dagster import XinguProject, XinguResource, XinguTranslator, build_xingu_assets

OF_A_TRAIN = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
              "trainset_estimations", "batch/raw/houses", "batch/cleaned", "batch/features",
              "batch/estimations")  # fmt: skip


def of_a_train(prefix):
    return [f'key:"{prefix}/{name}"' for name in OF_A_TRAIN]


class TheirIOManager(dg.IOManager):
    """Keeps values in memory, under the key that Dagster takes by default."""

    def __init__(self):
        self.values = {}

    def handle_output(self, context, obj):
        self.values[context.asset_key.to_user_string()] = obj

    def load_input(self, context):
        return self.values[context.asset_key.to_user_string()]


@dg.asset(ins={"estimations": dg.AssetIn(["houses", "batch", "estimations"])})
def mean_estimation(estimations: pd.DataFrame) -> float:
    return float(estimations["estimation"].mean())


@dg.asset(ins={"model": dg.AssetIn(["houses", "model"])})
def name_of_train(model: Model) -> str:
    return model.train_id


@pytest.fixture(scope="module")
def foreign(tmp_path_factory, database):
    """A run of a foreign project, with its own executor, IO manager and assets downstream."""
    home = tmp_path_factory.mktemp("foreign")
    resource = XinguResource(project_home=str(home), databases={"db": database})
    theirs = TheirIOManager()
    definitions = dg.Definitions.merge(
        dg.Definitions([mean_estimation, name_of_train], resources={"io_manager": theirs},
                       executor=dg.in_process_executor),
        XinguProject([Houses], settings=resource).definitions(),
    )  # fmt: skip
    run(definitions, *of_a_train("houses"), "key:mean_estimation", "key:name_of_train")
    return home, theirs


def test_their_assets_take_our_frames_and_models_as_inputs(foreign):
    _home, theirs = foreign
    assert theirs.values["mean_estimation"] > 100
    assert "-" in theirs.values["name_of_train"]


def test_values_of_their_assets_are_not_in_our_store_nor_ours_in_theirs(foreign):
    home, theirs = foreign
    assert set(theirs.values) == {"mean_estimation", "name_of_train"}
    assert {path.name for path in (home / ".xingu" / "values").iterdir()} == {"houses"}


def test_relative_paths_are_relative_to_project_home(foreign):
    home, _theirs = foreign
    assert (home / "models" / "houses").is_dir()
    assert (home / ".xingu" / "control.db").is_file()


def test_definitions_claim_neither_the_io_manager_nor_the_executor_of_others(tmp_path):
    definitions = XinguProject([Houses]).definitions()
    assert set(definitions.resources) == {"xingu", "xingu_io"}
    assert definitions.executor is None


def test_the_environment_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINED_MODELS_PATH", "elsewhere")
    monkeypatch.setenv("DATABASES", "odd")
    (tmp_path / ".env").write_text("PLOTS_PATH=elsewhere")
    resource = XinguProject([Houses], settings=XinguResource(project_home=str(tmp_path))).resource()
    with resource.outside_of_steps() as ready:
        assert ready.workspace.models.root.name == "models"
        assert ready.workspace.plots.name == "plots"


def test_the_environment_is_read_on_request(tmp_path, monkeypatch):
    folder = write_team(tmp_path, "team_env")
    monkeypatch.setenv("PROJECT_HOME", str(folder.parent))
    monkeypatch.setenv("TRAINED_MODELS_PATH", "elsewhere")
    monkeypatch.setenv("XINGU_EXECUTOR", "in_process")
    project = XinguProject.from_environment()
    assert list(project.classes) == ["houses"]
    assert project.resource().models.root.name == "elsewhere"
    assert project.executor().name == "in_process"


def test_without_settings_the_home_is_the_folder_above_the_data_providers(tmp_path):
    folder = write_team(tmp_path, "team_home")
    assert XinguProject(folder).resource().project_home == str(folder.parent)


# -- selections -----------------------------------------------------------------------------------


def names(assets):
    return {key.path[0] for one in assets for key in one.keys} - {"sources"}


def test_select_takes_ids_and_patterns():
    project = XinguProject([Houses, Taxes])
    assert names(project.assets()) == {"houses", "taxes"}
    assert names(project.assets(select="tax*")) == {"taxes"}
    assert names(project.assets(select=["houses", "taxes"])) == {"houses", "taxes"}


def test_an_unknown_selection_names_what_was_meant():
    with pytest.raises(UnknownProviderError, match="Did you mean 'houses'"):
        XinguProject([Houses]).assets(select="house")


def test_checks_are_keys_for_selections():
    project = XinguProject([Houses])
    selection = dg.AssetSelection.checks(*project.checks())
    graph = project.definitions().resolve_asset_graph()
    assert selection.resolve_checks(graph) == set(project.checks()) != set()


def test_sensors_are_an_empty_list():
    assert XinguProject([Houses]).sensors() == []


def test_assets_of_one_data_provider_need_no_project():
    assert names(build_xingu_assets(Houses)) == {"houses"}
    with pytest.raises(DeclarationError, match="reserved"):
        build_xingu_assets(type("Odd", (Houses,), {"id": "sources"}))


def test_assets_of_one_data_provider_join_a_project_with_options_of_its_own():
    resource = XinguResource(save_sets=False)
    project = XinguProject([Houses], settings=resource)
    joined = dg.Definitions(build_xingu_assets(Taxes, settings=resource))
    dg.Definitions.validate_loadable(dg.Definitions.merge(project.definitions(), joined))


def test_a_given_class_that_cannot_be_used_is_an_error_at_once():
    odd = type("Odd", (Houses,), {"quality_gates": {"test": {"R2": "high"}}})
    with pytest.raises(DeclarationError, match="quality_gates"):
        XinguProject([odd]).definitions()


def test_a_broken_file_of_a_folder_leaves_the_others_usable(tmp_path):
    folder = write_team(tmp_path, "team_broken")
    (folder / "odd.py").write_text("import nothing_like_this")
    translator = XinguTranslator("ml")
    graph = XinguProject(folder, translator=translator).definitions().resolve_asset_graph()
    broken = [key for key in graph.get_all_asset_keys() if key.path[:2] == ["ml", "broken"]]
    assert [key.path[-1].endswith("dataproviders_odd") for key in broken] == [True]
    assert graph.has(dg.AssetKey(["ml", "houses", "model"]))


# -- several projects in one code location --------------------------------------------------------


@pytest.fixture(scope="module")
def teams(tmp_path_factory, database):
    """Two folders, with the same ids and file names, that share storage; both are trained."""
    home = tmp_path_factory.mktemp("teams")
    resource = XinguResource(project_home=str(home), databases={"db": database})
    projects = [
        XinguProject(write_team(home, team), settings=resource, translator=XinguTranslator(team))
        for team in ("team_a", "team_b")
    ]
    definitions = dg.Definitions.merge(*(project.definitions() for project in projects))
    for team in ("team_a", "team_b"):
        run(definitions, *of_a_train(f"{team}/houses"))
    return home


def test_models_of_two_teams_with_the_same_id_are_apart(teams):
    for team in ("team_a", "team_b"):
        model = Model.load("houses", path=teams / "models" / team)
        assert model.dp.trained_by == team
        assert len(ModelStore(teams / "models" / team).trains("houses")) == 1


def test_control_tables_of_two_teams_are_apart(teams):
    settings = Settings.load(project_home=teams, table_prefix="team_a_")
    assert len(find_trains(Workspace(settings).control, TrainFilter())) == 1


def test_two_projects_with_the_same_keys_are_an_error(tmp_path):
    one, other = (XinguProject(write_team(tmp_path, team)) for team in ("team_c", "team_d"))
    with pytest.raises(dg.DagsterInvariantViolationError, match="resource"):
        dg.Definitions.merge(one.definitions(), other.definitions())


def test_a_resource_key_of_its_own_lets_a_second_project_join(tmp_path):
    one = XinguProject([Houses])
    other = XinguProject([type("Flats", (Houses,), {"id": "flats"})], resource_key="other")
    graph = dg.Definitions.merge(one.definitions(), other.definitions())
    assert set(graph.resources) == {"xingu", "xingu_io", "other", "other_io"}
    dg.Definitions.validate_loadable(graph)


# -- translators ----------------------------------------------------------------------------------


class SameKeys(XinguTranslator):
    def get_asset_key(self, dp_id, path):
        return dg.AssetKey(["everything", *path])


class Flat(XinguTranslator):
    def get_asset_key(self, dp_id, path):
        return dg.AssetKey([dp_id, path[-1]])


class OutOfTheFolder(XinguTranslator):
    def get_asset_key(self, dp_id, path):
        return dg.AssetKey(["..", dp_id, *path])


class OtherKeyInSpec(XinguTranslator):
    def get_asset_spec(self, props):
        return super().get_asset_spec(props).replace_attributes(key=["other", *props.path])


class Automated(XinguTranslator):
    def get_asset_spec(self, props):
        spec = super().get_asset_spec(props).merge_attributes(metadata={"layer": props.path[0]})
        return spec.replace_attributes(automation_condition=dg.AutomationCondition.eager())


def test_two_data_providers_with_one_key_are_named():
    with pytest.raises(DuplicateProviderError, match=r"everything/.*'houses'.*'taxes'"):
        XinguProject([Houses, Taxes], translator=SameKeys()).assets()


def test_two_assets_of_a_data_provider_with_one_key_are_named():
    with pytest.raises(DeclarationError, match="cleaned and batch/cleaned|raw/houses"):
        XinguProject([Houses], translator=Flat()).assets()


def test_a_key_that_only_the_spec_has_is_an_error():
    with pytest.raises(DeclarationError, match="override get_asset_key"):
        XinguProject([Houses], translator=OtherKeyInSpec()).assets()


def test_a_key_that_is_no_path_is_an_error():
    with pytest.raises(DeclarationError, match="letters, digits and _"):
        XinguProject([Houses], translator=OutOfTheFolder()).assets()
    with pytest.raises(DeclarationError, match="letters, digits and _"):
        XinguTranslator("team-a/pricing")
    with pytest.raises(DeclarationError, match="'team/models', or a list, not <class"):
        XinguTranslator(Houses)  # type: ignore[arg-type]


def test_the_spec_decides_metadata_and_conditions_of_assets_and_sources():
    project = XinguProject([Houses], translator=Automated())
    specs = {spec.key.to_user_string(): spec for one in project.assets() for spec in one.specs}
    assert specs["houses/model"].metadata["layer"] == "model"
    assert specs["houses/batch/features"].automation_condition is not None
    assert specs["sources/houses/houses"].metadata["layer"] == "houses"


def test_steps_of_two_teams_have_names_of_their_own():
    project = XinguProject([Houses], translator=XinguTranslator("team/pricing"))
    steps = {one.op.name for one in project.assets()}
    assert "team__pricing__houses__fit" in steps
    assert project.resource_key == "team_pricing_xingu"


class Unmeasured(Houses):
    """Its evaluation ends before its blocking check has a result."""

    quality_gates = {"test": {"MAE": ("<=", 1e9)}}
    dagster = {"evaluate": {"timeout": 0.001}}


def test_a_batch_below_a_key_prefix_recognizes_the_evaluation_that_it_waits_for(tmp_path, database):
    resource = XinguResource(project_home=str(tmp_path), databases={"db": database})
    project = XinguProject([Unmeasured], settings=resource, translator=XinguTranslator("team"))
    result = run(project.definitions(), 'key:"team/houses/*"', raise_on_error=False)
    failures = {event.step_key: event.step_failure_data.error_display_string
                for event in result.get_step_failure_events()}  # fmt: skip
    assert "the step team__houses__evaluate ended before" in failures["team__houses__batch"]


def test_settings_of_other_names_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="modles"):
        Settings.given(modles="x")
