"""A server that answers every request of an S3 client with the same error."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def refusing_s3(status: int, code: str) -> Iterator[dict[str, Any]]:
    """Yield storage options of a `UPath` that lead to the server.

    Args:
        status: Status of HTTP.
        code: Code of S3, for example ``AccessDenied``.
    """
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield {
            "endpoint_url": f"http://127.0.0.1:{server.server_port}",
            "key": "key",
            "secret": "secret",
            "config_kwargs": {"retries": {"max_attempts": 0}},
            "use_listings_cache": False,
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
