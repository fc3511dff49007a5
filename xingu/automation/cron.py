"""Times of a cron string."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter


def valid_cron(expression: str) -> str:
    """Return a cron string.

    Raises:
        ValueError: If it is none.
    """
    if not croniter.is_valid(expression):
        raise ValueError("it is no cron string; for example '0 3 * * *' is each day at 3:00")
    return expression


def valid_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        ValueError: If there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone; write one as 'America/Sao_Paulo'") from None
    return name


def last_time(expression: str, timezone: str, now: datetime) -> datetime:
    """Return the last time of a cron string that is not after `now`.

    Args:
        expression: The cron string.
        timezone: Its time zone.
        now: A time with a time zone.
    """
    return _times(expression, timezone, now, backwards=True)


def next_time(expression: str, timezone: str, now: datetime) -> datetime:
    """Return the first time of a cron string after `now`; see `last_time`."""
    return _times(expression, timezone, now, backwards=False)


def _times(expression: str, timezone: str, now: datetime, *, backwards: bool) -> datetime:
    local = now.astimezone(ZoneInfo(timezone))
    if backwards and croniter.match(expression, local):
        return local.replace(second=0, microsecond=0)
    times = croniter(expression, local)
    return times.get_prev(datetime) if backwards else times.get_next(datetime)
