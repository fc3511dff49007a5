"""Channels: a webhook that gets JSON, and the services that Apprise knows.

The address of a channel is a secret: texts show the scheme and the host of a webhook, and the
scheme of others.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from xingu.errors import AlertError
from xingu.extras import needs
from xingu.version import __version__

Document = Mapping[str, Any]
NOTIFY = {"error": "failure", "warning": "warning", "info": "info"}
"""Types of Apprise, by severity."""


class Channel(Protocol):
    """Delivers documents of alerts."""

    @property
    def name(self) -> str:
        """The part of its address that may be shown."""
        ...

    def deliver(self, document: Document) -> None:
        """Deliver one document.

        Raises:
            AlertError: If it was not accepted; `facts["retry"]` says whether later it may be.
        """
        ...


class _NoRedirects(HTTPRedirectHandler):
    """Refuse redirects: the library would follow them with GET, and the alert would be lost."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Webhook:
    """An address that gets each document as a POST of JSON.

    Args:
        url: Its address, http or https.
        seconds: Longest wait for an answer.
    """

    def __init__(self, url: str, seconds: float = 10) -> None:
        self._url, self._seconds = url, seconds
        self._opener = build_opener(_NoRedirects)

    @property
    def name(self) -> str:
        """Scheme and host."""
        address = urlsplit(self._url)
        return f"{address.scheme}://{address.hostname}"

    def deliver(self, document: Document) -> None:
        """Post a document; an answer of 200 to 299 accepts it.

        Raises:
            AlertError: If it was not accepted.
        """
        headers = {"Content-Type": "application/json", "User-Agent": f"xingu/{__version__}"}
        body = json.dumps(document, default=str).encode()
        try:
            request = Request(self._url, body, headers, method="POST")  # noqa: S310 - http(s) only
            self._opener.open(request, timeout=self._seconds).close()
        except HTTPError as error:
            retry = error.code in (408, 425, 429) or error.code >= 500
            raise self._error(f"it answered {error.code}", retry=retry) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            told = getattr(reason, "strerror", None) or type(reason).__name__
            raise self._error(str(told), retry=isinstance(error, OSError)) from None

    def _error(self, reason: str, *, retry: bool) -> AlertError:
        text = f"The webhook at {self.name} did not take an alert: {reason}; see ALERT_WEBHOOK_URL."
        return AlertError(text, retry=retry)


class AppriseChannel:
    """A service of Apprise, such as Slack, Teams or mail.

    Args:
        url: Its address, as Apprise writes it.

    Raises:
        MissingExtraError: If Apprise is not installed.
        AlertError: If Apprise does not know such an address.
    """

    def __init__(self, url: str) -> None:
        needs("alerts", "apprise")
        from apprise import Apprise

        self._scheme = url.partition("://")[0]
        self._mark = hashlib.sha256(url.encode()).hexdigest()[:4]
        self._service = Apprise()
        if not self._service.add(url):
            raise AlertError(
                f"Apprise does not know an address {self.name}, or it is incomplete; correct "
                "ALERT_URLS.", retry=False,
            )  # fmt: skip

    @property
    def name(self) -> str:
        """The scheme, because what follows it is often a token, and a mark that tells two apart."""
        return f"{self._scheme}://*** ({self._mark})"

    def deliver(self, document: Document) -> None:
        """Send the text of a document, under its title.

        Raises:
            AlertError: If it was not accepted.
        """
        title, _, body = str(document["text"]).partition("\n")
        kind = NOTIFY[document["severity"]]
        if not self._service.notify(body=body or title, title=title, notify_type=kind):  # type: ignore[arg-type]
            text = f"The service {self.name} did not take an alert; see ALERT_URLS."
            raise AlertError(text, retry=True)


def channels_of(webhook: str, urls: Sequence[str]) -> list[Channel]:
    """Return the channels of addresses.

    Args:
        webhook: Address of the webhook; empty: none.
        urls: Addresses of Apprise.

    Raises:
        MissingExtraError: If there are `urls` and Apprise is not installed.
        AlertError: If one of them cannot be used.
    """
    first: list[Channel] = [Webhook(webhook)] if webhook else []
    return [*first, *map(AppriseChannel, urls)]
