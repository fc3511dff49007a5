"""Settings of alerts. The addresses of channels are secrets, because they hold tokens."""

import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, BeforeValidator, SecretStr

from xingu.alerts.alert import KINDS, Kind
from xingu.config.declare import setting
from xingu.config.kinds import Flag
from xingu.masking import remember_secrets
from xingu.options import split_names

_LONG, _SHORT = 20, 8
"""Length from which a part of an address is a token, and from which one with a digit is."""


def _remember(addresses: Iterable[str]) -> None:
    """Hide what follows the scheme or the host of addresses, as a whole and in parts."""
    for address in addresses:
        scheme, _, rest = address.partition("://")
        path = rest.partition("/")[2] if scheme in ("http", "https") else rest
        parts = {part for text in (path, unquote(path)) for part in re.split(r"[/?&=#:@]", text)}
        tokens = {
            part
            for part in parts
            if len(part) >= _LONG or (len(part) >= _SHORT and re.search(r"\d", part))
        }
        remember_secrets({path, unquote(path), *tokens} - {""})


def _webhook(address: SecretStr) -> SecretStr:
    text = address.get_secret_value().strip()
    if text and not re.match(r"https?://[^/\s]+", text):
        raise ValueError("it must begin with https:// or http://, and a host")
    _remember([text] if text else [])
    return SecretStr(text)


def _split(value: Any) -> Any:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return tuple(re.split(r"[\s|]+", value.strip())) if isinstance(value, str) else value


def _services(addresses: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    texts = [one.get_secret_value() for one in addresses]
    if not all("://" in text for text in texts):
        raise ValueError("each must have a scheme, as in mailto://…; separate them with |")
    _remember(texts)
    return addresses


WebhookUrl = Annotated[SecretStr, AfterValidator(_webhook)]
ServiceUrls = Annotated[tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_services)]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(split_names)]


class AlertFields(BaseModel):
    """Alerts."""

    alert_webhook: WebhookUrl = setting(
        SecretStr(""),
        "ALERT_WEBHOOK_URL",
        "Address that gets each alert as a POST of JSON; empty: none. It is treated as a secret.",
    )
    alert_urls: ServiceUrls = setting(
        (),
        "ALERT_URLS",
        "Addresses of Apprise for Slack, Teams, mail and others, separated by |; needs the extra "
        "alerts. They are treated as secrets.",
    )
    alert_kinds: Kinds = setting(
        KINDS, "ALERT_KINDS", "Kinds of alerts that are sent, separated by commas."
    )
    alert_link_base: str = setting(
        "",
        "ALERT_LINK_BASE",
        "Address of the Dagster UI, for links to runs; empty: alerts have none.",
        pattern=r"^$|^https?://",
    )
    alert_seconds: float = setting(
        3600,
        "ALERT_INTERVAL_SECONDS",
        "Interval in which equal alerts are sent once, with one summary at its end; 0: all are "
        "sent.",
        ge=0,
    )
    alert_on_command: Flag = setting(
        False,
        "ALERT_ON_COMMAND",
        "Send alerts of runs of the command xingu and of Coach, too.",
    )
