"""Secrets are removed from URLs, options and messages."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.sources.secrets import (
    is_secret,
    masked,
    scrub,
    secret_values,
    secrets_of,
    without_secrets,
)

URL = "https://ann:pa%24s@host/f.csv?token=to%20k&day=5&key=north#top"


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "password", "PASSWD", "sslpassword", "pwd", "client_secret"),
        *("sig", "Signature", "api_key", "apikey", "aws_access_key_id", "X-Amz-Credential", "auth"),
    ],
)
def test_names_of_secrets_are_recognized(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["day", "key", "tokens_used", "author", "design", "sslmode", ""])
def test_other_names_are_not_secrets(name):
    assert not is_secret(name)


def test_a_masked_url_has_no_user_password_token_or_key():
    assert masked(f"GET {URL} failed") == (
        "GET https://***@host/f.csv?token=***&day=5&key=***#top failed"
    )


def test_a_url_without_secrets_keeps_what_selects_data():
    assert without_secrets(URL.removesuffix("#top")) == "https://host/f.csv?day=5&key=north"
    assert without_secrets("https://host/f.csv") == "https://host/f.csv"


def test_secrets_of_a_url_are_those_written_decoded_and_encoded():
    secrets = secrets_of(URL)
    assert {"pa%24s", "pa$s", "to%20k", "to k"} <= secrets
    assert not secrets & {"5", "north", "ann", ""}


def test_secrets_of_options_are_found_at_any_depth():
    options = {
        "secret": "s1",
        "key": "k1",
        "client_kwargs": {"headers": {"x-secret": "s2"}, "n": 1},
    }
    assert secret_values(options) == {"s1", "k1", "s2"}
    assert secret_values({"secret": "", "password": None, "region": "eu"}) == set()


def test_longer_secrets_are_replaced_first():
    assert scrub("abcdef abc", {"abc", "abcdef"}) == "*** ***"


@given(password=st.text(st.characters(codec="utf-8"), min_size=4, max_size=12))
def test_no_message_with_a_quoted_or_plain_password_shows_it(password):
    url = f"postgresql://ann:{quote(password, safe='')}@host/db"
    secrets = secrets_of(url)
    for written in (password, quote(password, safe=""), quote(password)):
        assert written not in scrub(f"cannot connect with {written}!", secrets) or written in "***"
    assert masked(url) == "postgresql://***@host/db"
