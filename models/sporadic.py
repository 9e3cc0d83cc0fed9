"""What comes now and then (pressure, sleep sessions, weather, past days) and the profile, as rows of numbers.

Each block ends in features that say what is known, and what is not known is 0.0. Times enter as ages and as the phase
since the wearer last woke: a Snapshot has no time zone, and a calendar would only teach the model its training weeks.
"""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES, DAYS, HOURS, Snapshot

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PRESSURE_FEATURES = 15
SESSION_FEATURES = 17
WEATHER_FEATURES = 54
DAY_COLUMNS = 3 * len(DAY_FEATURES)
PROFILE_FEATURES = 80

_DAY_CENTRE = np.array([65, 75, 55, 110, 7000, 30, 1000, 420, 125, 78, 15, 0.05], np.float32)
_DAY_SCALE = np.array([10, 12, 10, 25, 4000, 30, 400, 90, 15, 10, 10, 0.1], np.float32)
_OWN_SCALE = np.array([5, 6, 5, 15, 3000, 20, 300, 60, 10, 7, 5, 0.1], np.float32)
_BITS = np.array([*range(24), 31], np.uint32)  # of CONDITIONS and MEDICATIONS; 31 is any other


def known(values: F32) -> tuple[F32, Bool]:
    """Return the values with 0.0 for everything that is not finite, and where they are finite."""
    finite = np.asarray(np.isfinite(values))
    return np.where(finite, values, np.float32(0.0)), finite


def own_medians(days_BDF: F32) -> F32:
    """Lower median of each feature over the wearer's known days, float32 (B, 12); NaN where no day is known."""
    ordered = np.sort(np.where(np.isfinite(days_BDF), days_BDF, np.float32(np.nan)), axis=1)
    count = np.isfinite(ordered).sum(axis=1, keepdims=True)
    return np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=1)[:, 0]


def last_wake(snapshot: Snapshot) -> I64:
    """Epoch minute at which the newest known sleep before as_of ended, int64 (B,); 0 = none known."""
    ended = (snapshot.sleep_end > 0) & (snapshot.sleep_end <= snapshot.as_of_minute[:, None])
    return np.asarray(np.where(ended, snapshot.sleep_end, 0).max(axis=1, initial=0))


def _phase(minute: I64, wake_B: I64, there: Bool) -> tuple[F32, F32]:
    """Sine and cosine of the time since waking on a 24-h circle, 0 where either is unknown."""
    angle = ((minute - wake_B[:, None]) % 1440) * (2 * np.pi / 1440)
    there = there & (wake_B > 0)[:, None]
    return (np.sin(angle) * there).astype(np.float32), (np.cos(angle) * there).astype(np.float32)


def _log_minutes(gap: I64) -> F32:
    """Minutes from 0 to years as about -1 to 1."""
    return (np.log1p(np.maximum(gap, 0).astype(np.float32)) / np.float32(5.0) - np.float32(1.0)).astype(np.float32)


def _oldest_first(minute: I64, as_of_B: I64) -> tuple[NDArray[np.intp], I64, Bool]:
    """Order each row by time with the absent (0, or not before as_of) in front, however the row was given."""
    minute = np.where((minute > 0) & (minute < as_of_B[:, None]), minute, 0)
    order = np.argsort(minute, axis=1, kind="stable")
    minute = np.take_along_axis(minute, order, axis=1)
    return order, minute, minute > 0


def pressure_rows(snapshot: Snapshot) -> tuple[F32, Bool]:
    """Last 16 readings as float32 (B, 16, 15), oldest first, and which of the rows are readings."""
    order, minute, there = _oldest_first(snapshot.bp_minute, snapshot.as_of_minute)
    systolic, diastolic, pulse, method = (
        np.take_along_axis(column, order, axis=1).astype(np.float32)
        for column in (snapshot.bp_systolic, snapshot.bp_diastolic, snapshot.bp_pulse, snapshot.bp_method)
    )
    there &= (systolic > 0) & (diastolic > 0)
    gap = np.diff(minute, axis=1, prepend=0) * (np.roll(there, 1, axis=1) & there)
    sine, cosine = _phase(minute, last_wake(snapshot), there)
    x_BEF = np.stack(
        [
            (systolic - 125) / 20,
            (diastolic - 78) / 12,
            (diastolic + (systolic - diastolic) / 3 - 94) / 14,
            (systolic - diastolic - 47) / 12,
            np.where(pulse > 0, (pulse - 70) / 15, 0),
            pulse > 0,
            _log_minutes(snapshot.as_of_minute[:, None] - minute),
            _log_minutes(gap),
            sine,
            cosine,
            *(method == code for code in range(4)),
            np.ones_like(systolic),
        ],
        axis=2,
    ).astype(np.float32)
    x_BEF *= there[:, :, None]
    return x_BEF, there


def session_rows(snapshot: Snapshot) -> tuple[F32, Bool]:
    """Last 14 sleep sessions that have ended, float32 (B, 14, 17), oldest first, and which of the rows are sessions."""
    order, end, there = _oldest_first(snapshot.sleep_end, snapshot.as_of_minute + 1)
    start = np.take_along_axis(snapshot.sleep_start, order, axis=1)
    minutes, finite = known(np.take_along_axis(snapshot.sleep_minutes, order[:, :, None], axis=1))
    in_bed = np.maximum(end - start, 1)
    sine, cosine = _phase(start, last_wake(snapshot), there)
    gap = (start - np.roll(end, 1, axis=1)) * (np.roll(there, 1, axis=1) & there)
    centre = np.array([420, 240, 80, 90, 40], np.float32) * finite
    x_BEF = np.concatenate(
        [
            (minutes - centre) / np.array([90, 80, 40, 40, 40], np.float32),
            finite,
            np.stack(
                [
                    (in_bed - 450) / 120,
                    np.where(finite[:, :, 0], minutes[:, :, 0] / in_bed - 0.9, 0) * 5,
                    _log_minutes(snapshot.as_of_minute[:, None] - end),
                    _log_minutes(gap),
                    sine,
                    cosine,
                    np.ones(end.shape),
                ],
                axis=2,
            ),
        ],
        axis=2,
    ).astype(np.float32)
    x_BEF *= there[:, :, None]
    return x_BEF, there


def weather_patches(snapshot: Snapshot) -> tuple[F32, Bool]:
    """Four 6-h patches of the past day and four of the forecast, float32 (B, 8, 54), and which hold anything.

    Nine columns an hour: temperature, humidity, wind, PM2.5 (a forecast has the first two), warmth x humidity for the
    heat felt, and four marks of what is known.
    """
    B = len(snapshot)
    raw = np.full((B, 2 * HOURS, 4), np.nan, np.float32)
    raw[:, :HOURS] = snapshot.weather_past
    raw[:, HOURS:, :2] = snapshot.weather_forecast
    value, finite = known(raw)
    centre, scale = np.array([15, 60, 3, 10], np.float32), np.array([12, 20, 3, 15], np.float32)
    scaled = np.where(finite, (value - centre) / scale, 0)
    felt = np.maximum(value[:, :, :1] - 20, 0) * value[:, :, 1:2] / np.float32(1000.0)
    x_BPF = np.concatenate([scaled, felt, finite], axis=2).astype(np.float32).reshape(B, 8, WEATHER_FEATURES)
    return x_BPF, np.asarray(finite.any(axis=2).reshape(B, 8, 6).any(axis=2))


def day_rows(snapshot: Snapshot) -> tuple[F32, Bool]:
    """28 past days, float32 (B, 28, 36): the value, its distance from the wearer's own median, and what is known."""
    value, finite = known(snapshot.days)
    own, has_own = known(own_medians(snapshot.days))
    scaled = (value - _DAY_CENTRE) / _DAY_SCALE * finite
    apart = (value - own[:, None]) / _OWN_SCALE * (finite & has_own[:, None])
    x_BDF = np.concatenate([scaled, apart, finite], axis=2).astype(np.float32)
    worn_or_else = np.where(np.arange(len(DAY_FEATURES)) == DAY_FEATURES.index("worn_min"), value > 0, finite)
    return x_BDF, np.asarray(worn_or_else.any(axis=2))


def profile_row(snapshot: Snapshot, worn_share: F32, rr_share: F32) -> F32:
    """Who the wearer is and what is usual for them, float32 (B, 80); always a valid token, even for a stranger.

    Parameters
    ----------
    worn_share : float32 (B, 2) share of the last 24 h and of the last hour with a heart rate.
    rr_share : float32 (B,) share of the last 24 h with RR intervals.
    """
    age, has_age = known(snapshot.age_years)
    bmi, has_bmi = known(snapshot.bmi)
    own, has_own = known(own_medians(snapshot.days))
    wake = last_wake(snapshot)
    since_wake = (snapshot.as_of_minute - wake)[:, None]
    sine, cosine = _phase(snapshot.as_of_minute[:, None], wake, np.ones((len(snapshot), 1), np.bool_))
    history = (snapshot.days[:, :, DAY_FEATURES.index("worn_min")] > 0).sum(axis=1, dtype=np.float32)
    columns: list[NDArray[np.generic]] = [
        (age - 50) / 20 * has_age,
        has_age,
        *(snapshot.sex == code for code in range(3)),
        (bmi - 26) / 5 * has_bmi,
        has_bmi,
        *((snapshot.conditions[:, None] >> _BITS & 1).T),
        *((snapshot.medications[:, None] >> _BITS & 1).T),
        *((own - _DAY_CENTRE) / _DAY_SCALE * has_own).T,
        history / DAYS,
        sine[:, 0],
        cosine[:, 0],
        _log_minutes(since_wake)[:, 0] * (wake > 0),
        wake > 0,
        *worn_share.T,
        rr_share,
        np.ones(len(snapshot)),
    ]
    x_BF = np.zeros((len(snapshot), PROFILE_FEATURES), np.float32)
    for column, values in enumerate(columns):
        x_BF[:, column] = values
    return x_BF
