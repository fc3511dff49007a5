"""Pages in a real browser that has no network but loopback."""

import subprocess


def rendered(browser: str, address: str) -> str:
    """Return the document of a page as HTML, once its scripts have run."""
    command = [
        *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        *("--virtual-time-budget=60000", "--dump-dom", address),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
