"""The slow, obvious twin of HEAT_LOAD: the newest report that holds, and the low-pass as a difference equation."""

import math

from scipy.signal import butter

from monitor.alerting.limits import Limits
from tests.reference.slow_rules import Judged, Minutes, Whom, trailing

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
