"""Rises and falls that courses are put together from; time is in minutes since the onset."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Floats

Minutes = NDArray[np.int64]


def trapezoid(minute: Minutes, begin: float, top: float, fall: float, end: float) -> Floats:
    """Return 0 up to *begin*, a straight rise to 1 at *top*, 1 up to *fall*, a straight way down to 0 at *end*.

    Equal times make a step. (T,) float32.

    >>> trapezoid(np.arange(5), 0, 2, 3, 4).tolist()
    [0.0, 0.5, 1.0, 1.0, 0.0]
    """
    rise = (minute - begin) / max(top - begin, 1e-9)
    down = (end - minute) / max(end - fall, 1e-9)
    return np.asarray(np.clip(np.minimum(rise, down), 0, 1), dtype=np.float32)


def within(minute: Minutes, begin: float, end: float) -> NDArray[np.bool_]:
    """Tell which minutes lie in begin..end, end exclusive.

    >>> within(np.arange(4), 1, 3).tolist()
    [False, True, True, False]
    """
    return np.asarray((minute >= begin) & (minute < end))


def saturating(minute: Minutes, tau_min: float) -> Floats:
    """Return 1 - exp(-t / tau) from the onset on, 0 before it. (T,) float32.

    >>> [round(value, 3) for value in saturating(np.array([-1, 0, 60]), 60.0).tolist()]
    [0.0, 0.0, 0.632]
    """
    return np.asarray(0.0 - np.expm1(-np.maximum(minute, 0) / tau_min), dtype=np.float32)
