"""The real command as in production: Dagster's storage and the control DB in PostgreSQL."""

import pytest
import yaml
from sqlalchemy import create_engine, make_url, text

from tests.support.shop import open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory, postgres_url):
    """A project whose databases are all on one server, and whose model was trained twice."""
    shop = open_shop(tmp_path_factory.mktemp("shop"), XINGU_DB_URL=postgres_url)
    shop.environment["XINGU_DB_TABLE_PREFIX"] = "shop_"
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2")
    config = yaml.safe_load((shop.home / "dagster.yaml").read_text())
    storage = {"postgres": {"postgres_url": url.render_as_string(hide_password=False)}}
    (shop.home / "dagster.yaml").write_text(yaml.safe_dump({**config, "storage": storage}))
    shop.done = [shop.materialize('key:"houses/*"') for _ in range(2)]
    shop.engine = create_engine(url.set(drivername="postgresql+psycopg"))
    return shop


def scalar(shop, query: str):
    with shop.engine.connect() as connection:
        return connection.execute(text(query)).scalar()


def test_a_command_trains_with_all_databases_in_postgresql(shop):
    assert [code for code, _ in shop.done] == [0, 0], shop.done[-1][1]
    assert scalar(shop, "SELECT count(*) FROM runs WHERE status = 'SUCCESS'") == 2
    assert scalar(shop, "SELECT count(DISTINCT train_session_id) FROM shop_training") == 2


def test_metrics_of_both_trains_can_be_compared_by_sql(shop):
    query = "SELECT count(*) FROM shop_metrics_model WHERE \"set\" = 'test' AND name = 'RMSE'"
    assert scalar(shop, query) == 2


def test_nothing_is_written_into_sqlite_files(shop):
    assert not list((shop.home / ".xingu").glob("*.db"))
    assert not (shop.home / ".dagster" / "history").exists()
