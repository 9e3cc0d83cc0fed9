"""T, the only time that the engine knows: made of stamps in the log, never of a clock of ours.

T is exclusive: every record stamped below it has been read. It is written into the cut, so a replay takes it from
there; what is computed here is only the owner's choice of the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass


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
        Where `at_end`: the time as it was known when that fetch was sent, less what is stamped before it and cannot be
        read yet. On the broker's clock nothing stamped earlier can come; on the log clock, nothing of a writer that
        writes in the order of time.
    tells_time : bool
        The input counts: on the log clock vitals.* and context.*, and no input that has not answered for long.
    """

    last_ms: int
    at_end: bool
    empty_until_ms: int
    tells_time: bool


def watermark(before_ms: int, marks: Sequence[Mark]) -> int:
    """Return T of a partition: the least, over its inputs, of what each is known to be complete up to.

    An input with unread records is complete up to its last stamp; one at its end up to the time at which that was so. A
    wall clock would be wrong after any pause of this process. On the log clock that is the newest stamp that had been
    fetched when the end was looked for: no time passes where nothing is written. T never goes back.
    """
    return max(before_ms, min(map(complete_ms, (mark for mark in marks if mark.tells_time)), default=before_ms))


def complete_ms(mark: Mark) -> int:
    """Return up to when an input is complete, exclusive."""
    return max(mark.last_ms, mark.empty_until_ms) if mark.at_end else mark.last_ms
