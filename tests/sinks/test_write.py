"""Sinks: one contract for tables on each database, one for files on each storage."""

import os
import subprocess
import sys
import textwrap

import pandas as pd
import pytest
from upath import UPath

from xingu.errors import DataError, SourceError, StorageError
from xingu.sinks.spec import FileSink, TableSink
from xingu.sinks.write import rows_of, write_sink
from xingu.sources import Databases


def estimated(first: int, count: int, value: float = 1.0) -> pd.DataFrame:
    """Estimations of the rows `first` to `first + count - 1`."""
    index = pd.RangeIndex(first, first + count, name="id")
    return rows_of(pd.DataFrame({"estimation": value}, index), "t-1")


def test_rows_have_the_index_the_estimations_and_the_train():
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["town", "id"])
    rows = rows_of(pd.DataFrame({"estimation": [0.5, 1.5]}, index), "t-9")
    assert rows.to_dict("list") == {
        "town": ["a", "b"],
        "id": [1, 2],
        "estimation": [0.5, 1.5],
        "train_id": ["t-9", "t-9"],
    }


@pytest.mark.parametrize("name", ["estimation", "train_id"])
def test_a_name_that_is_there_twice_is_refused_before_anything_is_written(name):
    estimations = pd.DataFrame({"estimation": [1.0]}, index=pd.Index([7], name=name))
    with pytest.raises(DataError, match=f"have {name} twice"):
        rows_of(estimations, "t-1")


# -- tables ---------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def databases(request, tmp_path) -> Databases:
    """The database `dw` of each kind, empty."""
    if request.param == "postgresql":
        return Databases({"dw": request.getfixturevalue("postgres_schema")}, tmp_path)
    return Databases({"dw": f"{request.param}:///dw.db"}, tmp_path)


def content(databases: Databases, sql: str = "SELECT * FROM scores ORDER BY id") -> pd.DataFrame:
    with databases.connect("dw") as connection:
        return connection.query(sql)


def test_replace_leaves_the_rows_of_the_last_batch_only(databases):
    sink = TableSink("out", "dw", "scores")
    address = write_sink(estimated(0, 5), sink, databases, ["id"])
    write_sink(estimated(3, 4, 2.0), sink, databases, ["id"])
    pd.testing.assert_frame_equal(content(databases), estimated(3, 4, 2.0), check_dtype=False)
    assert address.startswith("scores on ")


def test_append_replaces_the_rows_with_the_same_key_and_keeps_the_others(databases):
    sink = TableSink("out", "dw", "scores", "append")
    write_sink(estimated(0, 5), sink, databases, ["id"])
    for _ in range(2):  # a batch that is written again leaves no doubles
        write_sink(estimated(3, 4, 2.0), sink, databases, ["id"])
    expected = pd.concat([estimated(0, 3), estimated(3, 4, 2.0)], ignore_index=True)
    pd.testing.assert_frame_equal(content(databases), expected, check_dtype=False)


def test_types_survive_and_missing_values_are_null(databases):
    rows = pd.DataFrame(
        {
            "id": [2**60 + 1, 2],
            "when": pd.to_datetime(["2024-01-02 03:04:05", None]),
            "known": [True, False],
            "class": pd.Categorical(["late", None]),
            "estimation": [0.25, None],
        }
    )
    write_sink(rows, TableSink("out", "dw", "scores"), databases, ["id"])
    found = content(databases, 'SELECT * FROM scores ORDER BY "class"')
    first = found[found["class"].notna()].iloc[0]
    assert (first["id"], first["class"], first["estimation"]) == (2**60 + 1, "late", 0.25)
    assert pd.Timestamp(first["when"]) == pd.Timestamp("2024-01-02 03:04:05")
    assert bool(first["known"])
    assert found[["when", "class", "estimation"]].isna().sum().tolist() == [1, 1, 1]


def test_a_key_that_is_missing_or_repeated_is_refused_before_anything_is_written(databases):
    repeated = pd.concat([estimated(0, 2), estimated(1, 1)])
    for rows, key in ((repeated, ()), (estimated(0, 2), ("nosuch",))):
        sink = TableSink("out", "dw", "scores", "append", key)
        with pytest.raises(DataError, match="the sink 'out'"):
            write_sink(rows, sink, databases, ["id"])
    write_sink(repeated, TableSink("out", "dw", "scores"), databases, ["id"])
    assert len(content(databases)) == 3


def test_a_table_without_a_column_keeps_its_rows_and_the_error_names_the_column(databases):
    sink = TableSink("out", "dw", "scores")
    write_sink(estimated(0, 2), sink, databases, ["id"])
    with pytest.raises(DataError, match="scores has no column price .it has id, estimation"):
        write_sink(estimated(0, 9).assign(price=1.0), sink, databases, ["id"])
    assert len(content(databases)) == 2


def test_rows_that_the_database_refuses_change_nothing(databases):
    sink = TableSink("out", "dw", "scores")
    write_sink(estimated(0, 2).assign(estimation=1), sink, databases, ["id"])
    with (
        databases.engine("dw").begin()
        if "duckdb" not in databases.identity("dw")
        else (_duckdb(databases)) as connection
    ):
        execute = getattr(connection, "exec_driver_sql", connection.execute)
        execute("DROP TABLE scores")
        execute("CREATE TABLE scores (id BIGINT, estimation BIGINT CHECK (estimation < 5), "
                "train_id TEXT)")  # fmt: skip
        execute("INSERT INTO scores VALUES (7, 1, 'before')")
    with pytest.raises(SourceError, match="refused 3 rows for the table scores; nothing was ch"):
        write_sink(estimated(0, 3, 9.0), sink, databases, ["id"])
    assert content(databases)["train_id"].tolist() == ["before"]


def _duckdb(databases: Databases):
    import duckdb

    return duckdb.connect(databases.url("dw").database or "")


def test_an_error_of_a_database_holds_no_password(tmp_path):
    url = "postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/none"
    with pytest.raises(SourceError, match="127.0.0.1") as raised:
        write_sink(
            estimated(0, 1), TableSink("out", "dw", "t"), Databases({"dw": url}, tmp_path), ["id"]
        )
    assert "s3cr3t" not in str(raised.value)


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture(params=["local", "s3"])
def address(request, tmp_path) -> str:
    """Folder or URL for files."""
    return "out" if request.param == "local" else f"{request.getfixturevalue('s3_url')}/{tmp_path}"


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_file_holds_the_rows_of_the_last_batch(address, format_, tmp_path):
    sink = FileSink("out", f"{address}/scores.{format_}", format_)
    databases = Databases({}, tmp_path)
    write_sink(estimated(0, 5), sink, databases, ["id"])
    write_sink(estimated(2, 3, 2.0), sink, databases, ["id"])
    target = UPath(sink.url) if "://" in sink.url else UPath(tmp_path / sink.url)
    with target.open("rb") as file:
        found = pd.read_csv(file) if format_ == "csv" else pd.read_parquet(file)
    pd.testing.assert_frame_equal(found, estimated(2, 3, 2.0))


def test_a_file_that_cannot_be_written_is_an_error_that_names_the_sink(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="the sink 'out': file/a.csv cannot be written"):
        write_sink(
            estimated(0, 1), FileSink("out", "file/a.csv", "csv"), Databases({}, tmp_path), []
        )


def test_a_killed_writer_leaves_the_rows_of_the_batch_before(tmp_path):
    sink = TableSink("out", "dw", "scores")
    databases = Databases({"dw": "sqlite:///dw.db"}, tmp_path)
    write_sink(estimated(0, 2), sink, databases, ["id"])
    program = """
        import os, signal
        from pathlib import Path
        import sqlalchemy as sa
        from tests.sinks.test_write import Databases, TableSink, estimated, write_sink

        @sa.event.listens_for(sa.Engine, "commit")
        def _(connection):
            os.kill(os.getpid(), signal.SIGKILL)

        databases = Databases({"dw": "sqlite:///dw.db"}, Path())
        write_sink(estimated(0, 50), TableSink("out", "dw", "scores"), databases, ["id"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -9
    assert len(content(databases)) == 2
