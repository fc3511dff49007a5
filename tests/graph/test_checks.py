"""Checks in the graph: where they are, what they find, and what they stop."""

import dagster as dg
import pytest

from tests.support.checks import figures, results
from tests.support.project import Project
from tests.support.shop import open_shop
from tests.support.toys import Houses, houses, write_database
from xingu import Model
from xingu.errors import CheckFailedError, DeclarationError

ON_HOUSES = {
    "cleaned": {"sources_not_empty"},
    "features": {"unique_index"},
    "splits": {
        "declared_columns", "unique_index", "disjoint_sets", "classes_in_sets", "finite_values",
        "leakage",
    },
    "trainset_estimations": {"complete_estimations", "batch_parity"},
    "batch/cleaned": {"sources_not_empty"},
    "batch/features": {"unique_index", "known_values", "feature_drift"},
    "batch/estimations": {"complete_estimations", "estimation_drift"},
}  # fmt: skip


class Skewed(Houses):
    """Encodes towns in another way in batch."""

    def feature_engineering_for_batch_predict(self, data):
        data = super().feature_engineering_for_batch_predict(data)
        return data if "price" in data and not hasattr(self, "done") else self._skew(data)

    def feature_engineering_for_train(self, data):
        made = super().feature_engineering_for_train(data)
        self.done = True
        return made

    def _skew(self, data):
        return data.assign(town_code=data["town_code"].replace({0: 2, 2: 0}))


class Relearning(Houses):
    """Learns a mean in every batch again."""

    def feature_engineering_for_batch_predict(self, data):
        self.mean_size = data["size"].mean()
        return (
            super()
            .feature_engineering_for_batch_predict(data)
            .assign(size=data["size"] / self.mean_size)
        )


class Neighbours(Houses):
    """Counts the rows of a town, in training and in batch."""

    x_estimator_features = ("size", "town_code", "neighbours")
    checks = {"batch_parity": {"rows": 100}}

    def feature_engineering_for_batch_predict(self, data):
        data = super().feature_engineering_for_batch_predict(data)
        return data.assign(neighbours=data.groupby("town")["size"].transform("size"))


class Ignoring(Neighbours):
    checks = {"batch_parity": {"rows": 100, "ignore": ["neighbours", "estimation"]}}


class OtherSources(Houses):
    batch_predict_dataset_sources = {
        **Houses.batch_predict_dataset_sources,
        "more": {"source": "db", "query": "select 1 as one"},
    }


class OtherName(Houses):
    batch_predict_dataset_sources = {"new": Houses.batch_predict_dataset_sources["houses"]}

    def clean_data_for_train(self, datasets):
        return next(iter(datasets.values())).set_index("id")


class Renumbered(Houses):
    checks = {"batch_parity": {"rows": 100}}

    def clean_data_for_train(self, datasets):
        return datasets["houses"].drop(columns="id").reset_index(drop=True)


class TooGood(Houses):
    quality_gates = {"test": {"R2": (">=", 0.9999), "RMSE": ("<=", 1e6)}}


class Warned(TooGood):
    checks = {"quality_gates": "warn"}


class Leaking(Houses):
    x_estimator_features = ("size", "town_code", "tax")
    checks = {"leakage": "error"}

    def feature_engineering_for_batch_predict(self, data):
        data = super().feature_engineering_for_batch_predict(data)
        return data.assign(tax=data.get("price", 0) * 0.1)


@pytest.fixture
def make(tmp_path):
    return lambda cls, **settings: Project(tmp_path, [cls], settings)


# -- the graph ------------------------------------------------------------------------------------


def test_checks_run_in_the_steps_that_make_their_assets(trained):
    graph = trained.definitions.resolve_asset_graph()
    found = {}
    for key in graph.asset_check_keys:
        if key.asset_key.path[0] == "houses":
            found.setdefault("/".join(key.asset_key.path[1:]), set()).add(key.name)
    assert found == ON_HOUSES
    steps = {event.step_key for event in trained.result.get_step_success_events()}
    assert {step.split("__")[1] for step in steps} == {
        "prepare", "tune", "fit", "evaluate", "batch_raw", "batch"
    }  # fmt: skip


def test_every_check_has_a_result_with_figures(trained):
    evaluations = [
        one
        for one in trained.result.get_asset_check_evaluations()
        if one.asset_key.path[0] == "houses"
    ]
    assert len(evaluations) == sum(map(len, ON_HOUSES.values()))
    assert all(one.passed for one in evaluations), [one.description for one in evaluations]
    assert all(figures(one) for one in evaluations)


def test_a_check_can_be_selected_without_its_asset(make):
    project = make(Houses)
    project.run("houses/*")
    before = project.values.record(("houses", "splits")).value_id
    job = project.definitions.resolve_implicit_global_asset_job_def()
    keys = [
        dg.AssetCheckKey(dg.AssetKey(["houses", *name.split("/")]), check)
        for name, checks in ON_HOUSES.items()
        for check in checks
    ]
    result = job.get_subset(asset_selection=set(), asset_check_selection=set(keys))
    run = result.execute_in_process(instance=project.instance)
    assert len(run.get_asset_check_evaluations()) == len(keys)
    assert not run.get_asset_materialization_events()
    assert project.values.record(("houses", "splits")).value_id == before


def test_a_check_that_is_switched_off_is_not_in_the_graph(make):
    class Quiet(Houses):
        checks = {"leakage": "off", "batch_parity": "off"}

    keys = make(Quiet).definitions.resolve_asset_graph().asset_check_keys
    assert not {"leakage", "batch_parity"} & {key.name for key in keys}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"checks": {"leakege": "off"}}, "Did you mean 'leakage'"),
        ({"quality_gates": {"test": {"RSME": ("<=", 1)}}}, "Did you mean 'RMSE'"),
        ({"quality_gates": {"test": {"R2": ("=>", 1)}}}, "no operator '=>'"),
    ],
)
def test_a_misdeclared_check_or_gate_fails_when_definitions_load(make, declared, message):
    wrong = type("Wrong", (Houses,), declared)
    with pytest.raises(DeclarationError, match=message):
        make(wrong).run("houses/*")


def test_a_gate_of_an_unknown_set_fails_before_anything_is_fitted(make):
    class Wrong(Houses):
        quality_gates = {"tset": {"R2": (">=", 0.5)}}

    project = make(Wrong)
    with pytest.raises(DeclarationError, match="the set 'tset'.*Did you mean 'test'"):
        project.run("houses/*")
    assert project.values.find(("houses", "hyperparameters")) is None


# -- reference ------------------------------------------------------------------------------------


def test_a_saved_model_knows_what_its_features_and_estimations_looked_like(trained):
    model = Model.load("houses", path=trained.models.root)
    assert set(model.reference.features) == {"size", "town", "town_code"}
    train = trained.load("houses/splits").frames["train"]
    assert model.reference.features["size"].maximum == train["size"].max()
    assert set(model.reference.features["town"].categories) == {"north", "south", "west"}
    estimations = trained.load("houses/trainset_estimations").frames["test"]["estimation"]
    assert model.reference.estimations.minimum == pytest.approx(estimations.min())


# -- batch ----------------------------------------------------------------------------------------


def test_other_batch_rows_than_in_training_are_warned_of(make):
    project = make(Houses)
    project.run("houses/*")
    (project.home / "houses.db").unlink()
    write_database(project.home / "houses.db", houses().assign(size=lambda f: f["size"] * 3))
    run = project.run(*(f"houses/batch/{name}" for name in ("raw/houses", "cleaned", "features",
                                                           "estimations")))  # fmt: skip
    assert run.success
    found = results(run)
    for name in ("features known_values", "features feature_drift", "estimations estimation_drift"):
        evaluation = found[f"batch/{name}"]
        assert not evaluation.passed
        assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert figures(found["batch/features feature_drift"])["highest PSI"] > 0.25


# -- parity ---------------------------------------------------------------------------------------


def parity_of(project):
    run = project.run("houses/*", raise_on_error=False)
    return results(run)["trainset_estimations batch_parity"], run


def test_a_provider_that_encodes_differently_in_batch_fails_with_columns_and_rows(make):
    evaluation, run = parity_of(make(Skewed))
    assert not evaluation.passed
    assert not run.success
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    rows = [record.data for record in evaluation.metadata["details"].records]
    assert {row["column"] for row in rows} == {"town_code", "estimation"}
    row = next(row for row in rows if row["column"] == "town_code")
    assert {row["train"], row["batch"]} == {0.0, 2.0}
    assert figures(evaluation)["columns different"] == 2


def test_a_provider_that_learns_again_in_batch_fails_and_the_attribute_is_named(make):
    evaluation, run = parity_of(make(Relearning))
    assert not run.success
    assert "learn mean_size anew" in evaluation.description


def test_a_feature_that_depends_on_other_rows_is_a_warning(make):
    evaluation, run = parity_of(make(Neighbours))
    assert run.success
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "depend on the other rows" in evaluation.description


def test_columns_can_be_left_out_of_parity(make):
    evaluation, _ = parity_of(make(Ignoring))
    assert evaluation.passed


@pytest.mark.parametrize(
    ("cls", "reason"),
    [(OtherSources, "the batch reads more"), (Renumbered, "recognized by their index")],
)
def test_parity_that_cannot_be_judged_passes_and_says_why(make, cls, reason):
    evaluation, run = parity_of(make(cls))
    assert run.success
    assert evaluation.passed
    assert reason in figures(evaluation)["not applicable"]


def test_one_source_of_another_name_is_replayed_all_the_same(make):
    evaluation, _ = parity_of(make(OtherName))
    assert evaluation.passed
    assert figures(evaluation)["rows"] == 200


def test_parity_leaves_the_model_as_it_is(make):
    project = make(Relearning)
    project.run("houses/*", raise_on_error=False)
    train_id = project.load("houses/model").train_id
    model = Model.load("houses", train_id=train_id, path=project.models.root)
    sizes = project.load("houses/cleaned").frame["size"]
    assert model.dp.mean_size == pytest.approx(sizes.mean())


# -- gates ----------------------------------------------------------------------------------------


def test_a_failed_gate_fails_the_run_after_everything_else_was_made(make):
    project = make(TooGood)
    with pytest.raises(CheckFailedError, match="test R2 is 0.9.*, must be >= 0.9999"):
        project.run("houses/*")
    assert project.metadata("houses/plots")["plots"]


def test_a_failed_gate_stops_what_is_downstream(make, tmp_path):
    project = make(TooGood)

    @dg.asset(deps=[dg.AssetKey(["houses", "trainset_metrics"])])
    def deploy() -> None:
        (tmp_path / "deployed").touch()

    project.definitions = dg.Definitions.merge(project.definitions, dg.Definitions([deploy]))
    run = project.run("houses/*", "deploy", raise_on_error=False)
    assert not run.success
    assert not (tmp_path / "deployed").exists()


def test_a_gate_that_only_warns_stops_nothing(make):
    run = make(Warned).run("houses/*")
    assert run.success
    assert not results(run)["trainset_metrics quality_gates"].passed


def test_a_blocking_check_stops_the_same_step_too(make):
    project = make(Leaking)
    with pytest.raises(CheckFailedError, match="'tax' alone has R2 1.000"):
        project.run("houses/*")
    assert project.values.find(("houses", "hyperparameters")) is None


# -- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "code"), [("error", 1), ("warn", 0)])
def test_the_command_fails_for_an_error_and_not_for_a_warning(tmp_path, severity, code):
    shop = open_shop(tmp_path)
    folder = tmp_path / shop.environment["DATAPROVIDER_FOLDER"]
    models = folder / "models.py"
    gated = f"""
class Gated(toys.Houses):
    id = "gated"
    quality_gates = {{"test": {{"R2": (">=", 0.9999)}}}}
    checks = {{"quality_gates": {severity!r}}}
"""
    models.write_text(models.read_text() + gated)
    found, output = shop.materialize('key:"gated/*"', DATAPROVIDER_LIST="gated")
    assert found == code, output
    assert "must be >= 0.9999" in output
