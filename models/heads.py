"""What the model answers: the one table of heads, and the modalities each needs before it may answer at all.

Pure data and NumPy: the engine may import it without torch.
"""

from dataclasses import dataclass

MODALITIES = (
    "heart_rate",
    "rr_intervals",
    "activity",
    "sleep",
    "blood_pressure",
    "weather",
    "history",
    "profile",
)

HOUR = 60
DAY = 1440

ACUTE = ("tachycardia_at_rest", "bradycardia", "hypertensive_crisis", "hypotension")


@dataclass(frozen=True, slots=True)
class Head:
    """One question about a wearer at time T, and how labels answer it.

    Parameters
    ----------
    name
        As written to risk-scores/1.
    outcomes
        Kinds of label that answer it with yes.
    lead_min
        Yes from so many minutes before the onset: what the head is to foresee.
    hold_min
        Yes until so many minutes after the onset, at most until the end; between that and the end plus a day nothing is
        claimed (the wearer is neither well nor newly ill). None: yes until the end.
    needs
        At least one modality of each group must be present, else the answer is "not assessable".
    says
        What it asks, in words for people.
    """

    name: str
    outcomes: tuple[str, ...]
    lead_min: int
    hold_min: int | None
    needs: tuple[tuple[str, ...], ...]
    says: str


HEADS = (
    Head("deterioration_1h", ACUTE, 1 * HOUR, None, (("heart_rate", "blood_pressure"),), "acute episode now or in 1 h"),
    Head("deterioration_6h", ACUTE, 6 * HOUR, None, (("heart_rate", "blood_pressure"),), "acute episode now or in 6 h"),
    Head("deterioration_24h", ACUTE, 24 * HOUR, None, (("heart_rate", "blood_pressure"),), "acute episode in 24 h"),
    Head("deterioration_72h", ACUTE, 72 * HOUR, None, (("heart_rate", "blood_pressure"),), "acute episode in 72 h"),
    Head("sub_health", ("sub_health",), 0, None, (("history",),), "own answers (SHSQ-25) say less than well"),
    Head("infection", ("infection",), 1 * DAY, 3 * DAY, (("heart_rate",),), "infection within 24 h or new"),
    Head("uncontrolled_bp", ("hypertensive_crisis",), 6 * HOUR, None, (("blood_pressure",),), "crisis now or in 6 h"),
    Head("irregular_rhythm", ("atrial_fibrillation",), 0, None, (("rr_intervals",),), "irregular rhythm now"),
    Head("heat_strain", ("heat_strain",), 6 * HOUR, None, (("heart_rate",), ("weather",)), "heat strain now or in 6 h"),
    Head("poor_recovery", ("poor_recovery",), 12 * HOUR, None, (("heart_rate", "sleep"),), "poor recovery in 12 h"),
)
HEAD_NAMES = tuple(head.name for head in HEADS)
HAZARD_HEADS = 4  # the first four are one survival curve, read at four horizons
SUB_HEALTH = HEAD_NAMES.index("sub_health")
SUB_HEALTH_LEVELS = (0.35, 0.55)  # severity = SHSQ-25 / 100: above 35 is "suboptimal" (Yan 2009); 55 is ours
