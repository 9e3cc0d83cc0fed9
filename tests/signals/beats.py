"""Made-up runs of RR intervals: breathing at rest, extra beats, an irregular rhythm. Five minutes each."""

import numpy as np
from numpy.typing import NDArray

Run = NDArray[np.float64]


def sinus(seed: int, bpm: float = 65, breathing: float = 0.03, extra: float = 0, every: int = 0) -> Run:
    """Sinus rhythm; a share `extra` of early beats, or every n-th beat early, each with its pause."""
    rng = np.random.default_rng(seed)
    beats: list[float] = []
    time, pause = 0.0, 0.0
    while time < 300:
        usual = 60_000 / bpm * (1 + breathing * np.sin(2 * np.pi * 0.25 * time) + 0.012 * rng.standard_normal())
        if pause:
            rr, pause = pause, 0.0
        elif rng.random() < extra or (every and len(beats) % every == every - 2):
            rr = usual * rng.normal(0.65, 0.04)
            pause = 2 * usual - rr
        else:
            rr = usual
        beats.append(rr)
        time += rr / 1000
    return np.array(beats)


def irregular(seed: int, bpm: float = 85) -> Run:
    """Intervals without memory, 20 % around their mean."""
    rng = np.random.default_rng(seed)
    rr: Run = np.maximum(60_000 / bpm * rng.gamma(25, 1 / 25, round(5 * bpm * 1.2)), 280)
    return rr[np.cumsum(rr) < 300_000]
