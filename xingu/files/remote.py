"""Options of file systems in object storage: what is tried again, how often, and how long.

botocore repeats requests that were answered with 500, 502, 503, 504 or SlowDown, or not at all,
with exponential waits. Its default gives up after five attempts, which can be within seconds.
"""

import os
from collections.abc import Mapping
from typing import Any

_S3 = ("s3", "s3a")
_RETRIES = {"mode": "standard", "total_max_attempts": 9}
_VARIABLES = ("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE")
"""Variables by which users configure botocore, which options would override."""


def with_retries(protocol: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of a file system of fsspec, in which S3 is tried again patiently.

    Args:
        protocol: Protocol of the file system.
        options: Options of the caller, which win.
    """
    if protocol not in _S3 or any(name in os.environ for name in _VARIABLES):
        return dict(options)
    # A new dict, because botocore modifies it.
    config = {"retries": dict(_RETRIES), **options.get("config_kwargs", {})}
    return {**options, "config_kwargs": config}
