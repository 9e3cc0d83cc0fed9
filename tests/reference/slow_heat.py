"""The slow, obvious twin of HEAT_LOAD: the newest report that holds, and the low-pass as a difference equation."""

import math
from collections.abc import Callable

from scipy.signal import butter

from monitor.alerting.limits import Limits
from tests.reference.slow_rules import NOTHING, Judged, Minutes, Whom, trailing
from tests.reference.slow_slots import SlowMinute

HOUR_MS = 3_600_000
Reports = dict[int, tuple[float, float]]
"""Time in ms -> temperature in degrees Celsius and humidity in percent."""


def weather_at(reports: Reports, minute: int, limits: Limits) -> tuple[float, float] | None:
    """The newest report at or before a minute's end, if it holds still."""
    end_ms = (minute + 1) * 60_000
    past = [at for at in reports if at < end_ms and end_ms - at <= limits.weather_valid_h * HOUR_MS]
    return reports[max(past)] if past else None


def heat_index(temperature_c: float, humidity: float) -> float:
    """NWS: the simple form below 80 F, else Rothfusz with both corrections; in degrees Celsius."""
    t, r = temperature_c * 1.8 + 32, humidity
    index = (0.5 * (t + 61 + (t - 68) * 1.2 + r * 0.094) + t) / 2
    if index >= 80:
        index = -42.379 + 2.04901523 * t + 10.14333127 * r - 0.22475541 * t * r - 0.00683783 * t * t
        index += -0.05481717 * r * r + 0.00122874 * t * t * r + 0.00085282 * t * r * r - 0.00000199 * t * t * r * r
        if r < 13 and 80 <= t <= 112:
            index -= (13 - r) / 4 * math.sqrt((17 - abs(t - 95)) / 17)
        if r > 85 and 80 <= t <= 87:
            index += (r - 85) / 10 * (87 - t) / 5
    return (index - 32) / 1.8


def slow_rate(minutes: Minutes, minute: int) -> float | None:
    """The 10-min low-pass of the last hour's accepted minutes; None with fewer than 30, or none in the last three."""
    hour = [one.median if one.count and "outlier" not in one.marks else 0 for one in trailing(minutes, minute, 60)]
    known = [bpm for bpm in hour if bpm]
    if len(known) < 30 or not any(hour[-3:]):
        return None
    b, a = butter(2, 1 / 600, fs=1 / 60)
    held = known[0]
    x = y = [float(held)] * 2  # as if it had always been so
    for bpm in hour:
        held = bpm or held
        new = b[0] * held + b[1] * x[0] + b[2] * x[1] - a[1] * y[0] - a[2] * y[1]
        x, y = [float(held), x[0]], [new, y[0]]
    return float(y[0])


def resting_hours(minutes: Minutes, noon: int, offset_min: Callable[[int], int]) -> tuple[list[float], list[int]]:
    """By local hour of the 24 h before noon: mean rate at rest, NaN below 3 minutes; 1 asleep, 0 awake, or -1."""
    rates: list[list[int]] = [[] for _ in range(24)]
    votes = [0] * 24
    for minute in range(noon - 1440, noon):
        one, hour = minutes.get(minute, NOTHING), (minute + offset_min(minute)) // 60 % 24
        votes[hour] += is_asleep(one) - is_up(one)
        before = [minutes.get(m, NOTHING) for m in range(max(minute - 9, noon - 1440), minute + 1)]
        if len(before) == 10 and all(is_still(m) for m in before) and one.count and "outlier" not in one.marks:
            rates[hour].append(one.median)
    means = [sum(rate) / len(rate) if len(rate) >= 3 else math.nan for rate in rates]
    return means, [1 if vote > 0 else 0 if vote < 0 else -1 for vote in votes]


def is_up(one: SlowMinute) -> bool:
    return "awake" in one.marks or one.stage == 1 or bool(one.steps)


def is_asleep(one: SlowMinute) -> bool:
    return not is_up(one) and ("asleep" in one.marks or one.stage > 1)


def is_still(one: SlowMinute) -> bool:
    said = one.steps is None and (is_asleep(one) or "rest" in one.marks)
    return (one.steps == 0 or said) and "exercise" not in one.marks


def usual_at_rest(own: float, own_days: int, cohort: float, of_whole_days: float) -> float:
    """What is usual at this hour from a week of own days on, else what is usual on whole days."""
    return (own_days * own + 7 * cohort) / (own_days + 7) if own_days >= 7 else of_whole_days


def heat_load(
    minutes: Minutes, minute: int, judged: Judged, reports: Reports, whom: Whom, usual_bpm: float, limits: Limits
) -> tuple[bool, bool]:
    """Raised, cleared."""
    weather = weather_at(reports, minute, limits)
    if weather is None:
        return False, False
    index = heat_index(*weather)
    smooth = slow_rate(minutes, minute)
    rate = judged.median if smooth is None else smooth
    fast = rate >= limits.heat_hr_bpm or rate >= usual_bpm + limits.heat_hr_above_usual_bpm
    strained = judged.enough and judged.rest and fast and not whom.defaults_off
    limit = limits.heat_index_vulnerable_c if whom.vulnerable else limits.heat_index_c
    clear = limits.heat_vulnerable_clear_c if whom.vulnerable else limits.heat_clear_c
    return index >= limit and (strained or whom.vulnerable), index < clear
