"""Storage and the control DB are tried, and nothing is left or changed in them."""

from sqlalchemy import text

from tests.support.control import OF_2_0, control_db
from xingu.config import Settings
from xingu.inspection.jobs import run_jobs
from xingu.inspection.places import place_jobs
from xingu.sources import Databases
from xingu.tracking.state import control_state
from xingu.workspace import Workspace


def texts_of(home, **settings) -> list[str]:
    settings = Settings.load(project_home=home, **settings)
    jobs = place_jobs(Workspace(settings), settings.table_prefix)
    return [finding.text for _, finding in run_jobs(jobs, 10) if finding]


def state_of(url, home, prefix=""):
    state = control_state(Databases({"xingu": url}, home), prefix)
    return state.schema, state.writable


def test_a_new_project_is_well_and_nothing_is_made(tmp_path):
    assert texts_of(tmp_path, datasource_cache="cache") == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_folder_is_named_by_its_setting(tmp_path):
    (tmp_path / "plots").write_text("")
    (tmp_path / "models").write_text("")
    models, plots = sorted(texts_of(tmp_path), key=lambda one: "PLOTS" in one)
    assert models.startswith("TRAINED_MODELS_PATH")
    assert plots.startswith("PLOTS_PATH")
    assert "cannot be written" in plots


def test_a_bucket_is_written_and_left_as_it_was(tmp_path, s3_url):
    from upath import UPath

    bucket = UPath(f"{s3_url}/inspected")
    (bucket / "one").write_bytes(b"1")
    assert texts_of(tmp_path, models=str(bucket)) == []
    assert [child.name for child in bucket.iterdir()] == ["one"]
    assert "bucket does not exist" in "".join(
        texts_of(tmp_path, models="s3://no-such-bucket/models")
    )


def test_the_schema_of_a_control_db_is_compared(control_url, tmp_path):
    assert state_of(control_url, tmp_path) == ("missing", True)
    assert not (tmp_path / "control.db").exists()
    control = control_db(control_url, tmp_path)
    with control.write("test") as db:
        assert state_of(control_url, tmp_path) == ("current", True)
        assert state_of(control_url, tmp_path, "other_") == ("missing", True)
    for version, schema in (("0001", "older"), ("9999", "newer")):
        with control.write("test") as db:
            db.execute(text(f"UPDATE xingu_version SET version_num = '{version}'"))
        assert state_of(control_url, tmp_path) == (schema, True)
    control.engine.dispose()


def test_a_control_db_of_xingu_2_is_older_and_stays_as_it_is(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "old.db") as db:
        db.executescript(OF_2_0)
    db.close()
    before = (tmp_path / "old.db").read_bytes()
    url = f"sqlite:///{tmp_path / 'old.db'}"
    assert state_of(url, tmp_path) == ("older", True)
    assert "which the next train migrates" in "".join(texts_of(tmp_path, control_db=url))
    assert (tmp_path / "old.db").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["old.db"]


def test_a_database_that_only_reads_is_not_writable(postgres_schema, tmp_path):
    control_db(postgres_schema, tmp_path).engine.dispose()
    url = f"{postgres_schema}%20-cdefault_transaction_read_only%3Don"
    assert state_of(url, tmp_path) == ("current", False)


def test_a_control_db_that_does_not_run_is_an_error_without_its_password(tmp_path):
    [found] = texts_of(tmp_path, control_db="postgresql://ana:hidden-word@127.0.0.1:9/x")
    assert "cannot be reached" in found
    assert "hidden-word" not in found
