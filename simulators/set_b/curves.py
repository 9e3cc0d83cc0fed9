"""The shapes that set B is made of: pulses and steps with published kinetics, none of them a trapezoid.

All take times of shape (T,) as float32 and give float32 of the same shape; scalars share the unit of the times. They
are defined for every finite time and never overflow, so that a course can be asked about minutes far from its
episode.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Episode, Floats, Form


def days(minutes: NDArray[np.int64]) -> Floats:
    """Minutes since the onset in days."""
    return (minutes / 1440.0).astype(np.float32)


def gamma_pulse(t: Floats, peak: float, shape: float) -> Floats:
    """Rise and fall like a gamma density: 0 up to t = 0, 1 at `peak`, a longer tail than rise; higher shape = narrower.

    >>> gamma_pulse(np.float32([-1, 0, 2, 20]), peak=2.0, shape=3.0).round(3)
    array([0., 0., 1., 0.], dtype=float32)
    """
    x = np.maximum(t / np.float32(peak), 0)
    return np.asarray((x * np.exp(1 - x)) ** np.float32(shape), np.float32)


def biexponential(t: Floats, rise: float, fall: float) -> Floats:
    """What is absorbed with one time constant and eliminated with another (Bateman 1910), scaled to a peak of 1.

    Undefined for rise >= fall.

    >>> float(biexponential(np.arange(600, dtype=np.float32), 10.0, 60.0).max().round(3))
    1.0
    """
    at = rise * fall / (fall - rise) * math.log(fall / rise)
    top = math.exp(-at / fall) - math.exp(-at / rise)
    return np.asarray((fade(t, fall) - fade(t, rise)) / np.float32(top), np.float32)


def settle(t: Floats, constant: float) -> Floats:
    """First order towards 1 from t = 0 on; 0 before.

    >>> settle(np.float32([-5, 0, 10]), 10.0).round(2)
    array([0.  , 0.  , 0.63], dtype=float32)
    """
    return np.asarray(-np.expm1(-np.maximum(t, 0) / np.float32(constant)), np.float32)


def fade(t: Floats, constant: float, shape: float = 1.0) -> Floats:
    """1 up to t = 0, then down to 0: exponential, or a Weibull survival curve where a shape is given.

    >>> fade(np.float32([-5, 0, 10]), 10.0).round(2)
    array([1.  , 1.  , 0.37], dtype=float32)
    """
    return np.asarray(np.exp(-((np.maximum(t, 0) / np.float32(constant)) ** np.float32(shape))), np.float32)


def logistic(t: Floats, middle: float, width: float) -> Floats:
    """From 0 to 1, one half at `middle`; three quarters of the way within 2 widths around it.

    >>> logistic(np.float32([-9, 3, 99]), 3.0, 1.0).round(2)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return np.asarray(0.5 + 0.5 * np.tanh((t - np.float32(middle)) / np.float32(2 * width)), np.float32)


def gompertz(t: Floats, rise: float) -> Floats:
    """A hesitant start, a fast middle and a slow approach to 1: 0 up to t = 0, 0.97 at `rise`.

    >>> gompertz(np.float32([-1, 0, 60, 600]), 60.0).round(2)
    array([0.  , 0.  , 0.97, 1.  ], dtype=float32)
    """
    curve = np.exp(-5 * np.exp(-np.float32(math.log(5 / 0.03) / rise) * np.maximum(t, 0)))
    above = np.maximum(curve - np.float32(math.exp(-5)), 0)  # rounding may leave it a hair below its start
    return np.asarray(above / np.float32(1 - math.exp(-5)), np.float32)


def accelerate(t: Floats, length: float, bend: float) -> Floats:
    """Exponential growth from 0 at t = 0 to 1 at `length`, 1 after it; a higher bend leaves more of it for the end.

    >>> accelerate(np.float32([-1, 0, 50, 100, 200]), 100.0, 2.0).round(2)
    array([0.  , 0.  , 0.27, 1.  , 1.  ], dtype=float32)
    """
    return np.asarray(np.expm1(np.float32(bend) * np.clip(t / np.float32(length), 0, 1)) / math.expm1(bend), np.float32)


def within(minutes: NDArray[np.int64], first: int, last: int, soften: int) -> Floats:
    """1 from `first` up to `last`, 0 outside, and half a cosine down over the `soften` minutes before `last`.

    Tails that never end are cut with this: what is outside of an episode's reach is exactly neutral.

    >>> within(np.arange(-1, 5), first=0, last=4, soften=2).round(1)
    array([0. , 1. , 1. , 1. , 0.5, 0. ], dtype=float32)
    """
    left = np.clip((last - minutes) / max(soften, 1), 0, 1)
    return np.where(minutes >= first, 0.5 - 0.5 * np.cos(np.pi * left), 0).astype(np.float32)


def night_middle(minutes: NDArray[np.int64], hour: Floats) -> NDArray[np.int64]:
    """When the night that a minute belongs to has its middle, 03:30 local, in minutes since the onset.

    A night's day goes from noon to noon, so that what is read at bedtime, during sleep and in the morning is the same.

    >>> night_middle(np.array([0, 600]), np.float32([20, 6]))  # onset 20:00; 06:00 the next morning
    array([450, 450])
    """
    since_noon = np.rint(hour.astype(np.float64) * 60 - 720).astype(np.int64) % 1440
    return minutes - since_noon + 930


def between(draw: float, low: float, high: float) -> float:
    """A draw from 0..1, laid on low..high."""
    return low + (high - low) * draw


def size(episode: Episode, silent: tuple[float, float], mild: tuple[float, float], clear: tuple[float, float]) -> float:
    """The size of an effect: where the severity lies in the range of the episode's form.

    >>> from simulators.kinds import Kind
    >>> size(Episode(Kind.STRESS, 20, Form.MILD, 0.5, (0.5,) * 6), silent=(0, 1), mild=(4, 8), clear=(8, 20))
    6.0
    """
    low, high = {Form.SILENT: silent, Form.MILD: mild, Form.CLEAR: clear}[episode.form]
    return between(episode.severity, low, high)
