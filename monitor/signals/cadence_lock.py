"""A heart rate that is glued to the step rate: an optical sensor may count footfalls instead of beats."""

import numpy as np
from numpy.typing import NDArray

NEAR = 3  # bpm and steps a minute
ENOUGH = 3  # minutes in a row
RHYTHMIC = 60  # steps a minute: below slow walking a minute's steps are no rhythm to lock on


def locked_minutes(bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Count the minutes in a row, up to the newest, whose heart rate lies within 3 of the steps a minute.

    Parameters
    ----------
    bpm : (n, W) a minute, oldest first, 0 = missing.
    steps : (n, W) a minute, whatever where not known. known : (n, W).

    Returns
    -------
    (n,) minutes; 0 if there are fewer than 3 of them. A minute without heart rate or known steps ends the run.

    Notes
    -----
    This is a suspicion: a brisk walker's heart rate may equal the step rate by chance, and does so for a few minutes.

    Source: a project rule for what runners call cadence lock. 60 steps a minute is where slow walking begins:
    Tudor-Locke and Rowe, Sports Med 2012, cadence bands.

    >>> steps = np.array([[0, 162, 165, 164]], np.uint8)
    >>> locked_minutes(np.array([[90, 163, 163, 166]], np.uint8), steps, steps < 255).tolist()
    [3]
    """
    n, width = bpm.shape
    rate, stepped, told = (np.ascontiguousarray(a.T) for a in (bpm, steps, known))
    run = np.zeros(n, np.int16)
    unbroken = np.ones(n, np.bool_)
    for k in range(width - 1, -1, -1):
        apart = np.maximum(rate[k], stepped[k]) - np.minimum(rate[k], stepped[k])
        unbroken = unbroken & told[k] & (stepped[k] >= RHYTHMIC) & (rate[k] > 0) & (apart <= NEAR)
        run += unbroken
    run[run < ENOUGH] = 0
    return run
