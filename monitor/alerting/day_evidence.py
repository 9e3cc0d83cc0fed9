"""The evidence of a rule that judges days: always low, and never raised without what the rule needs."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Evidence, Priority, Rule

MINUTES = 1440

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def day_evidence(
    rule: Rule,
    *,
    raised: Bools,
    cleared: Bools,
    assessable: Bools,
    lacked: NDArray[np.uint32],
    value: NDArray[np.float64],
    limit: NDArray[np.float64],
    samples: Ints,
    day: Ints,
    days_back: Ints,
) -> Evidence:
    """Put the columns (n,) of a daily rule together.

    Parameters
    ----------
    day : local epoch day of the newest column. days_back : the episode began so many days before it.

    Returns
    -------
    Evidence whose `start_minute` is the local midnight at which that first day began, in minutes of the local clock
    since 1970. A row that is not assessable is never raised; it may be cleared, where the newest day alone says so.
    """
    return Evidence(
        rule=rule,
        raised=raised & assessable,
        cleared=cleared & ~(raised & assessable),
        assessable=assessable,
        priority=np.full(len(day), Priority.LOW, np.uint8),
        value=value,
        limit=limit,
        samples=samples,
        start_minute=(day - days_back) * MINUTES,
        unverified=np.zeros(len(day), bool),
        lacked=lacked,
    )


def lacking(*named: tuple[int, Bools]) -> NDArray[np.uint32]:
    """Bit mask of what each row lacked: pairs of a `Lack` and the rows (n,) that lacked it.

    >>> lacking((1, np.array([True, False])), (4, np.array([True, True]))).tolist()
    [5, 4]
    """
    mask = np.zeros(len(named[0][1]), np.uint32)
    for bit, rows in named:
        mask |= np.where(rows, np.uint32(bit), np.uint32(0))
    return mask
