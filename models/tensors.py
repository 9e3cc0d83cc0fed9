"""Snapshot -> the network's named inputs and the mask that says which of the 136 tokens hold anything.

NumPy only. Every number is finite whatever the Snapshot holds: what is absent is 0.0 here and masked there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.grids import SLEEP_STEP_MIN, activity_grid, filled, heart_grid, sleep_grid
from models.heads import MODALITIES
from models.snapshot import DAY_FEATURES, MINUTES, NO_RR, NO_STEPS, Snapshot
from models.sporadic import day_rows, own_medians, pressure_rows, profile_row, session_rows, weather_patches
from models.summary import summary_row

F32 = NDArray[np.float32]

# token blocks in order: name -> (tokens, modality of MODALITIES)
TOKENS: Mapping[str, tuple[int, str]] = {
    "heart": (24, "heart_rate"),
    "recent": (12, "heart_rate"),
    "activity": (24, "activity"),
    "sleep": (24, "sleep"),
    "sessions": (7, "sleep"),
    "pressure": (8, "blood_pressure"),
    "weather": (8, "weather"),
    "days": (28, "history"),
    "profile": (1, "profile"),
}
TOKEN_COUNT = sum(tokens for tokens, _ in TOKENS.values())
RECENT_MIN = 60
VALID_SHARE = 0.2  # of a token's minutes, relative to the cadence
COVERAGE_MIN = 360
RR_MINUTES_NEEDED = 30
CADENCE_CLASSES_S = (5.0, 60.0, 300.0, 900.0)  # upper edges; class 4 is slower, class 5 not measured

# codes of awake, light, deep, rem, asleep in stream_schemas STAGES; a test holds the two together
STAGE_CODES = (1, 2, 3, 4, 5)


def spans() -> dict[str, slice]:
    """Where each block's tokens lie among the 136."""
    found, at = {}, 0
    for name, (tokens, _) in TOKENS.items():
        found[name] = slice(at, at + tokens)
        at += tokens
    return found


SPANS = spans()


@dataclass(frozen=True, slots=True)
class Tensors:
    """The network's inputs for B wearers, all float32 but the masks.

    heart (B, 10, 1440), activity (B, 6, 1440), sleep (B, 7, 288), sessions (B, 14, 17), pressure (B, 16, 15),
    weather (B, 8, 54), days (B, 28, 36), profile (B, 80), summary (B, 27); valid bool (B, 136) tokens that hold
    something.
    """

    heart: F32
    activity: F32
    sleep: F32
    sessions: F32
    pressure: F32
    weather: F32
    days: F32
    profile: F32
    summary: F32
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return B."""
        return len(self.valid)


INPUTS = tuple(field.name for field in fields(Tensors))


def tensors(snapshot: Snapshot) -> Tensors:
    """Turn a Snapshot into the network's inputs.

    A token is valid if at least 20 % of the minutes that the wearer's cadence promises are there (and at least one);
    the profile's always is, so that no wearer is without a token.
    """
    worn_BT = snapshot.hr_median > 0
    rr_BT = (snapshot.irregular != NO_RR) & worn_BT
    promised_B = np.minimum(60.0 / np.maximum(np.nan_to_num(snapshot.cadence_s, nan=3600.0), 1.0), 1.0)
    share_B = (VALID_SHARE * promised_B).astype(np.float32)
    own_rest = own_medians(snapshot.days)[:, DAY_FEATURES.index("resting_bpm")]
    worn_share = np.stack([worn_BT.mean(axis=1), worn_BT[:, -RECENT_MIN:].mean(axis=1)], axis=1).astype(np.float32)
    pressure, has_pressure = pressure_rows(snapshot)
    sessions, has_session = session_rows(snapshot)
    weather, has_weather = weather_patches(snapshot)
    days, has_day = day_rows(snapshot)
    valid = {
        "heart": filled(worn_BT, 24, share_B),
        "recent": filled(worn_BT[:, -RECENT_MIN:], 12, share_B),
        "activity": filled(snapshot.steps != NO_STEPS, 24, VALID_SHARE),
        "sleep": filled(snapshot.stage > 0, 24, VALID_SHARE),
        "sessions": has_session[:, -7:],
        "pressure": has_pressure[:, -8:],
        "weather": has_weather,
        "days": has_day,
        "profile": np.ones((len(snapshot), 1), np.bool_),
    }
    return Tensors(
        heart=heart_grid(snapshot, own_rest),
        activity=activity_grid(snapshot),
        sleep=sleep_grid(snapshot, STAGE_CODES),
        sessions=sessions,
        pressure=pressure,
        weather=weather,
        days=days,
        summary=summary_row(snapshot),
        profile=profile_row(snapshot, worn_share, rr_BT.mean(axis=1, dtype=np.float32)),
        valid=np.concatenate([valid[name] for name in TOKENS], axis=1),
    )


def present(snapshot: Snapshot, valid_BN: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which of MODALITIES each wearer has, bool (B, 8).

    A modality is there with one valid token; RR intervals need 30 minutes of the last 24 h; the profile needs an age.
    """
    found = np.zeros((len(snapshot), len(MODALITIES)), np.bool_)
    for name, (_, modality) in TOKENS.items():
        found[:, MODALITIES.index(modality)] |= valid_BN[:, SPANS[name]].any(axis=1)
    rr_minutes = ((snapshot.irregular != NO_RR) & (snapshot.hr_median > 0)).sum(axis=1)
    found[:, MODALITIES.index("rr_intervals")] = rr_minutes >= RR_MINUTES_NEEDED
    worn_days = snapshot.days[:, :, DAY_FEATURES.index("worn_min")] > 0
    found[:, MODALITIES.index("history")] = worn_days.any(axis=1)
    found[:, MODALITIES.index("profile")] = np.isfinite(snapshot.age_years)
    return found


def coverage(snapshot: Snapshot) -> F32:
    """Share of the heart-rate minutes that the cadence promises in the last 6 h, float32 (B,) in 0..1.

    With an unknown cadence one value an hour is expected. Nobody is fully covered by being slow: 6 h need 6 readings.
    """
    minutes = (snapshot.hr_median[:, -COVERAGE_MIN:] > 0).sum(axis=1)
    period_min = np.maximum(np.nan_to_num(snapshot.cadence_s, nan=3600.0), 60.0) / 60.0
    return np.asarray(np.minimum(minutes * period_min / COVERAGE_MIN, 1.0), np.float32)


def cadence_class(cadence_s: F32) -> NDArray[np.int64]:
    """Class of device by cadence, int64 (B,): 0 up to 5 s, 1 to 1 min, 2 to 5 min, 3 to 15 min, 4 slower, 5 unknown."""
    classes = np.searchsorted(CADENCE_CLASSES_S, cadence_s, side="left")
    return np.where(np.isfinite(cadence_s), classes, len(CADENCE_CLASSES_S) + 1).astype(np.int64)


assert MINUTES // SLEEP_STEP_MIN % 24 == 0  # noqa: S101 - sleep tokens are whole hours
