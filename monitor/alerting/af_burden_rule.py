"""AF_BURDEN: half an hour at rest in which the pulse was irregular from beat to beat throughout."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.alerting.day_evidence import lacking
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import first_of_run

Bools = NDArray[np.bool_]

WINDOW_MIN = 5
ENOUGH_MIN = 3  # of a window, at rest and with enough intervals


def windows(irregular_pct: NDArray[np.float64], still: Bools, limits: Limits) -> tuple[Bools, Bools]:
    """Judge the five minutes that end with each minute.

    Parameters
    ----------
    irregular_pct : (n, T) 100 * RMSSD / mean of each minute's RR intervals, NaN = too few. still : (n, T) at rest.

    Returns
    -------
    (n, T - 4) irregular, and known: three or more minutes at rest with intervals; irregular: more than half of those
    lie above `af_burden_irregular_pct`.
    """
    usable = still & ~np.isnan(irregular_pct)
    with np.errstate(invalid="ignore"):
        above = usable & (irregular_pct > limits.af_burden_irregular_pct)
    if irregular_pct.shape[1] < WINDOW_MIN:
        none = np.zeros((len(irregular_pct), 0), bool)
        return none, none
    count = sliding_window_view(usable, WINDOW_MIN, axis=1).sum(axis=2)
    hits = sliding_window_view(above, WINDOW_MIN, axis=1).sum(axis=2)
    known = count >= ENOUGH_MIN
    return known & (2 * hits > count), known


def af_burden(irregular_pct: NDArray[np.float64], still: Bools, minute: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the newest minute of each row.

    Parameters
    ----------
    irregular_pct, still : (n, T) as in `windows`, newest last; T of `af_burden_run_min` or more, an hour or two tell
    where the run began. minute : (n,) epoch minute of the newest column.

    Returns
    -------
    Raised: every five minutes that end in, and lie within, the last `af_burden_run_min` (30) were irregular. Cleared:
    all of those in the last `af_burden_clear_min` were known and regular. Not assessable: one of them is
    not known (RR). value, limit : minutes of the run that is irregular up to now.

    One regular minute in five does not end the run; a walk, or a loose strap, does. Frequent extra beats look the same.
    Source: Lubitz et al. 2022 (Circulation 146:1415), 11 irregular windows of 5 min in a row, half overlapping, 30 min
    (there 98 % of first notices with a concurrent ECG were fibrillation); Dash et al. 2009 (Ann Biomed Eng 37:1701),
    RMSSD over mean above 0.1 (there of 128 beats). Pulse intervals of a watch at rest; not an ECG.

    >>> pct = np.full((2, 40), 18.0); pct[1, 20] = 4.0; pct[1, 22:25] = 4.0
    >>> af_burden(pct, pct > 0, np.int64([99, 99]), Limits()).raised.tolist()
    [True, False]
    """
    irregular, known = windows(irregular_pct, still, limits)
    within = limits.af_burden_run_min - WINDOW_MIN + 1
    clear = limits.af_burden_clear_min - WINDOW_MIN + 1
    assessable = known[:, -within:].all(axis=1) & (known.shape[1] >= within)
    run = np.where(irregular[:, -1:].any(axis=1), first_of_run(irregular) + WINDOW_MIN, 0)
    regular = (known & ~irregular)[:, -clear:].all(axis=1) & (known.shape[1] >= clear)
    return Evidence(
        rule=Rule.AF_BURDEN,
        raised=assessable & (run >= limits.af_burden_run_min),
        cleared=regular,
        assessable=assessable,
        priority=np.full(len(minute), Priority.LOW, np.uint8),
        value=run.astype(np.float64),
        limit=np.full(len(minute), float(limits.af_burden_run_min)),
        samples=(still & ~np.isnan(irregular_pct))[:, -limits.af_burden_run_min :].sum(axis=1),
        start_minute=minute - np.maximum(run - 1, 0),
        unverified=np.zeros(len(minute), bool),
        lacked=lacking((Lack.RR, ~assessable)),
    )
