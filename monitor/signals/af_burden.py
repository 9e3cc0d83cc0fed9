"""How much of the time the rhythm was irregular, and whether it stayed so: from one byte a minute."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLD_PCT = 14  # 100 * RMSSD / mean of a minute; sensitivity and specificity: see `irregular_windows`
WIDTH = 5
ENOUGH = 4  # minutes of the five with RR intervals, and of these all but the lowest are irregular
SPAN = 30
WINDOWS = tuple(SPAN - WIDTH - k * 5 // 2 for k in range(11))
"""Ends of 11 windows of 5 min that overlap by half, in minutes before the newest: 30 min in all."""
LEAST_ASSESSABLE = 60  # minutes, for a share

TACHOGRAMS, OF_THEM = 6, 5
APART = 15  # minutes between two of them

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Burden:
    """Share of the assessable time that was irregular, of n wearers; all (n,).

    share : 0 to 1, NaN with fewer than 60 assessable minutes. irregular, assessable : minutes at which the window of
    the five up to it was so.
    """

    share: NDArray[np.float64]
    irregular: NDArray[np.int64]
    assessable: NDArray[np.int64]


def irregular_windows(code: NDArray[np.uint8], still: Bools) -> tuple[Bools, Bools]:
    """Tell of the five minutes up to each minute whether the rhythm was irregular, and whether that can be told.

    Parameters
    ----------
    code : (n, T) a minute, oldest first: 100 * RMSSD / mean of its RR intervals, plus 1; 0 = no RR intervals.
    still : (n, T) minutes that count: at rest and not moving, since movement makes gaps that look irregular.

    Returns
    -------
    (n, T) irregular; (n, T) assessable: four of the five minutes count and have RR intervals. The first three columns
    are never assessable. Irregular: all but the lowest of them, four of four or four of five, reach 14 %.

    Notes
    -----
    A byte that squares differences is high for a few extra beats as well; asking for nearly every minute of several
    removes some of that. Windows of the AF database, 17 people, by `benchmarks/real_data/af.py`: AUROC 0.96 pooled,
    where the five-minute index of `rhythm` has 0.997; at 14 % sensitivity 0.98, specificity 0.86.

    >>> code = np.full((1, 7), 25, np.uint8); code[0, 3] = 3; code[0, 6] = 0
    >>> irregular, assessable = irregular_windows(code, code < 255)
    >>> irregular[0].astype(int).tolist(), assessable[0].astype(int).tolist()
    ([0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1])
    """
    there = (code > 0) & still
    high = there & (code > THRESHOLD_PCT)  # one more than the value
    told, irregular = _trailing_sum(there), _trailing_sum(high)
    assessable = told >= ENOUGH
    return assessable & (irregular >= ENOUGH), assessable


def burden(irregular: Bools, assessable: Bools) -> Burden:
    """Take the share of each row; (n, T) as `irregular_windows` returns them.

    Source: burden as the share of the analysable time, as Perino et al., Circ Arrhythm Electrophysiol 2021 use it.

    >>> irregular = np.arange(120)[None] < 30
    >>> float(burden(irregular, np.ones((1, 120), bool)).share[0])
    0.25
    """
    hits: NDArray[np.int64] = (irregular & assessable).sum(axis=1)
    told: NDArray[np.int64] = assessable.sum(axis=1)
    return Burden(hits / np.where(told >= LEAST_ASSESSABLE, told, np.nan), hits, told)


def persists(irregular: Bools, assessable: Bools) -> tuple[Bools, Bools]:
    """Tell of each row whether its newest half hour was irregular throughout, and whether that can be told.

    Parameters
    ----------
    irregular, assessable : (n, T) as `irregular_windows` returns them, newest last.

    Returns
    -------
    (n,) persists: 11 windows of five minutes that overlap by half, over 30 min, are all irregular. (n,) told: all 11
    are assessable, or one of them is assessable and regular, which settles it. Both False for T below 26.

    Source: Lubitz et al., Circulation 2022 (Fitbit Heart Study): 11 consecutive irregular windows, at least 30 min.

    >>> irregular = np.ones((2, 30), bool); irregular[1, 20:] = False
    >>> persists(irregular, np.ones((2, 30), bool))[0].tolist()
    [True, False]
    """
    width = irregular.shape[1]
    if width <= max(WINDOWS):
        none = np.zeros(len(irregular), np.bool_)
        return none, none
    ends = width - 1 - np.array(WINDOWS)
    hit, told = irregular[:, ends] & assessable[:, ends], assessable[:, ends]
    hits, looked = hit.sum(axis=1), told.sum(axis=1)
    return hits == len(WINDOWS), (looked == len(WINDOWS)) | (looked > hits)


def five_of_six(irregular: Bools, assessable: Bools) -> tuple[Bools, Bools]:
    """Tell of each row whether 5 of its last 6 looks were irregular, the first of them among these; and if told.

    Parameters
    ----------
    irregular, assessable : (n, T) as `irregular_windows` returns them, newest last, T of at most 48 h.

    Returns
    -------
    (n,) five of six; (n,) told: there were six assessable looks. A look is the newest assessable minute of each quarter
    of an hour, counted back from the newest column.

    Notes
    -----
    Rule of the Apple Heart Study with five-minute windows in the place of its one-minute tachograms, which look at the
    pulse only when the wearer is still; after an irregular one it looks again at least every 15 min.

    Source: Perez et al., N Engl J Med 2019: 5 of 6 sequential tachograms within 48 h, the first one irregular.

    >>> irregular = np.ones((1, 90), bool)
    >>> five_of_six(irregular, irregular)[0].tolist()
    [True]
    """
    n, width = irregular.shape
    quarters = width // APART
    if not quarters:
        return np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    told = assessable[:, width - quarters * APART :].reshape(n, quarters, APART)[:, ::-1, ::-1]
    hits = irregular[:, width - quarters * APART :].reshape(n, quarters, APART)[:, ::-1, ::-1]
    looked = told.any(axis=2)
    hit = np.take_along_axis(hits, np.argmax(told, axis=2)[:, :, None], axis=2)[:, :, 0] & looked
    rank = np.cumsum(looked, axis=1)
    last_six = looked & (rank <= TACHOGRAMS)
    enough: Bools = rank[:, -1] >= TACHOGRAMS
    first: Bools = (hit & last_six & (rank == TACHOGRAMS)).any(axis=1)
    return enough & first & ((hit & last_six).sum(axis=1) >= OF_THEM), enough


def _trailing_sum(flags: Bools) -> NDArray[np.int8]:
    """Count over the five columns up to each."""
    total = flags.astype(np.int8)
    for back in range(1, WIDTH):
        total[:, back:] += flags[:, :-back]
    return total
