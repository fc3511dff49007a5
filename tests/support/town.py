"""Models that are trained in no time on a table that grows, and the sensors of their project."""

import sqlite3

import dagster as dg

from tests.support import toys
from tests.support.project import Project
from tests.support.toys import MeanEstimator, houses
from xingu import DataProvider
from xingu.provider.methods import BUILTIN_PLOTS

WATERMARK = {
    "houses": {
        "source": "db",
        "query": "select * from houses",
        "watermark": "select max(id), count(*) from houses",
    }
}


class Light(DataProvider):
    """A model that is trained in no time."""

    train_dataset_sources = WATERMARK
    x_features = ["size"]
    y = "price"
    estimator_class = MeanEstimator
    builtin_plots_off = BUILTIN_PLOTS

    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")


class Houses(Light):
    id = "houses"
    batch_predict_dataset_sources = toys.Houses.batch_predict_dataset_sources
    retrain = {"when": {"new_data": {"min_new_rows": 20}}}
    batch_predict_when = "on_new_data"


class Taxes(Light):
    id = "taxes"
    pre_req = {"houses"}
    retrain = "with_pre_reqs"


class Town:
    """A project whose table grows, and its sensors."""

    def __init__(self, home, *providers, **settings):
        self.project = Project(home, providers or [Houses, Taxes], settings)
        self.cursors: dict[str, str | None] = {}
        self.launched: set[str] = set()

    def tick(self, name="xingu_retrain"):
        """Evaluate a sensor as the daemon does; gives the run requests and what it said."""
        repository = self.project.definitions.get_repository_def()
        with dg.build_sensor_context(
            instance=self.project.instance,
            cursor=self.cursors.get(name),
            repository_def=repository,
            resources=dict(self.project.definitions.resources or {}),
            sensor_name=name,
        ) as context:
            result = repository.get_sensor_def(name).evaluate_tick(context)
        self.cursors[name] = result.cursor
        assert not {one.run_key for one in result.run_requests or []} & self.launched
        return list(result.run_requests or []), result.skip_message or ""

    def launch(self, request):
        """Execute a run as it was requested; gives its status."""
        self.launched.add(request.run_key)
        job = self.project.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.project.instance,
            asset_selection=request.asset_selection,
            partition_key=request.partition_key,
            raise_on_error=False,
            run_config=request.run_config,
            tags=request.tags,
        ).success

    def add_rows(self, number):
        with sqlite3.connect(self.project.home / "houses.db") as db:
            begin = db.execute("select count(*) from houses").fetchone()[0]
            rows = houses(number, seed=begin).assign(id=range(begin, begin + number))
            rows.to_sql("houses", db, index=False, if_exists="append")

    def current(self, dp_id):
        return self.project.models.current(dp_id)


def assets_of(request):
    return {key.to_user_string() for key in request.asset_selection or ()}
