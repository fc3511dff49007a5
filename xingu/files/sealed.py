"""JSON objects that contain their own digest, such as pointers and records.

A sealed object begins with ``{"digest": "<32 hexadecimal digits>",``. The digest is that of the
other members, and of a text that says where the object belongs, so that swapped files are detected
too. Objects of earlier versions have no digest and are read as they are.
"""

import re

from pydantic import ValidationError

from xingu.files.digest import digest_of_bytes

_SEAL = re.compile(rb'\{"digest": "([0-9a-f]{32})",')


def seal(text: str, place: str = "") -> bytes:
    """Return a JSON object with its digest.

    Args:
        text: A JSON object with one member or more.
        place: Where the object belongs, for example its path below a root.
    """
    body = text.encode()
    return b'{"digest": "%b",%b' % (_digest(body, place).encode(), body[1:])


def unseal(data: bytes, place: str = "") -> bytes:
    """Return the JSON object that `seal` was given, after its digest was verified.

    Raises:
        ValueError: If the digest differs.
    """
    if not data.startswith(b'{"digest"'):
        return data
    found = _SEAL.match(data)
    body = b"{" + data[found.end() :] if found else b""
    if found is None or _digest(body, place) != found[1].decode():
        raise ValueError("its digest differs")
    return body


def reason_of(error: ValueError) -> str:
    """Return why a document cannot be read: an error of `unseal` or of pydantic, on one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"]))) for one in found
    )


def _digest(body: bytes, place: str) -> str:
    return digest_of_bytes(b"%b\0%b" % (place.encode(), body))
