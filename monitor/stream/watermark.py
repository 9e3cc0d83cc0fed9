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
        Where `at_end`: the broker's time as it was known when that fetch was sent; nothing stamped before it can come.
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
    return max(before_ms, min(_complete_until(mark) for mark in marks))


def log_time(before_ms: int, marks: Sequence[Mark]) -> int:
    """Return T of a partition whose log is the only clock: the highest stamp read, but not beyond an input that lags.

    Inputs at their end do not hold the others back: in a replayed log no time passes where nothing is written.
    """
    timed = [mark for mark in marks if mark.tells_time]
    highest = max(mark.last_ms for mark in timed)
    lagging = (mark.last_ms for mark in timed if not mark.at_end)
    return max(before_ms, min(lagging, default=highest))


def _complete_until(mark: Mark) -> int:
    return max(mark.last_ms, mark.empty_until_ms - CLOCK_SLACK_MS) if mark.at_end else mark.last_ms
