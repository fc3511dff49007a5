"""A proxy in front of an S3 server, which answers some requests with errors, or late."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.support.loopback import QuietHandler, serve_handler

_BODY = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"


class S3Proxy:
    """Configuration and counts of the proxy.

    Attributes:
        shares: Share of requests that are answered with each status.
        burst: Number of the next requests that are answered with 503.
        forbidden: Ends of the paths that are answered with 403.
        delay: Longest delay of an answer, in seconds.
        failed: Number of requests that were answered with each status.
        url: Its address.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.shares: dict[int, float] = {}
        self.burst = 0
        self.forbidden: tuple[str, ...] = ()
        self.delay = 0.0
        self.failed: dict[int, int] = {}
        self.url = ""
        self._random = random.Random(7)
        self._lock = threading.Lock()

    def status(self, path: str) -> int | None:
        """Return the error that a request is answered with."""
        if self.forbidden and path.partition("?")[0].endswith(self.forbidden):
            return 403
        with self._lock:
            if self.burst:
                self.burst -= 1
                return 503
            draw = self._random.random()
            for status, share in self.shares.items():
                if draw < share:
                    self.failed[status] = self.failed.get(status, 0) + 1
                    return status
                draw -= share
        return None


class _Handler(QuietHandler):
    proxy: S3Proxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else b""
        time.sleep(self.proxy._random.random() * self.proxy.delay)
        if status := self.proxy.status(self.path):
            code = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}[status]
            text = _BODY.format(code, "injected").encode()
            return self._answer(status, {"Content-Type": "application/xml"}, text)
        upstream = HTTPConnection(self.proxy.upstream.hostname, self.proxy.upstream.port)
        upstream.request(self.command, self.path, body, dict(self.headers))
        found = upstream.getresponse()
        content = found.read()
        skipped = ("content-length", "connection", "transfer-encoding", "server", "date")
        headers = {n: v for n, v in found.getheaders() if n.lower() not in skipped}
        length = found.getheader("Content-Length") if self.command == "HEAD" else None
        upstream.close()
        return self._answer(found.status, headers, content, length)

    def _answer(self, status: int, headers: dict, content: bytes, length=None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def __getattr__(self, name: str):
        if name.startswith("do_"):
            return self._forward
        raise AttributeError(name)


@contextmanager
def s3_proxy(upstream: str) -> Iterator[S3Proxy]:
    """Serve a proxy on loopback."""
    proxy = S3Proxy(upstream)
    with serve_handler(type("Handler", (_Handler,), {"proxy": proxy})) as proxy.url:
        yield proxy
