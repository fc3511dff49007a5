"""Settings of the observation of sources."""

from pydantic import BaseModel

from xingu.config.declare import setting


class WatchFields(BaseModel):
    """Observation of sources."""

    observe_seconds: float = setting(
        30,
        "XINGU_OBSERVE_SECONDS",
        "Deadline of the observation of one source, in seconds; then it is skipped.",
        gt=0,
    )
    observe_round_seconds: float = setting(
        120,
        "XINGU_OBSERVE_ROUND_SECONDS",
        "Time in which one round observes sources, in seconds; the rest waits for the next round.",
        gt=0,
    )
