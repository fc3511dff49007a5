"""The rows of a batch are read apart from everything that needs the model."""

import dagster as dg

from tests.support.project import Project, coach_of
from tests.support.toys import Houses

RAW, MODEL = dg.AssetKey(["houses", "batch", "raw", "houses"]), dg.AssetKey(["houses", "model"])


class Choosy(Houses):
    """What the batch reads depends on what training has learned."""

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        self.known_towns = sorted(data["town"].unique())
        return data

    def get_dataset_sources_for_batch_predict(self, model=None):
        towns = ", ".join(f"'{town}'" for town in (self.known_towns[:1] if model else []))
        query = f"SELECT * FROM houses WHERE town IN ({towns})"
        return {"houses": {"source": "db", "query": query}}


class OnlyWest(Choosy):
    train_dataset_sources = {
        "houses": {"source": "db", "query": "select * from houses where town = 'west'"}
    }


def parents(cls, home):
    return Project(home, [cls]).definitions.resolve_asset_graph().get(RAW).parent_keys


def test_raw_rows_depend_on_the_model_only_where_the_hook_may_ask_it(tmp_path):
    assert MODEL not in parents(Houses, tmp_path)
    assert MODEL in parents(Choosy, tmp_path)


def test_a_hook_may_ask_the_model_what_to_read(tmp_path):
    project = Project(tmp_path, [Choosy])
    project.run("houses/*")
    raw = project.load("houses/batch/raw/houses")
    assert set(raw["town"]) == {min(project.load("houses/raw/houses")["town"])}


def test_rows_can_be_read_before_anything_was_trained(tmp_path):
    project = Project(tmp_path, [Houses])
    project.run("houses/batch/raw/houses")
    assert len(project.load("houses/batch/raw/houses"))


def test_a_batch_that_is_repeated_does_not_read_again(tmp_path):
    project = Project(tmp_path, [Houses])
    project.run("houses/*")
    before = project.values.find(("houses", "batch", "raw", "houses"))
    rest = ("cleaned", "features", "estimations")
    project.run(*(f"houses/batch/{name}" for name in rest))
    assert project.values.find(("houses", "batch", "raw", "houses")) == before


def test_a_coach_asks_the_model_that_it_was_given(tmp_path):
    first = coach_of(tmp_path, [Choosy]).team_train()["houses"]
    coach = coach_of(tmp_path, [OnlyWest])
    coach.team_train()
    for model, town in ((first, "north"), (coach.trained["houses"], "west")):
        coach.single_batch_predict(model)
        raw = Project(tmp_path, [OnlyWest]).load("houses/batch/raw/houses")
        assert set(raw["town"]) == {town}
