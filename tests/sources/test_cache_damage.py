"""A damaged or swapped file of the cache never gives other data than the source."""

import random
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.support.files import files


@pytest.mark.parametrize("suffix", [".parquet", ".digest"])
@pytest.mark.parametrize("damage", ["half", "garbage", "empty", "missing", "longer"])
def test_a_damaged_entry_is_replaced_with_one_warning(desk, caplog, damage, suffix):
    desk.read_page()
    file = files(desk)[0].with_suffix(suffix)
    content = file.read_bytes()
    damaged = {"half": content[: len(content) // 2], "garbage": b"x" * 100, "longer": content * 2}
    file.unlink() if damage == "missing" else file.write_bytes(damaged.get(damage, b""))
    result = desk.read_page()
    assert (result.cached, result.frame["a"].tolist()) == (False, [1])
    if not (damage == "missing" and suffix == ".digest"):  # which is no entry
        (warning,) = [one for one in caplog.messages if "is unreadable" in one]
        assert "and will be replaced" in warning
    assert desk.read_page().cached


def test_no_flipped_bit_of_an_entry_gives_other_data(desk):
    values = np.random.default_rng(0).integers(0, 1000, (200, 2))
    desk.site.pages["/f.csv"] = pd.DataFrame(values, columns=["a", "b"]).to_csv().encode()
    expected = desk.read_page().frame
    (parquet,) = files(desk)
    draw = random.Random(0)
    for file, flips in ((parquet, 150), (parquet.with_suffix(".digest"), 50)):
        content = file.read_bytes()
        for _ in range(flips):
            damaged = bytearray(content)
            damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            file.write_bytes(damaged)
            result = desk.read_page()
            assert not result.cached
            pd.testing.assert_frame_equal(result.frame, expected)
            assert file.read_bytes() == content


def test_a_swapped_entry_is_read_anew(database):
    def look(query: str) -> tuple[bool, object]:
        result = database.read({"s": {"source": "one", "query": query}})["s"]
        return result.cached, result.frame.iloc[0, 0]

    queries = ["SELECT 1 AS a", "SELECT 2 AS a"]
    assert [look(query) for query in queries] == [(False, 1), (False, 2)]
    one, two = files(database)
    for suffix in (".parquet", ".digest"):
        first, second = one.with_suffix(suffix), two.with_suffix(suffix)
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)
        assert [look(query) for query in queries] == [(False, 1), (False, 2)]
        assert [look(query) for query in queries] == [(True, 1), (True, 2)]
    shutil.copy(one, two)
    shutil.copy(one.with_suffix(".digest"), two.with_suffix(".digest"))
    assert [look(query)[1] for query in queries] == [1, 2]
