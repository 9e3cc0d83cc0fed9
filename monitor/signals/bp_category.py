"""Blood-pressure categories of three guidelines, each for the place of measurement that it names."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Guideline = Literal["aha_acc_2025", "esc_2024", "china_2024"]
Place = Literal["office", "home", "day", "night", "24h"]

ENOUGH_SITTINGS = 2
NOT_ASSESSABLE = 0

# Lower limits, mmHg, of every category but the first: systolic, then diastolic.
Limits = tuple[tuple[int, ...], tuple[int, ...]]
LIMITS: dict[tuple[Guideline, Place], Limits] = {
    # AHA/ACC 2025: "elevated" asks for a diastolic below that of stage 1, so the two share one diastolic limit.
    ("aha_acc_2025", "office"): ((120, 130, 140), (80, 80, 90)),
    ("aha_acc_2025", "home"): ((120, 130, 135), (80, 80, 85)),
    ("aha_acc_2025", "day"): ((120, 130, 135), (80, 80, 85)),
    ("aha_acc_2025", "night"): ((100, 110, 120), (65, 65, 70)),
    ("aha_acc_2025", "24h"): ((115, 125, 130), (75, 75, 80)),
    ("esc_2024", "office"): ((120, 140), (70, 90)),
    ("esc_2024", "home"): ((120, 135), (70, 85)),
    ("esc_2024", "day"): ((120, 135), (70, 85)),
    ("esc_2024", "night"): ((110, 120), (60, 70)),
    ("esc_2024", "24h"): ((115, 130), (65, 80)),
    # The Chinese guideline grades office readings only; elsewhere it knows one limit.
    ("china_2024", "office"): ((120, 140, 160, 180), (80, 90, 100, 110)),
    ("china_2024", "home"): ((135,), (85,)),
    ("china_2024", "day"): ((135,), (85,)),
    ("china_2024", "night"): ((120,), (70,)),
    ("china_2024", "24h"): ((130,), (80,)),
}


def names(guideline: Guideline, place: Place) -> tuple[str, ...]:
    """Names of the codes that `category` returns, in the order of the codes.

    >>> names("china_2024", "home")
    ('not assessable', 'below the limit', 'at or above the limit')
    """
    if guideline == "aha_acc_2025":
        return ("not assessable", "normal", "elevated", "stage 1", "stage 2")
    if guideline == "esc_2024":
        return ("not assessable", "non-elevated", "elevated", "high")
    if place == "office":
        return ("not assessable", "normal", "high normal", "grade 1", "grade 2", "grade 3")
    return ("not assessable", "below the limit", "at or above the limit")


def category(
    systolic: NDArray[np.float64],
    diastolic: NDArray[np.float64],
    sittings: NDArray[np.int64],
    guideline: Guideline,
    place: Place,
) -> NDArray[np.uint8]:
    """Category of an average pressure; of systolic and diastolic the higher category counts.

    Parameters
    ----------
    systolic, diastolic : (n,) mmHg, averages over `sittings` occasions; NaN = not known. Not rounded: 129.6 is below
        130.
    sittings : (n,) occasions behind the average.

    Returns
    -------
    (n,) uint8, rising with pressure, see `names`; 0 where a value is NaN or fewer than 2 sittings stand behind it.
    A category describes a number; it is no diagnosis.

    Errors: KeyError for a pair of guideline and place that is not in LIMITS.

    Source
    ------
    AHA/ACC 2025 (doi 10.1161/CIR.0000000000001356). Checked in the guideline's own pocket guide: table 7, values of
    home, day, night and 24 h that belong to office 120/80, 130/80 and 140/90. Checked in several secondary pages only:
    the office categories, and that an average of at least 2 readings on at least 2 occasions is asked for.
    ESC 2024 (doi 10.1093/eurheartj/ehae178). Checked in secondary pages: office limits. From memory, not checked:
    home, day, night and 24 h.
    China 2024 revision (doi 10.16439/j.issn.1673-7245.2024.07.002). Checked in the guideline: it keeps the grades of
    2018 with grade 3. Checked in secondary pages: the numbers of all grades, and home, day, night and 24 h limits.

    >>> category(np.array([128.0, 118.0]), np.array([78.0, 81.0]), np.array([6, 6]), "aha_acc_2025", "office").tolist()
    [2, 3]
    """
    by_systolic, by_diastolic = LIMITS[guideline, place]
    code = np.maximum(
        np.searchsorted(np.array(by_systolic, float), systolic, side="right"),
        np.searchsorted(np.array(by_diastolic, float), diastolic, side="right"),
    )
    known = ~np.isnan(systolic) & ~np.isnan(diastolic) & (sittings >= ENOUGH_SITTINGS)
    return np.where(known, code + 1, NOT_ASSESSABLE).astype(np.uint8)
