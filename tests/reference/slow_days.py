"""The slow, obvious twins of what is measured on hours and days: cosinor, baseline, CUSUM."""

import math
import statistics

import numpy as np


def hour_mean(bpm: list[int], steps: list[int | None], hour: int) -> tuple[float, float, int]:
    """Mean heart rate of an hour's minutes, mean steps 5 min earlier, and how many minutes have both."""
    pairs = []
    for minute in range(hour * 60, hour * 60 + 60):
        walked = steps[minute - 5] if minute >= 5 else None
        if bpm[minute] and walked is not None:
            pairs.append((bpm[minute], walked))
    if len(pairs) < 4:
        return math.nan, math.nan, 0
    return statistics.fmean(p[0] for p in pairs), statistics.fmean(p[1] for p in pairs), len(pairs)


def cosinor(bpm: list[float], steps: list[float], minutes: list[float], first_hour: int) -> dict[str, float]:
    """Weighted least squares by numpy's general solver, with the ridge as rows of zeros; peak and trough by looking."""
    rows, values, weights = [], [], []
    for k in range(len(bpm)):
        if minutes[k] and not math.isnan(bpm[k]) and not math.isnan(steps[k]):
            angle = 2 * math.pi * (first_hour + k + 0.5) / 24
            rows.append([1, math.cos(angle), math.sin(angle), math.cos(2 * angle), math.sin(2 * angle), steps[k]])
            values.append(bpm[k])
            weights.append(math.sqrt(minutes[k]))
    x, y, w = np.array(rows), np.array(values), np.array(weights)
    own = [0.0, *[float((w**2).sum()) / 2] * 4, float(((w * x[:, 5]) ** 2).sum())]
    ridge = np.diag([math.sqrt(1e-3 * one) for one in own])
    fit = np.linalg.lstsq(np.vstack([x * w[:, None], ridge]), np.concatenate([y * w, np.zeros(6)]), rcond=None)[0]
    for j, harmonic in ((1, 1), (2, 1), (3, 2), (4, 2)):
        u = math.pi * harmonic / 24
        fit[j] /= math.sin(u) / u
    clock = [hour / 3600 for hour in range(0, 24 * 3600, 10)]
    day = [curve(fit, hour) for hour in clock]
    first, second = fit[1] ** 2 + fit[2] ** 2, fit[3] ** 2 + fit[4] ** 2
    return {
        "mesor_bpm": float(fit[0]),
        "amplitude_bpm": (max(day) - min(day)) / 2,
        "acrophase_h": clock[day.index(max(day))],
        "bathyphase_h": clock[day.index(min(day))],
        "second_share": float(second / (first + second)),
        "bpm_per_step": float(fit[5]),
    }


def curve(fit: "np.ndarray[tuple[int], np.dtype[np.float64]]", hour: float) -> float:
    angle = 2 * math.pi * hour / 24
    return float(
        fit[1] * math.cos(angle)
        + fit[2] * math.sin(angle)
        + fit[3] * math.cos(2 * angle)
        + fit[4] * math.sin(2 * angle)
    )


def shrunken(own: float, days: int, cohort: float) -> float:
    return (days * own + 7 * cohort) / (days + 7) if days else cohort


def baseline_cell(days: list[float], cohort_level: float, cohort_spread: float) -> tuple[float, float, int]:
    """Level, spread and days of one hour and state from its usable days."""
    if not days:
        return cohort_level, cohort_spread, 0
    middle = statistics.median(days)
    spread = max(1.4826 * statistics.median(abs(day - middle) for day in days), 1.0)
    return shrunken(middle, len(days), cohort_level), shrunken(spread, len(days), cohort_spread), len(days)


def updated_cell(level: float, days: int, today: float, cohort: tuple[float, float]) -> tuple[float, int]:
    before = level if days else cohort[0]
    distance = max(-2.5 * cohort[1], min(2.5 * cohort[1], today - before))
    days = min(days + 1, 28)
    return before + distance / days, days


def cusum(days: list[float], least_spread: float) -> tuple[float, float]:
    """Upper and lower sum of the last 7 days against the 21 before."""
    held = days[-28:]
    reference, week = [d for d in held[:-7] if not math.isnan(d)], held[-7:]
    if len(reference) < 10 or math.isnan(week[-1]):
        return math.nan, math.nan
    level = statistics.median(reference)
    spread = max(1.4826 * statistics.median(abs(d - level) for d in reference), least_spread)
    upper = lower = 0.0
    for day in week:
        if not math.isnan(day):
            z = max(-3.0, min(3.0, (day - level) / spread))
            upper, lower = max(0.0, upper + z - 0.5), max(0.0, lower - z - 0.5)
    return upper, lower
