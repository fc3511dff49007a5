"""A real HTTP server that receives alerts on loopback."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.loopback import QuietHandler, serve_handler


class Inbox:
    """Documents that were posted to the server, and its answers.

    Attributes:
        url: Address of the webhook.
        received: Documents that were accepted or refused, in the order of their arrival.
        answers: Status codes of the next answers; 200 once there are none.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.url = ""

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.received]


@contextmanager
def webhook(path: str = "/hook-3f9a72c1d0") -> Iterator[Inbox]:
    """Serve a webhook while the block runs."""
    inbox = Inbox()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.received.append({**json.loads(body), "_path": self.path})
            code = inbox.answers.pop(0) if inbox.answers else 200
            self.send_response(code)
            if code in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.end_headers()

    with serve_handler(Handler) as url:
        inbox.url = url + path
        yield inbox
