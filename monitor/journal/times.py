"""Times of the journal and times that people write."""

from datetime import UTC, datetime

from monitor.errors import JournalUnusable


def utc(minute: float) -> str:
    """Write an epoch minute, whole or not.

    >>> utc(29_400_000), utc(29_400_000.5)
    ('2025-11-24T16:00Z', '2025-11-24T16:00:30Z')
    """
    moment = datetime.fromtimestamp(round(minute * 60), UTC)
    return moment.strftime("%Y-%m-%dT%H:%MZ" if moment.second == 0 else "%Y-%m-%dT%H:%M:%SZ")


def minute_of(text: str | None, option: str) -> float | None:
    """Read a date or a time as an epoch minute; without an offset it is UTC.

    Raises
    ------
    JournalUnusable
        If it is neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise JournalUnusable(
            f"{option} is {text!r}: give a date or a time, such as 2026-11-25 or 2026-11-25T08:30 (UTC)."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() / 60
