"""A heart rate that stands still while the wearer does not: the sensor may be stuck."""

import numpy as np
from numpy.typing import NDArray

ENOUGH = 10  # minutes with a value
VARIED_STEPS = 20  # between the stillest and the busiest of these minutes
NEVER_SUPPRESSED = 120
"""bpm: from here on a flat line is told and nothing more, for flutter conducts at a fixed rate."""


def flat_minutes(
    low: NDArray[np.uint8], high: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_]
) -> NDArray[np.int16]:
    """Count the minutes up to the newest one in which every sample was the same.

    Parameters
    ----------
    low, high : (n, W) lowest and highest bpm of a minute, oldest first, 0 = missing.
    steps : (n, W) a minute, whatever where not known. known : (n, W).

    Returns
    -------
    (n,) minutes with a value; 0 if there are fewer than 10 of them, if their steps do not differ by 20 or more, or if
    the newest value is missing. Minutes without a value neither count nor end the run.

    Notes
    -----
    Without known steps a flat line is not assessable and none is found: a sleeper's heart rate may well stand still.
    The rate of the line is the newest `high`. At `NEVER_SUPPRESSED` and above a flat line must not silence anything.

    Source: 10 min of one repeated value while awake, as the scores of the ABCD study exclude them (ABCDscores,
    `hr_rep_day`); that steps must vary is a project rule. Flutter with fixed conduction holds one rate, 150 bpm at 2:1.

    >>> rate, steps = np.full((1, 12), 88, np.uint8), np.array([[0, 60] * 6], np.uint8)
    >>> flat_minutes(rate, rate, steps, steps < 255).tolist()
    [12]
    """
    n, width = high.shape
    run = np.zeros(n, np.int16)
    if not width:
        return run
    lowest, highest, stepped, told = (np.ascontiguousarray(a.T) for a in (low, high, steps, known))
    line = highest[-1]
    unbroken = line > 0
    busiest, stillest = np.zeros(n, np.uint8), np.full(n, 255, np.uint8)
    for k in range(width - 1, -1, -1):
        unbroken = unbroken & (((lowest[k] == line) & (highest[k] == line)) | (highest[k] == 0))
        counts = unbroken & (highest[k] > 0)
        run += counts
        seen = counts & told[k]
        busiest = np.maximum(busiest, stepped[k] * seen)
        stillest = np.minimum(stillest, np.where(seen, stepped[k], np.uint8(255)))
    varied = (busiest > stillest) & (busiest - stillest >= VARIED_STEPS)
    run[(run < ENOUGH) | ~varied] = 0
    return run
