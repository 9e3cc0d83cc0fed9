"""AF_BURDEN: half an hour at rest in which the pulse was irregular from beat to beat throughout."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import lacking
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import first_of_run
from monitor.signals.af_burden import WIDTH, irregular_windows

MOST_PCT = 254  # what a minute's byte holds

Bools = NDArray[np.bool_]


def af_burden(irregular_pct: NDArray[np.float64], still: Bools, minute: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the newest minute of each row.

    Parameters
    ----------
    irregular_pct : (n, T) 100 * RMSSD / mean of each minute's RR intervals, newest last, NaN = too few; T of
    `af_burden_run_min` or more: an hour or two tell where the run began. still : (n, T) at rest.
    minute : (n,) epoch minute of the newest column.

    Returns
    -------
    Raised: every five minutes that end in, and lie within, the last `af_burden_run_min` (30) are irregular, as
    `monitor.signals.af_burden.irregular_windows` has it: 14 % or more in all of them but one. Cleared: all of those in
    the last `af_burden_clear_min` are known and none is irregular. Not assessable: one of them is not known (RR).
    value, limit : minutes of the run that is irregular up to now, from its first minute with intervals on.

    One regular minute in five does not end the run; a walk, or a loose strap, does. Frequent extra beats look the same.
    Source: Lubitz et al. 2022 (Circulation 146:1415), 11 irregular windows of 5 min in a row, half overlapping, 30 min
    (there 98 % of first notices with a concurrent ECG were fibrillation). These 11 are among the 26 asked for here.
    Pulse intervals of a watch at rest; not an ECG.

    >>> pct = np.full((2, 40), 18.0); pct[:, 20] = 4.0; pct[1, 22] = 4.0
    >>> af_burden(pct, pct > 0, np.int64([99, 99]), Limits()).raised.tolist()
    [True, False]
    """
    there = ~np.isnan(irregular_pct)
    code = np.where(there, np.minimum(np.floor(np.where(there, irregular_pct, 0.0)), MOST_PCT) + 1, 0).astype(np.uint8)
    irregular, known = irregular_windows(code, still)
    width = irregular.shape[1]
    within, clear = (max(span - WIDTH + 1, 1) for span in (limits.af_burden_run_min, limits.af_burden_clear_min))
    assessable = np.all(known[:, -within:], axis=1) & (width >= limits.af_burden_run_min)
    windows = np.where(irregular[:, -1:].any(axis=1), first_of_run(irregular) + 1, 0)
    inside = np.arange(width) >= (width - windows - WIDTH + 1)[:, None]
    told = still & there & inside & (windows > 0)[:, None]
    run = np.where(told.any(axis=1), width - np.argmax(told, axis=1), 0) if width else windows
    regular = np.all(known[:, -clear:] & ~irregular[:, -clear:], axis=1) & (width >= limits.af_burden_clear_min)
    return Evidence(
        rule=Rule.AF_BURDEN,
        raised=assessable & (run >= limits.af_burden_run_min),
        cleared=regular,
        assessable=assessable,
        priority=np.full(len(minute), Priority.LOW, np.uint8),
        value=run.astype(np.float64),
        limit=np.full(len(minute), float(limits.af_burden_run_min)),
        samples=(still & there)[:, -limits.af_burden_run_min :].sum(axis=1),
        start_minute=minute - np.maximum(run - 1, 0),
        unverified=np.zeros(len(minute), bool),
        lacked=lacking((Lack.RR, ~assessable)),
    )
