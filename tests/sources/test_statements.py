"""SQL is split at the semicolons that end statements, and at no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.sources.statements import split_statements

HIDDEN = ["'a;b'", "'it''s;'", '"a;b"', "/* ; */", "-- ;\n", "$$;$$", "$x$ ; $x$", "E'\\';'", "`;`"]
PIECES = st.lists(st.sampled_from([*HIDDEN, "select", "1", "from t"]), min_size=1)


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_semicolons_in_strings_names_and_comments_end_nothing(statements):
    texts = [" ".join(["select", *pieces]) for pieces in statements]
    found = split_statements("\n;".join(texts))
    assert [one.text for one in found] == [text.strip() for text in texts]


@pytest.mark.parametrize(
    ("sql", "is_read", "can_be_explained"),
    [
        ("select 1", True, True),
        ("(select 1) union (select 2)", True, True),
        ("/* delete */ with a as (select 1) select * from a", True, True),
        ("select replace(a, 'x', 'y') from t", True, True),
        ("with a as (delete from t returning 1) select * from a", False, True),
        ("select * into temp t2 from t", False, True),
        ("insert into t values (1)", False, True),
        ("create temp table a as select 1", False, True),
        ("create table a (b int)", False, False),
        ("analyze select 1", False, False),
        ("(analyze) select 1", False, False),
        ("explain select 1", False, False),
        ("pragma user_version = 1", False, False),
    ],
)
def test_only_what_executes_nothing_is_explained(sql, is_read, can_be_explained):
    [found] = split_statements(sql)
    assert (found.is_read, found.can_be_explained) == (is_read, can_be_explained)


def test_a_text_without_words_has_no_statement():
    assert split_statements(" ; -- nothing\n;") == []
