"""A cohort at chosen minutes: Snapshots as the engine would have made them then, and what labels say came of it.

Nothing after the chosen minute enters a Snapshot. Sleep stages and sessions are known only once the session has ended.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.days import day_features
from models.heads import DAY, HEADS, HOUR, SUB_HEALTH, SUB_HEALTH_LEVELS
from models.journal import GRID, STAGES_MIN, Cohort, Events
from models.snapshot import DAYS, HOURS, LAYOUT, MINUTES, READINGS, SESSIONS, Snapshot

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ticks:
    """Moments to look at: n pairs of a wearer's index and an epoch minute, ordered by wearer and time."""

    wearer: I64
    minute: I64

    def __len__(self) -> int:
        """Return n."""
        return len(self.wearer)

    def rows(self, chosen: "NDArray[np.generic] | slice") -> "Ticks":
        """Return the chosen ones."""
        return Ticks(self.wearer[chosen], self.minute[chosen])


class Dataset:
    """Snapshots and targets of one cohort."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        W = len(cohort.wearer_ids)
        self._windows = {}
        for name, absent in GRID.items():
            padded = np.full((W, MINUTES + cohort.minutes), absent, np.uint8)
            padded[:, MINUTES:] = cohort.grid[name]
            self._windows[name] = sliding_window_view(padded, MINUTES, axis=1)
        self._weather = np.full((W, HOURS + cohort.minutes // HOUR, 4), np.nan, np.float32)
        self._weather[:, HOURS:] = cohort.weather
        self._days = np.full((W, DAYS + cohort.minutes // MINUTES, LAYOUT["days"][1][1]), np.nan, np.float32)
        self._days[:, DAYS:] = _days(cohort)

    def ticks(self, wearers: I64, every_min: int, *, warm_up_min: int = 60) -> Ticks:
        """Every `every_min` minutes of the chosen wearers, from `warm_up_min` after the first day's start."""
        first, last = self.cohort.first_minute, self.cohort.first_minute + self.cohort.minutes
        grid = np.arange(first + max(warm_up_min, every_min), last, every_min)
        return Ticks(np.repeat(wearers, len(grid)), np.tile(grid, len(wearers)))

    def snapshot(self, ticks: Ticks) -> Snapshot:
        """Return what was known at each tick."""
        cohort, w, t = self.cohort, ticks.wearer, ticks.minute
        found = {name: windows[w, t - cohort.first_minute] for name, windows in self._windows.items()}
        snapshot = Snapshot.empty(len(ticks))
        snapshot.as_of_minute[:] = t
        for name, values in found.items():
            getattr(snapshot, name)[:] = values
        _hide_open_nights(snapshot, cohort.sleep, w)
        self._sporadic(snapshot, w)
        hour = (t - 1) // HOUR - cohort.first_minute // HOUR
        snapshot.weather_past[:] = self._weather[w[:, None], hour[:, None] + np.arange(1, HOURS + 1)]
        day = t // MINUTES - cohort.first_day
        snapshot.days[:] = self._days[w[:, None], day[:, None] + np.arange(DAYS)]
        snapshot.age_years[:], snapshot.bmi[:] = cohort.profiles.age_years[w], cohort.profiles.bmi[w]
        snapshot.sex[:] = cohort.profiles.sex[w]
        snapshot.conditions[:], snapshot.medications[:] = cohort.profiles.conditions[w], cohort.profiles.medications[w]
        snapshot.cadence_s[:] = measured_cadence(snapshot.hr_count)
        return snapshot

    def _sporadic(self, snapshot: Snapshot, w: I64) -> None:
        at, there = _latest(self.cohort.bp, w, snapshot.as_of_minute, READINGS)
        columns = self.cohort.bp.columns
        if there.any():
            snapshot.bp_minute[:] = np.where(there, self.cohort.bp.minute[at], 0)
            snapshot.bp_systolic[:] = np.where(there, columns["systolic"][at], 0)
            snapshot.bp_diastolic[:] = np.where(there, columns["diastolic"][at], 0)
            snapshot.bp_pulse[:] = np.where(there, columns["pulse"][at], -1)
            snapshot.bp_method[:] = np.where(there, columns["method"][at], 0)
        at, there = _latest(self.cohort.sleep, w, snapshot.as_of_minute + 1, SESSIONS)
        columns = self.cohort.sleep.columns
        if there.any():
            snapshot.sleep_end[:] = np.where(there, self.cohort.sleep.minute[at], 0)
            snapshot.sleep_start[:] = np.where(there, columns["start"][at], 0)
            for column, name in enumerate(STAGES_MIN):
                snapshot.sleep_minutes[:, :, column] = np.where(there, columns[name][at], np.nan)

    def targets(self, ticks: Ticks) -> F32:
        """What came of it, float32 (n, 10) in the order of HEADS: 1, 0, or NaN where labels do not tell.

        sub_health holds the level 0, 1 or 2 of the wearer's newest answer (at most a week old). A head whose outcomes
        never occur in the journal is NaN throughout. After an episode the state is unclear for an hour (a day where
        the head asks about its beginning only); so are the last `lead_min` minutes of the data.
        """
        y = np.full((len(ticks), len(HEADS)), np.nan, np.float32)
        last = self.cohort.first_minute + self.cohort.minutes
        for column, head in enumerate(HEADS):
            onset, yes_until, unclear_until = episodes(self.cohort, column)
            if not len(onset.minute):
                continue
            if column == SUB_HEALTH:
                y[:, column] = _levels(onset, ticks)
                continue
            positive = _inside(onset, ticks, onset.minute - head.lead_min, yes_until)
            unclear = _inside(onset, ticks, yes_until, unclear_until) | (ticks.minute + head.lead_min > last)
            y[:, column] = np.where(positive, 1.0, np.where(unclear, np.nan, 0.0))
        return y


def episodes(cohort: Cohort, head: int) -> tuple[Events, I64, I64]:
    """Episodes that a head asks about: events by onset, and until which minute the answer is yes, then unclear."""
    asked = HEADS[head]
    codes = [code for code, outcome in enumerate(cohort.outcomes) if outcome in asked.outcomes]
    kept = np.isin(cohort.labels.columns["outcome"], codes)
    columns = {name: values[kept] for name, values in cohort.labels.columns.items()}
    wearer = cohort.labels.wearer[kept]
    first = np.searchsorted(wearer, np.arange(len(cohort.wearer_ids) + 1))
    found = Events(wearer, cohort.labels.minute[kept], first, columns)
    end = columns["end"].astype(np.int64)
    if asked.hold_min is None:
        return found, end, end + HOUR
    return found, np.minimum(end, found.minute + asked.hold_min), end + DAY


def split(wearer_ids: tuple[str, ...], shares: tuple[float, ...], seed: int) -> list[I64]:
    """Deal wearers into groups by a salted hash of their id: whoever is added later moves nobody.

    >>> [len(part) for part in split(("a", "b", "c", "d"), (0.5, 0.5), 1)]
    [3, 1]
    """
    digests = [hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8] for name in wearer_ids]
    place = np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests])
    edges = np.cumsum([0.0, *shares]) / sum(shares)
    return [np.flatnonzero((place >= low) & (place < high)) for low, high in pairwise(edges)]


def measured_cadence(hr_count: NDArray[np.uint8]) -> F32:
    """Seconds between heart-rate samples as the last 24 h show it, float32 (B,); NaN with fewer than two minutes.

    With several samples a minute: 60 / their usual number; else the usual gap between minutes that have one.
    """
    there = hr_count > 0
    B, T = hr_count.shape
    many = np.array([np.median(row[on]) if on.any() else 0.0 for row, on in zip(hr_count, there, strict=True)])
    gaps = np.full(B, np.nan)
    for row in np.flatnonzero((many == 1) & (there.sum(axis=1) > 1)):
        gaps[row] = 60.0 * np.median(np.diff(np.flatnonzero(there[row])))
    dense = (many > 1) & (there.sum(axis=1) > 1)
    gaps[dense] = 60.0 / many[dense]
    assert T == MINUTES  # noqa: S101 - a Snapshot's row
    return gaps.astype(np.float32)


def _latest(events: Events, w: I64, before: I64, keep: int) -> tuple[I64, NDArray[np.bool_]]:
    """Rows of each wearer's last `keep` events before a minute, oldest first with the absent in front."""
    span = np.int64(1) << 32
    stop = np.searchsorted(events.wearer * span + events.minute, w * span + before)
    at = stop[:, None] - np.arange(keep, 0, -1)
    there = at >= events.first[w][:, None]
    return np.where(there, at, 0), there


def _hide_open_nights(snapshot: Snapshot, sleep: Events, w: I64) -> None:
    """Blank the stages of every minute after the last session that had ended."""
    at, there = _latest(sleep, w, snapshot.as_of_minute + 1, 1)
    ended = np.where(there[:, 0], sleep.minute[at[:, 0]] if len(sleep.minute) else 0, 0)
    known = np.clip(ended - (snapshot.as_of_minute - MINUTES), 0, MINUTES)
    snapshot.stage[np.arange(MINUTES) >= known[:, None]] = 0


def _days(cohort: Cohort) -> F32:
    """Features of each wearer's days (W, D, 12), from what was known at the day's end."""
    W, D = len(cohort.wearer_ids), cohort.minutes // MINUTES
    grid = {name: values.reshape(W * D, MINUTES) for name, values in cohort.grid.items()}
    wearer, day = np.repeat(np.arange(W), D), np.tile(np.arange(D), W)
    closed = Snapshot.empty(W * D)
    closed.as_of_minute[:] = (cohort.first_day + day + 1) * MINUTES
    closed.stage[:] = grid["stage"]
    _hide_open_nights(closed, cohort.sleep, wearer)
    pressure = [_daily_mean(cohort, cohort.bp.columns[name]) for name in ("systolic", "diastolic")]
    hourly = cohort.weather[:, :, 0].reshape(W * D, HOURS)
    known = np.isfinite(hourly)
    warmth = np.where(
        known.any(axis=1), np.where(known, hourly, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan
    )
    features = day_features(
        {**grid, "stage": closed.stage},
        systolic_mmhg=pressure[0],
        diastolic_mmhg=pressure[1],
        temperature_c=warmth.astype(np.float32),
    )
    return features.reshape(W, D, -1)


def _daily_mean(cohort: Cohort, values: NDArray[np.generic]) -> F32:
    W, D = len(cohort.wearer_ids), cohort.minutes // MINUTES
    day = cohort.bp.minute // MINUTES - cohort.first_day
    inside = (day >= 0) & (day < D)
    slot = (cohort.bp.wearer * D + day)[inside]
    total = np.bincount(slot, values[inside].astype(np.float64), minlength=W * D)
    count = np.bincount(slot, minlength=W * D)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _inside(events: Events, ticks: Ticks, start: I64, stop: I64) -> NDArray[np.bool_]:
    """Tell which ticks lie in any of their wearer's spans [start, stop)."""
    span = np.int64(1) << 32
    order = np.argsort(at := ticks.wearer * span + ticks.minute, kind="stable")
    low = np.searchsorted(at[order], events.wearer * span + start)
    high = np.searchsorted(at[order], events.wearer * span + np.maximum(stop, start))
    depth = np.zeros(len(ticks) + 1, np.int64)
    np.add.at(depth, low, 1)
    np.add.at(depth, high, -1)
    inside = np.empty(len(ticks), np.bool_)
    inside[order] = np.cumsum(depth[:-1]) > 0
    return inside


def _levels(answers: Events, ticks: Ticks) -> F32:
    """Level of the newest answer of the last 7 days at each tick; NaN without one."""
    at, there = _latest(answers, ticks.wearer, ticks.minute + 1, 1)
    fresh = there[:, 0] & (ticks.minute - answers.minute[at[:, 0]] <= 7 * DAY)
    score = answers.columns["severity"][at[:, 0]].astype(np.float32)
    level = np.searchsorted(np.array(SUB_HEALTH_LEVELS, np.float32), score, side="left").astype(np.float32)
    return np.where(fresh & np.isfinite(score), level, np.nan).astype(np.float32)
