"""Watermarks, and comparisons of two observations."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.files import observe, read_results
from xingu.errors import SourceError
from xingu.sources import Databases, parse_sources
from xingu.sources.digest import rows_digest
from xingu.sources.watermark import Observed, is_rewritten, observed_watermark


def mark(rows, *values, names=("count(*)", "max(day)", "max(id)")) -> Observed:
    cells = [cell for cell in (rows, *values) if cell is not ...]
    return observed_watermark(pd.DataFrame([cells], columns=list(names[: len(cells)])))


def test_a_count_is_the_number_of_rows_and_the_rest_is_the_watermark():
    observed = mark(400, dt.datetime(2026, 7, 31))
    assert (observed.rows, observed.watermark) == (400, "2026-07-31T00:00:00")
    named = mark(7, 3, names=("last", "n"))
    assert (named.rows, named.watermark) == (3, "7")
    assert mark(5).watermark is None


@pytest.mark.parametrize("shape", [(0, 2), (2, 1), (0, 0)])
def test_a_watermark_is_one_row(shape):
    frame = pd.DataFrame([[1] * shape[1]] * shape[0], columns=list("ab"[: shape[1]]))
    with pytest.raises(SourceError, match="one row is needed"):
        observed_watermark(frame)


@pytest.mark.parametrize(
    ("before", "now", "rewritten"),
    [
        (mark(3, "2026-01-01"), mark(3, "2026-01-01"), False),
        (mark(3, "2026-01-01"), mark(5, "2026-01-02"), False),
        (mark(3, 9), mark(4, 10), False),
        (mark(0, None), mark(4, 10), False),
        (mark(3, "2026-01-01", 7), mark(5, "2026-01-01", 9), False),
        (mark(3, "2026-01-02"), mark(2, "2026-01-03"), True),
        (mark(3, "2026-01-02"), mark(4, "2026-01-02"), True),
        (mark(3, "2026-01-02"), mark(4, "2026-01-01"), True),
        (mark(3, "2026-01-02"), mark(3, "2026-01-03"), True),
        (mark(3, "2026-01-02", 7), mark(5, "2026-01-03", 6), True),
        (mark(3), mark(4), None),
        (Observed("a", watermark="1"), Observed("b", watermark="2"), None),
        (mark(3, "2026-01-02"), mark(4, 5), None),
        (Observed("a"), Observed("b"), None),
    ],
)
def test_new_rows_are_distinguished_from_rewritten_history(before, now, rewritten):
    assert is_rewritten(before, now) is rewritten


@given(st.lists(st.tuples(st.integers(0, 9), st.text("ab", max_size=2)), max_size=8), st.randoms())
def test_the_order_of_rows_is_no_change_and_any_other_row_is(rows, random):
    frame = pd.DataFrame(rows, columns=["a", "b"]).astype({"a": "int64", "b": "str"})
    mixed = frame.sample(frac=1, random_state=random.randrange(99))
    assert rows_digest(mixed) == rows_digest(frame)
    more = pd.concat([frame, pd.DataFrame({"a": [10], "b": ["a"]})])
    assert rows_digest(more) != rows_digest(frame)


class TestTrainsRecordWhatAnObservationSees:
    """The version of a read is that of an observation of the same data."""

    def both(self, databases, entry, cache=None) -> tuple[Observed, Observed]:
        specs = parse_sources("p", "sources", {"s": entry})
        (result,) = read_results(specs, databases, cache)
        return result.observed, observe(specs[0], databases, specs)

    @pytest.fixture
    def lite(self, tmp_path) -> Databases:
        import sqlite3

        with sqlite3.connect(tmp_path / "lite.db") as connection:
            connection.execute("CREATE TABLE t (day TEXT, a INT)")
            connection.execute("INSERT INTO t VALUES ('2026-01-01', 1), ('2026-01-02', 2)")
        connection.close()
        return Databases({"lite": "sqlite:///lite.db"}, tmp_path)

    def test_of_a_query(self, lite):
        read, seen = self.both(lite, {"source": "lite", "query": "SELECT * FROM t"})
        assert read == seen
        assert (read.rows, read.how) == (2, "rows")

    def test_of_a_watermark(self, lite):
        watermark = "SELECT max(day), count(*) FROM t"
        entry = {"source": "lite", "query": "SELECT a FROM t", "watermark": watermark}
        read, seen = self.both(lite, entry)
        assert read == seen
        assert (read.rows, read.watermark, read.how) == (2, "2026-01-02", "watermark")

    def test_of_a_postgresql_query(self, tmp_path, postgres_schema):
        databases = Databases({"pg": postgres_schema}, tmp_path)
        query = "SELECT n, n * 1.5 AS b, now()::date AS d FROM generate_series(1, 9) n"
        entry = {"source": "pg", "query": query}
        assert len({*self.both(databases, entry)}) == 1
        entry["watermark"] = "SELECT max(n), count(*) FROM generate_series(1, 9) n"
        read, seen = self.both(databases, entry)
        assert read == seen
        assert (read.rows, read.watermark) == (9, "9")

    @pytest.mark.parametrize("address", ["f.csv", "f*.csv", "*.csv"])
    def test_of_files(self, no_databases, tmp_path, address):
        (tmp_path / "f.csv").write_text("a\n1\n")
        assert len({*self.both(no_databases, {"url": address})}) == 1

    @pytest.mark.parametrize("headers", [{}, {"ETag": "v1"}])
    def test_of_a_page(self, no_databases, site, headers):
        site.pages["/f.csv"], site.headers = b"a\n1\n", headers
        read, seen = self.both(no_databases, {"url": f"{site.url}/f.csv"})
        assert read == seen
        assert read.how == ("file" if headers else "content")

    def test_of_rows_from_the_cache_it_is_the_version_that_they_had(self, desk, site, tmp_path):
        site.headers = {"ETag": "v1"}
        first = desk.read_page()
        site.headers = {"ETag": "v2"}
        cached = desk.read_page()
        assert cached.cached
        assert cached.observed == first.observed != desk.read_page(refresh=True).observed


def test_a_watermark_that_grew_misses_the_cache(database, tmp_path):
    import sqlite3

    entry = {"source": "one", "query": "SELECT * FROM t", "watermark": "SELECT count(*) FROM t"}
    assert not database.read({"s": entry})["s"].cached
    assert database.read({"s": entry})["s"].cached
    with sqlite3.connect(tmp_path / "one.db") as connection:
        connection.execute("INSERT INTO t VALUES (2, 'new')")
    connection.close()
    result = database.read({"s": entry})["s"]
    assert (result.cached, len(result.frame), result.observed.rows) == (False, 2, 2)
