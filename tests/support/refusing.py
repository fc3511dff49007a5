"""A server that answers every request of an S3 client with the same error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.loopback import QuietHandler, serve_handler


@contextmanager
def refusing_s3(status: int, code: str) -> Iterator[dict[str, Any]]:
    """Yield storage options of a `UPath` that lead to the server.

    Args:
        status: Status of HTTP.
        code: Code of S3, for example ``AccessDenied``.
    """
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()

    class Handler(QuietHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with serve_handler(Handler) as url:
        yield {
            "endpoint_url": url,
            "key": "key",
            "secret": "secret",
            "config_kwargs": {"retries": {"max_attempts": 0}},
            "use_listings_cache": False,
        }
