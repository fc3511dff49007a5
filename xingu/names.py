"""Names of trains and train sessions: friendly words, derived from the run, the same everywhere.

Every process of one run computes the same ids without talking to another, because an id is a
function of the run id. Knows nothing of storage; who stores a train makes sure that it is unique.
"""

import random
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coolname import RandomGenerator


def session_id_of(run_id: str) -> str:
    """Return the `train_session_id` of a run."""
    return _words(run_id)


def train_id_of(run_id: str, provider_id: str) -> str:
    """Return the `train_id` of one provider's train in a run."""
    return _words(f"{run_id}:{provider_id}")


def key_part(text: str) -> str:
    """Return `text` as a part of an asset key: letters, digits and ``_`` only."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def _words(seed: str) -> str:
    """Three words, one of about 10^8 combinations; the same for the same `seed`."""
    words = _generator()
    words.random = random.Random(seed)  # noqa: S311
    return words.generate_slug(3)


@cache
def _generator() -> "RandomGenerator":
    from coolname import RandomGenerator
    from coolname.data import config

    return RandomGenerator(config)
