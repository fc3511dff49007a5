"""Find texts in source code that look like secrets.

Only formats that are unlikely to be anything else are looked for. The text itself is never
returned.
"""

import re
from collections.abc import Iterator

_KINDS = {
    "a URL with a password": rb"[a-z][a-z0-9+.-]*://[^\s:/@'\"{}]*:(?![*$<]|\.\.\.|%s)[^\s/@'\"{}]+@",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an access key of AWS": rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})",
    "a token of GitLab": rb"\bglpat-[A-Za-z0-9_-]{20}",
    "a token of Slack": rb"\bxox[abeoprs]-[A-Za-z0-9-]{10}",
    "an API key (sk-…)": rb"\bsk-[A-Za-z0-9_-]{20}",
    "an API key of Google": rb"\bAIza[A-Za-z0-9_-]{35}",
    "a token of Databricks": rb"\bdapi[0-9a-f]{32}\b",
    "a signed token (JWT)": rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
}
_PATTERN = re.compile(b"|".join(b"(%s)" % pattern for pattern in _KINDS.values()))


def find_secrets(source: bytes) -> Iterator[tuple[int, str]]:
    """Yield the number of each line with a text that looks like a secret, and of which kind."""
    kinds = list(_KINDS)
    for found in _PATTERN.finditer(source):
        yield source.count(b"\n", 0, found.start()) + 1, kinds[(found.lastindex or 1) - 1]
