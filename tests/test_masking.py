"""Secrets are removed from addresses, options, texts, exceptions and log lines."""

import logging
import pickle
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import masking
from xingu.errors import XinguError
from xingu.masking import (
    HARMLESS,
    is_secret,
    mask_error,
    masked,
    masked_errors,
    remember_secrets,
    secret_values,
    secrets_of,
    shown_address,
    without_secrets,
)

URL = "https://ann:pa%24s@host/f.csv?token=to%20k&day=5&key=north"
CORE = "c0rePart"
"""A part of secrets that no way of quoting changes."""


@pytest.fixture(autouse=True)
def no_known_secrets(monkeypatch):
    monkeypatch.setattr(masking, "_secrets", set())
    monkeypatch.setattr(masking, "_pattern", None)


near_core = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z"]), max_size=5)
secrets = st.builds(lambda before, after: f"{before}{CORE}{after}", near_core, near_core)
user_infos = st.one_of(
    secrets.map(lambda password: f"ann:{password}"),
    secrets.map(lambda password: f":{password}"),
    secrets.map(lambda token: quote(token, safe="")),
)
words = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
parameters = st.builds(
    lambda name, secret: f"{name}={quote(secret)}",
    words.filter(lambda name: name not in HARMLESS),
    secrets,
)
addresses = st.builds(
    lambda scheme, user, host, path, query, fragment: (
        f"{scheme}://{user}{host}/{path}{query}{fragment}"
    ),
    st.sampled_from(["https", "s3", "postgresql+psycopg", "git+ssh", "jdbc:mysql"]),
    st.one_of(st.just(""), user_infos.map(lambda user: f"{user}@")),
    st.sampled_from(["host", "host:8443", "[::1]:5432", "10.0.0.1,10.0.0.2:5432", ""]),
    words,
    st.lists(parameters, max_size=3).map(lambda some: "?" + "&".join(some) if some else ""),
    st.one_of(st.just(""), secrets.map(lambda secret: f"#access_token={secret}")),
)


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "password", "PASSWD", "sslpassword", "pwd", "client_secret"),
        *("sig", "Signature", "api_key", "apikey", "aws_access_key_id", "X-Amz-Credential", "auth"),
        *("pass", "pw", "jwt", "subscription-key", "sessionid", "Authorization", "private_key"),
    ],
)
def test_names_of_secrets_are_recognized(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["day", "key", "tokens_used", "author", "design", "sslmode", ""])
def test_other_names_are_not_secrets(name):
    assert not is_secret(name)


@given(addresses)
def test_no_secret_of_an_address_is_shown(address):
    assert CORE not in shown_address(address)
    assert CORE not in masked(f"GET <{address}> failed")


@given(addresses)
def test_what_is_shown_of_an_address_is_the_same_when_it_is_shown_again(address):
    assert shown_address(shown_address(address)) == shown_address(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://host:80/a/b.csv?day=5&format=csv", "https://host:80/a/b.csv?day=***&format=csv"),
        ("https://u:x@y@host/a", "https://***@host/a"),
        ("https://u:a/b@host/a", "https://***"),
        ("https://u:a?b@host/a", "https://***"),
        ("https://u:a#b@host/a", "https://***"),
        ("https://host/a#access_token=x", "https://host/a#***"),
        ("https://host/a?x", "https://host/a?***"),
        ("https://host/a;jsessionid=x?y=1", "https://host/a?jsessionid=***&y=***"),
        ("https://host:port/a", "https://***"),
        ("https://host/npm/d3@7/a.csv", "https://host/npm/d3@7/a.csv"),
        (
            "postgresql://u:p@[::1]:5/db?sslmode=require",
            "postgresql://***@[::1]:5/db?sslmode=require",
        ),
        (
            "zip://a.csv::https://u:p@host/a.zip?sig=x",
            "zip://a.csv::https://***@host/a.zip?sig=***",
        ),
        ("jdbc:sqlserver://h:1;user=a;password=b", "jdbc:sqlserver://h:1?user=***&password=***"),
        ("s3://bucket/folder/a.parquet", "s3://bucket/folder/a.parquet"),
        ("file:///home/a@b/c:d.csv", "file:///home/a@b/c:d.csv"),
        ("folder/a b#1.csv", "folder/a b#1.csv"),
    ],
)
def test_scheme_host_port_path_and_names_of_parameters_are_shown(address, shown):
    assert shown_address(address) == shown


def test_a_text_keeps_what_is_around_its_addresses():
    assert masked(f"GET {URL}: failed (see 'http://host/x.').") == (
        "GET https://***@host/f.csv?token=***&day=***&key=***: failed (see 'http://host/x.')."
    )
    assert CORE not in masked(f"{'x:' * 99}jdbc:mysql://u:{CORE}@host/a?b={CORE}")
    assert masked("a < b, c = 'd', 5 % 2 :: text, //x") == "a < b, c = 'd', 5 % 2 :: text, //x"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("host=h password=hunter2 user=u", "host=h password=*** user=u"),
        ("{'password': 'hunter 2', 'user': 'u'}", "{'password': '***', 'user': 'u'}"),
        ("connect(pwd='hunter2')", "connect(pwd='***')"),
        ("Authorization: Basic aHVudGVyMjphYg==", "Authorization: Basic ***"),
        ("sent Bearer eyJhbGciOi.J9", "sent Bearer ***"),
        ("key AKIAABCDEFGHIJKLMNOP", "key ***"),
    ],
)
def test_secrets_beside_their_names_are_hidden(text, hidden):
    assert masked(text) == hidden


def test_a_long_text_is_masked_in_no_time():
    for text in ("a" * 500_000, "a=" * 200_000, "a:" * 200_000, "a://" * 20_000):
        assert masked(text)


def test_a_url_without_secrets_keeps_what_selects_data():
    assert without_secrets(URL) == "https://host/f.csv?day=5&key=north"
    assert without_secrets("https://host/f.csv") == "https://host/f.csv"


def test_secrets_of_a_url_are_those_written_decoded_and_encoded():
    found = secrets_of(URL)
    assert {"pa%24s", "pa$s", "to%20k", "to k"} <= found
    assert not found & {"5", "north", "ann", ""}


def test_secrets_of_options_are_found_at_any_depth():
    options = {
        "secret": "s1",
        "key": "k1",
        "client_kwargs": {"headers": {"Authorization": "Bearer s2"}, "n": 1},
        "proxy": "http://ann:s3@proxy:1",
    }
    assert secret_values(options) == {"s1", "k1", "Bearer s2", "s2", "s3"}
    assert secret_values({"secret": "", "password": None, "region": "eu"}) - {""} == set()
    assert secret_values({"x": "long enough"}, all_long=True) == {"long enough"}


def test_known_secrets_are_hidden_longer_ones_first_and_short_ones_as_words():
    remember_secrets(["zq7secret", "zq7secret-longer", "zq7", "postgres"])
    text = "zq7secret-longer, azq7secretb, zq7, zq7x, postgres, postgresql"
    assert masked(text) == "***, a***b, ***, zq7x, ***, postgresql"


@given(password=st.text(st.characters(codec="utf-8"), min_size=8, max_size=12))
def test_no_message_with_a_quoted_or_plain_password_shows_it(password):
    url = f"postgresql://ann:{quote(password, safe='')}@host/db"
    remember_secrets(secrets_of(url))
    for written in (password, quote(password, safe=""), quote(password)):
        assert written not in masked(f"cannot connect with {written}!") or written in "***"
    assert password not in masked(url)


def test_errors_of_xingu_hold_no_secret():
    error = XinguError(f"{URL} is gone", url=URL, rows=5)
    assert "to%20k" not in f"{error!r} {error.facts}"
    assert error.facts["rows"] == 5
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


class RejectedError(Exception):
    def __init__(self, url: str) -> None:
        super().__init__("rejected")
        self.url = url

    def __str__(self) -> str:
        return f"rejected: {self.url}"


@pytest.mark.parametrize(
    "error",
    [
        ValueError(URL),
        ValueError({"token": "to%20k"}),
        KeyError(URL),
        FileNotFoundError(2, "gone", URL),
        ConnectionError(URL, {"token": "to%20k"}),
        SyntaxError(URL, (URL, 1, 1, URL)),
        RejectedError(URL),
        ImportError(URL, name="x"),
        ExceptionGroup("several", [ValueError(URL), RejectedError(URL)]),
    ],
)
def test_exceptions_are_masked_with_all_that_led_to_them(error):
    def text(one):
        children = getattr(one, "exceptions", ())
        return f"{one} {one!r} {' '.join(map(text, children))} {getattr(one, '__notes__', '')}"

    assert "to%20k" in text(error)
    with pytest.raises(RuntimeError) as caught, masked_errors():
        try:
            raise error
        except Exception as cause:
            cause.add_note(f"while reading {URL}")
            raise RuntimeError("no data") from cause
    assert caught.value.__cause__ is error
    assert "to%20k" not in text(error)
    assert "f.csv" in text(error) or "***" in text(error)


def test_an_exception_without_secrets_is_not_changed():
    request = object()
    error = ValueError("no data", request, [1], {"a": 2})
    arguments = error.args
    mask_error(error)
    assert error.args is arguments


def test_log_lines_of_xingu_are_masked_and_those_of_others_are_not(caplog):
    remember_secrets([])
    caplog.set_level("INFO")
    try:
        raise ValueError(URL)
    except ValueError as error:
        logging.getLogger("xingu.any").warning("failed: %s", error, exc_info=True)
    logging.getLogger("other").info("token=%s", "abc")
    assert "to%20k" not in caplog.text
    assert "failed: https://***@host/f.csv" in caplog.text
    assert "token=abc" in caplog.text
