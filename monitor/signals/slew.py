"""A jump of the heart rate that no step explains waits for two more minutes to confirm it."""

import numpy as np
from numpy.typing import NDArray

LIMIT = 40  # bpm a minute
CONFIRMATIONS = 2
LONGEST = 6  # minutes: over so long a hole any rate can follow any other


def is_held(bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each row whether its newest value is a jump, or the first confirmation of one.

    Parameters
    ----------
    bpm : (n, W) a minute, oldest first, 0 = missing.
    steps : (n, W) a minute, whatever where not known. known : (n, W).

    Returns
    -------
    (n,) bool. False where the newest value is missing, and for W = 0.

    Notes
    -----
    A value follows the accepted level if it lies within 40 bpm for each minute since the last value, or if a step was
    taken in its minute or the one before (activity that is not known excuses nothing). What does not follow it is held,
    until two values in a row have each followed the one before: then they are the level. The way back from a spike
    follows the level and is not held. The first value of the window is taken as it is.

    Source: a project rule. The fastest change that is known to be real, the first minute after exercise, takes away
    36 bpm with a deviation of 12 in healthy people; there steps excuse it.

    >>> still = np.zeros((3, 5), np.uint8)
    >>> jumps = np.array([[70, 70, 70, 70, 150], [70, 70, 70, 150, 152], [70, 70, 150, 152, 151]], np.uint8)
    >>> is_held(jumps, still, still == 0).tolist()
    [True, True, False]
    """
    n, width = bpm.shape
    rate, moved = np.ascontiguousarray(bpm.T), np.ascontiguousarray((known & (steps > 0)).T)
    level, last = np.zeros(n, np.int16), np.zeros(n, np.int16)
    confirmed, silence = np.zeros(n, np.int16), np.zeros(n, np.int16)
    held = np.zeros(n, np.bool_)
    for k in range(width):
        value = rate[k].astype(np.int16)
        here = value > 0
        allowed = LIMIT * np.minimum(silence + 1, LONGEST)
        excused = (moved[k] | moved[k - 1]) if k else moved[k]
        follows = excused | (level == 0) | (np.abs(value - level) <= allowed)
        again = np.abs(value - last) <= allowed
        confirmed = np.where(here, np.where(again, np.minimum(confirmed + 1, CONFIRMATIONS), 0), confirmed)
        accepted = here & (follows | (confirmed == CONFIRMATIONS))
        held = here & ~accepted
        level = np.where(accepted, value, level)
        last = np.where(here, value, last)
        silence = np.where(here, 0, silence + 1)
    return held
