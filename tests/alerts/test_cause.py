"""Parts of an error's text that alerts may contain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.alerts import Alert
from xingu.alerts.cause import foreign_cause, own_cause
from xingu.masking import remember_secrets

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
values = st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="'\"`"),
                 min_size=1, max_size=30)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("ValueError", "could not convert string to float: 'Smith'",
         "ValueError: could not convert string to float: …"),
        ("KeyError", "\"['income'] not in index\"", "KeyError: …"),
        ("ValueError", "no such rows: [[1.5 'Smith'], [2 'Jones']]", "ValueError: no such rows: …"),
        ("ValueError", "negative price 125000.50 of row 4711",
         "ValueError: negative price … of row …"),
        ("IntegrityError", "(sqlite3.IntegrityError) UNIQUE failed: t.id\n[parameters: (4711,)]",
         "IntegrityError: … UNIQUE failed: t.id"),
        ("ModuleNotFoundError", "No module named 'polars'",
         "ModuleNotFoundError: No module named 'polars'"),
        ("RuntimeError", "", "RuntimeError"),
    ],
)  # fmt: skip
def test_a_foreign_error_is_reported_as_a_line_without_values(name, text, told):
    assert foreign_cause(name, text) == told


@given(value=values, before=words, after=words, mark=st.sampled_from(["'", '"', "`"]))
def test_no_quoted_value_is_reported(value, before, after, mark):
    told = foreign_cause("ValueError", f"bad {before}: {mark}{value} Zaphod{mark} in {after}")
    assert "Zaphod" not in told


@given(secret=st.text("abcdefgh0123456789-_.~", min_size=8, max_size=40), word=words)
def test_no_secret_is_reported(secret, word):
    token = f"tk{secret}9"
    remember_secrets({token})
    text = f"cannot reach https://{word}:{token}@host/x?password={token}; got {token}"
    for told in (
        foreign_cause("OSError", text),
        foreign_cause("ImportError", text),
        own_cause(f"dp.hook raised OSError: {text}", text, "OSError"),
        *Alert("run_failed", "error", "dp", f"failed {text}", text).document().values(),
    ):
        assert token not in str(told)


def test_an_own_error_is_reported_without_quoted_foreign_values():
    foreign = "could not convert string to float: 'Smith'"
    told = own_cause(f"houses.clean raised ValueError: {foreign}", foreign, "ValueError")
    assert told == "houses.clean raised ValueError: could not convert string to float: …"


def test_a_long_cause_is_cut():
    assert len(Alert("run_failed", "error", "dp", "title", "x" * 5000).cause) == 500
