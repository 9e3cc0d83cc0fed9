"""T, the only time that the engine knows: made of stamps in the log, never of a clock of ours.

T is exclusive: every record stamped below it has been read. It is written into the cut, so a replay takes it from
there; what is computed here is only the owner's choice of the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CLOCK_SLACK_MS = 20
"""How far the clocks of two brokers, or one broker's clock after a step back, may differ."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of one input of a partition at a step.

    Attributes
    ----------
    last_ms : int
        The highest stamp read, 0 before the first record.
    at_end : bool
        A fetch found nothing beyond what has been read.
    empty_until_ms : int
        Where `at_end`: the time as it was known when that fetch was sent. On the broker's clock nothing stamped before
        it can come; on the log clock, nothing of a writer that writes in the order of time.
    tells_time : bool
        The input counts for the log clock (vitals.* and context.*).
    """

    last_ms: int
    at_end: bool
    empty_until_ms: int
    tells_time: bool


def broker_time(before_ms: int, marks: Sequence[Mark]) -> int:
    """Return T of a live partition: the least, over all inputs, of what each is known to be complete up to.

    An input with unread records is complete up to its last stamp; one at its end up to the broker's time at which that
    was so, less the slack. A wall clock would be wrong after any pause of this process. T never goes back.
    """
    return max(before_ms, min(map(_broker_complete_ms, marks)))


def log_time(before_ms: int, marks: Sequence[Mark]) -> int:
    """Return T of a partition whose log is the only clock: the highest stamp read, but not beyond an input that lags.

    An input at its end lets the others go on up to the newest stamp that had been fetched when its end was looked for:
    what lies beyond may have been written since, with older records of this input beside it. No time passes where
    nothing is written.
    """
    return max(before_ms, min(map(_log_complete_ms, (mark for mark in marks if mark.tells_time))))


def _broker_complete_ms(mark: Mark) -> int:
    return max(mark.last_ms, mark.empty_until_ms - CLOCK_SLACK_MS) if mark.at_end else mark.last_ms


def _log_complete_ms(mark: Mark) -> int:
    return max(mark.last_ms, mark.empty_until_ms) if mark.at_end else mark.last_ms
