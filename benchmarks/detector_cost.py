"""What the detectors and the quality gate add to a decided minute, and what a wearer's daily judgement costs."""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, Target
from monitor.alerting.board import Board
from monitor.alerting.daily_rules import judge_days
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.alerting.minute_rules import judge_minutes
from monitor.alerting.reporting import Moments
from monitor.wearers.fields import DAYS, HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, IRREGULAR, MINUTES, NIGHTS, STEPS
from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State

WEARERS, SWEEP = 10_000, 400
DAY = 20_458
NOON = DAY * MINUTES + MINUTES // 2
WITH_RR, MEASURED, FAST = 0.2, 0.05, 0.01
MINUTES_A_ROUND = 5
OFF = Limits(hr_min_quality=0).model_copy(
    update={f"{rule.name.lower()}_on": False for rule in Rule if f"{rule.name.lower()}_on" in Limits.model_fields}
)
MIX = (
    f"{WEARERS:,} wearers in sweeps of {SWEEP}, one sample every 5 s; {WITH_RR:.0%} of them with RR intervals,"
    f" {MEASURED:.0%} with a cuff reading in the last hour, {FAST:.0%} above 120 bpm at rest"
)


class DetectorCosts:
    """Wearers with a full day and four weeks behind them, judged minute by minute with the detectors and without."""

    def __init__(self, wearers: int = WEARERS) -> None:
        self._wearers = wearers
        self._added: list[float] = []
        self._daily: list[float] = []
        self._minute = NOON

    def prepare(self) -> None:
        """Fill the rings."""
        chance = np.random.default_rng(5)
        n = self._wearers
        self._state = state = State(n)
        state.add_many([f"w{k}" for k in range(n)], 0)
        self._board, self._profiles = Board(state, ("north",)), Profiles(state, ("north",))
        minutes = state.minute_bytes()
        for of in np.array_split(np.arange(n), max(n // SWEEP, 1)):
            rate = chance.integers(58, 72, (len(of), MINUTES), dtype=np.uint8)
            rate[chance.random(len(of)) < FAST] = 124
            minutes[of, :, HR_MEDIAN], minutes[of, :, HR_MIN], minutes[of, :, HR_MAX] = rate, rate - 2, rate + 2
            minutes[of, :, HR_COUNT] = 12
            walks = chance.random((len(of), MINUTES)) < 0.1
            minutes[of, :, STEPS] = 1 + np.where(walks, chance.integers(20, 110, walks.shape), 0)
            with_rr = of[chance.random(len(of)) < WITH_RR]
            minutes[with_rr, :, IRREGULAR] = chance.integers(3, 9, (len(with_rr), MINUTES))
        state.head_minute[:] = NOON + MINUTES // 4
        state.sample_gap_s[:] = 5
        measured = np.flatnonzero(chance.random(n) < MEASURED)
        state.bp_ms[measured, 0], state.bp_systolic[measured, 0] = (NOON - 20) * 60_000, 128
        state.day[:], state.days_mask[:] = DAY, (1 << DAYS) - 1
        state.days[:] = chance.normal(60, 6, (n, DAYS, 12)).astype(np.float16)
        state.night_bpm[:] = chance.normal(58, 2, (n, DAYS)).astype(np.float16)
        ends = DAY * MINUTES + 400 - np.arange(NIGHTS) * MINUTES
        state.sleep_id[:], state.sleep_revision[:] = np.arange(1, NIGHTS + 1), 1
        state.sleep_start[:], state.sleep_end[:] = ends - 440, ends
        state.sleep_minutes[:, :, 0] = chance.normal(400, 30, (n, NIGHTS)).astype(np.float16)
        state.noon_minute[:] = NOON + MINUTES
        self._sweeps = np.array_split(np.arange(n), max(n // SWEEP, 1))
        self.round()
        self._added.clear()
        self._daily.clear()

    def round(self) -> None:
        """Judge some minutes of everybody both ways, then everybody's day."""
        taken = {True: 0.0, False: 0.0}
        for minute in range(self._minute, self._minute + MINUTES_A_ROUND):
            for row in self._sweeps:
                for on in (True, False):
                    taken[on] += self._judge(row, minute, Limits() if on else OFF)
        self._minute += MINUTES_A_ROUND
        self._added.append((taken[True] - taken[False]) / MINUTES_A_ROUND / self._wearers * 1e6)
        self._state.judged_day[:], self._state.noon_minute[:] = DAY - 1, NOON
        began = time.process_time()
        for row in self._sweeps:
            judge_days(self._board, self._profiles, Limits(), _moments(row, NOON))
        self._daily.append((time.process_time() - began) / self._wearers * 1e6)

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        return [
            Figure(
                "detectors",
                "us a wearer-minute",
                tuple(self._added),
                f"What the detectors and the quality gate add to the rules of a decided minute, in process: {MIX};"
                " process CPU time.",
                Target("at most", 3),
            ),
            Figure(
                "daily-sweep",
                "us a wearer-day",
                tuple(self._daily),
                f"The six daily rules of a wearer at local noon, the night's rate out of the ring included: {MIX};"
                " process CPU time.",
                Target("at most", 60),
            ),
        ]

    def _judge(self, row: NDArray[np.int64], minute: int, limits: Limits) -> float:
        when = _moments(row, minute)
        began = time.process_time()
        judge_minutes(self._board, self._profiles, limits, when)
        judge_days(self._board, self._profiles, limits, when)
        return time.process_time() - began


def _moments(row: NDArray[np.int64], minute: int) -> Moments:
    at_ms = np.full(len(row), (minute + 1) * 60_000)
    return Moments(row, np.full(len(row), minute), at_ms, at_ms)
