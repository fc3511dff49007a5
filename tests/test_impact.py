"""What depends on a table, a column or an asset."""

import pytest

from tests.support.toys import Houses, Taxes, query
from xingu.errors import UnknownDatabaseError
from xingu.impact import impact_of


def classes_of(*declared, batch=None):
    """Return a DataProvider for each declaration, and one that uses the first as prerequisite."""
    made = {
        f"m{number}": type(f"M{number}", (Houses,), {
            "id": f"m{number}",
            "train_dataset_sources": query(one) if isinstance(one, str) else one,
            "batch_predict_dataset_sources": batch or {},
        })
        for number, one in enumerate(declared)
    }  # fmt: skip
    other = {"id": "user", "pre_req": {"m0"}, "train_dataset_sources": query("select 1 as x"),
             "batch_predict_dataset_sources": {}}  # fmt: skip
    last = {**other, "id": "last", "pre_req": {"user"}}
    return {**made, "user": type("User", (Taxes,), other), "last": type("Last", (Taxes,), last)}


def models_of(address, *declared, **options):
    return {
        one.dataprovider_id: one
        for one in impact_of(address, classes_of(*declared, **options)).models
    }


def test_models_that_use_an_affected_model_depend_too():
    found = models_of("db.houses", "select size from houses", "select size from towns")
    assert {name: one.through for name, one in found.items()} == {
        "m0": (), "user": ("m0",), "last": ("user",)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "sql", "affected", "certain"),
    [
        ("db.houses", "select size from houses", True, True),
        ("db.HOUSES.Size", "select size from houses", True, True),
        ("db.houses.town", "select size from houses", False, True),
        ("db.houses.town", "select size from houses where town = 'x'", True, True),
        ("db.houses.town", "select * from houses", True, False),
        ("db.houses.town", "select town from houses, cities", True, False),
        ("db.sales.houses", "select size from houses", True, False),
        ("db.sales.houses", "select size from sales.houses", True, True),
        ("db.sales.houses", "select size from other.houses", False, True),
        ("db.c.sales.houses.size", "select size from c.sales.houses", True, True),
        ('db."odd.schema".houses', 'select size from "odd.schema".houses', True, True),
        ("db.houses", "select size from towns", False, True),
    ],
)
def test_a_source_is_affected_by_what_its_query_reads(address, sql, affected, certain):
    found = models_of(address, sql)
    assert ("m0" in found) == affected
    if affected:
        assert found["m0"].sources[0].certain == certain


def test_features_and_target_have_the_names_of_columns_that_come_from_the_column():
    sql = "select h.area * 2 as size, h.area + t.tax as price, t.name as town from houses h, t"
    (source,) = (found := models_of("db.houses.area", sql)["m0"]).sources
    assert source.columns == ("size", "price")
    assert (found.features, found.target) == (("size",), "price")
    found = models_of("db.t.name", sql)["m0"]
    assert (found.features, found.target) == (("town",), None)


def test_a_hook_that_needs_a_train_leaves_features_and_target_to_the_attributes():
    class Trained(Houses):
        train_dataset_sources = query("select size, price from houses")

        def get_features_list(self):
            return self.chosen_in_the_train

    (found,) = impact_of("db.houses.size", {"houses": Trained}).models
    assert (found.features, found.target) == (("size",), None)
    (found,) = impact_of("db.houses.price", {"houses": Trained}).models
    assert (found.features, found.target) == ((), "price")


def test_a_temporary_table_is_followed_through_its_group():
    group = {
        "one": {"source": "db", "query": "create temp table t as select * from deep", "group": "g"},
        "two": {"source": "db", "query": "select size from t", "group": "g"},
    }
    assert [one.name for one in models_of("db.deep", group)["m0"].sources] == ["one", "two"]


def test_sources_of_the_batch_and_assets_are_found():
    batch = {"b": {"source": "db", "query": "select size from houses", "depends_on": ["a/b"]}}
    (source,) = models_of("a/b", "select size from towns", batch=batch)["m0"].sources
    assert (source.purpose, source.name) == ("batch", "b")
    assert list(models_of("a/b", {"h": {"asset": "a/b"}})) == ["m0", "user", "last"]
    assert models_of("a/c", {"h": {"asset": "a/b"}}) == {}


def test_what_cannot_be_parsed_is_named():
    found = impact_of("db.houses", classes_of("select size from houses", "select (("))
    assert found.unread == ("m1.train_dataset_sources['houses']: not all of it can be parsed.",)


def test_an_unknown_nickname_is_refused():
    with pytest.raises(UnknownDatabaseError, match="nicknames in sources: db"):
        impact_of("dw.houses", classes_of("select 1"))
