"""A web server on loopback that counts requests, and can make them wait for each other."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.loopback import QuietHandler, serve_handler


class Site:
    """What the server has, and what was asked of it.

    `pages` holds bytes by path; `headers` more headers for all; `before` is called with the path,
    in the thread of the request, before a GET is answered. The next requests are refused with the
    `refusals`, one each.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.refusals: list[int] = []
        self.before: Callable[[str], None] = lambda path: None
        self.gets: Counter[str] = Counter()
        self.authorizations: list[str | None] = []
        self.url = ""
        self._lock = threading.Lock()
        self._now = 0
        self.most_at_once = 0

    def enter(self, path: str) -> None:
        with self._lock:
            self.gets[path] += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self._lock:
            self._now -= 1


class _Handler(QuietHandler):
    site: Site

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.site.authorizations.append(self.headers.get("Authorization"))
        self.site.enter(path)
        try:
            self.site.before(path)
        finally:
            self.site.leave()
        self._answer(path, body=True)

    def do_HEAD(self) -> None:
        self._answer(self.path.partition("?")[0], body=False)

    def _answer(self, path: str, *, body: bool) -> None:
        content = self.site.pages.get(path)
        with self.site._lock:
            refusal = self.site.refusals.pop(0) if self.site.refusals else None
        self.send_response(refusal or (404 if content is None else 200))
        content = b"" if refusal else content or b""
        self.send_header("Content-Length", str(len(content)))
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)


@contextmanager
def serve() -> Iterator[Site]:
    site = Site()
    with serve_handler(type("Handler", (_Handler,), {"site": site})) as site.url:
        yield site
