"""Channels of alerts, with a real server."""

import json
import socket

import pytest

from tests.support.webhook import webhook
from xingu.alerts import Alert, Alerts
from xingu.alerts.channels import AppriseChannel, Webhook, channels_of
from xingu.config import Settings
from xingu.errors import AlertError, SettingsError
from xingu.masking import masked

ALERT = Alert("run_failed", "error", "houses", "houses: the step houses__fit failed",
              "no memory", "http://ui/runs/1", "1", {"failed_steps": ["houses__fit"]})  # fmt: skip


@pytest.fixture
def inbox():
    with webhook() as found:
        yield found


def sender(*channels, **given):
    return Alerts(channels, pauses=(0.01, 0.01), **given)


def test_a_webhook_gets_a_versioned_document(inbox):
    sender(Webhook(inbox.url)).send(ALERT)
    (document,) = inbox.received
    assert document.pop("time").endswith("+00:00")
    assert document == {
        "schema": "xingu.alert/1", "kind": "run_failed", "severity": "error",
        "dataprovider": "houses", "title": "houses: the step houses__fit failed",
        "cause": "no memory", "link": "http://ui/runs/1", "run_id": "1", "count": 1,
        "facts": {"failed_steps": ["houses__fit"]}, "_path": "/hook-3f9a72c1d0",
        "text": "houses: the step houses__fit failed\nno memory\nhttp://ui/runs/1",
    }  # fmt: skip


def test_what_may_succeed_later_is_tried_three_times(inbox):
    inbox.answers = [503, 429]
    sender(Webhook(inbox.url)).send(ALERT)
    assert len(inbox.received) == 3


def test_what_is_refused_is_tried_once_and_logged_without_the_path(inbox, caplog):
    inbox.answers = [404]
    sender(Webhook(inbox.url)).send(ALERT)
    assert len(inbox.received) == 1
    assert "it answered 404" in caplog.text
    assert "3f9a72c1d0" not in caplog.text


def test_a_redirect_is_no_delivery(inbox):
    inbox.answers = [302]
    with pytest.raises(AlertError, match="it answered 302"):
        Webhook(inbox.url).deliver(ALERT.document())


def test_a_webhook_that_cannot_be_reached_raises_nothing(caplog):
    sender(Webhook("http://127.0.0.1:1/hook")).send(ALERT)
    assert "did not take an alert: Connection refused" in caplog.text


def test_a_webhook_that_does_not_answer_costs_its_time_limit():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        with pytest.raises(AlertError) as caught:
            Webhook(url, seconds=0.1).deliver(ALERT.document())
    assert caught.value.facts["retry"]


def test_only_the_kinds_that_are_wanted_are_sent(inbox):
    sender(Webhook(inbox.url), kinds=("deployment",)).send(ALERT)
    assert inbox.received == []


def test_a_channel_that_fails_keeps_its_documents_and_delays_no_other(inbox):
    dead, good = Webhook("http://127.0.0.1:1/hook"), Webhook(inbox.url)
    object.__setattr__(dead, "_seconds", 0.1)
    alerts = sender(AppriseChannel(inbox.url.replace("http", "json")), dead)
    names = [one.name for one in alerts.channels]
    left = alerts.post([(name, ALERT.document()) for name in (names[1], *names, names[1])])
    assert [name for name, _ in left] == [names[1]] * 3
    assert len(inbox.received) == 1
    assert good.name == "http://127.0.0.1"


def test_apprise_sends_title_and_text(inbox):
    AppriseChannel(inbox.url.replace("http", "json")).deliver(ALERT.document())
    (sent,) = inbox.received
    assert sent["title"] == "houses: the step houses__fit failed"
    assert sent["message"] == "no memory\nhttp://ui/runs/1"
    assert sent["type"] == "failure"


def test_an_address_that_apprise_does_not_know_is_an_error_without_it():
    with pytest.raises(AlertError) as caught:
        channels_of("", ["nonsense://token-1234567"])
    assert "token" not in str(caught.value)


def test_addresses_of_channels_are_secrets():
    slack, hook = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "services/T0001/Zq8tokEn"
    settings = Settings.given(
        alert_webhook=f"https://hooks.example.com/{hook}", alert_urls=f"{slack}|mailto://u:p@h.com"
    )
    assert len(settings.alert_urls) == 2
    told = masked(f"cannot post to https://hooks.example.com/{hook}: {slack} Zq8tokEn")
    for secret in (hook, "Zq8tokEn", "T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ"):
        assert secret not in told + repr(settings)
    assert "hooks.example.com" in told


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"alert_webhook": "ftp://host/secret"}, "alert_webhook: it must begin with https://"),
        ({"alert_kinds": "run_failed,runs"}, "alert_kinds: 1.Input should be"),
        ({"alert_urls": "slack"}, "alert_urls: each must have a scheme"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(given, text):
    with pytest.raises(SettingsError, match=text) as caught:
        Settings.given(**given)
    assert "secret" not in str(caught.value)


def test_the_document_is_json():
    assert json.loads(json.dumps(ALERT.document()))["kind"] == "run_failed"
