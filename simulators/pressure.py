"""Blood pressure: the latent pressure of the day, and the readings that wearers and their cuffs take of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.courses import Floats
from simulators.effects import Effects
from simulators.episodes import Episodes
from simulators.kinds import Kind
from simulators.people import People
from simulators.physiology import Physiology

CUFF_PER_DAY, CUFF_HYPERTENSIVE_PER_DAY, CUFFLESS_PER_DAY = 0.5, 2.4, 12.0
REPEAT_SHARE = 0.35  # of routine readings are taken twice
OVERRIDDEN_MMHG = 25.0
UNKNOWN, CUFF, CUFFLESS = 0, 1, 3  # codes of METHODS


@dataclass(frozen=True, slots=True)
class Readings:
    """n readings in order of time: row of the wearer, epoch second, mmHg, pulse, code of METHODS."""

    wearer: NDArray[np.int64]
    at_s: NDArray[np.int64]
    systolic: NDArray[np.int64]
    diastolic: NDArray[np.int64]
    pulse: NDArray[np.int64]
    method: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.wearer)


def readings(
    people: People,
    episodes: Episodes,
    effects: Effects,
    bpm: NDArray[np.float32],
    in_bed: NDArray[np.bool_],
    body: Physiology,
    seed: int,
    block: int,
    first_min: int,
) -> Readings:
    """Take every reading of a block: routine ones while awake, and repeated ones by whoever feels a crisis."""
    rng = generator(seed, "pressure", block, first_min)
    T = bpm.shape[1]
    cuff_day = np.where(people.hypertensive | people.pregnant, CUFF_HYPERTENSIVE_PER_DAY, CUFF_PER_DAY) * people.cuff
    routine_w, routine_at = _routine(rng, cuff_day, T)
    worn_w, worn_at = _routine(rng, CUFFLESS_PER_DAY * people.cuffless, T)
    alarm_w, alarm_at = _alarmed(rng, episodes, first_min)
    again = rng.random(len(routine_w)) < REPEAT_SHARE
    wearer = np.concatenate([routine_w, routine_w[again], worn_w, alarm_w])
    at_s = np.concatenate([routine_at, routine_at[again] + rng.integers(60, 180, int(again.sum())), worn_at, alarm_at])
    method = np.repeat([CUFF, CUFFLESS, CUFF], [len(routine_w) + int(again.sum()), len(worn_w), len(alarm_w)])
    prompted = np.repeat([False, True], [len(wearer) - len(alarm_w), len(alarm_w)])

    minute = at_s // 60
    inside = (minute >= 0) & (minute < T)
    inside[inside] &= prompted[inside] | (method[inside] == CUFFLESS) | ~in_bed[wearer[inside], minute[inside]]
    wearer, at_s, method, minute = wearer[inside], at_s[inside], method[inside], minute[inside]

    night = in_bed[wearer, minute]
    hour = (first_min + minute + people.utc_offset_min[wearer]) % 1440 / 60
    daily = 4.0 * np.cos(2 * np.pi * (hour - 11) / 24)  # a late-morning top
    rising = 0.25 * np.maximum(bpm[wearer, minute] - people.rest_bpm[wearer] - 15, 0)

    def added(grid: Floats | None) -> NDArray[np.float64]:
        return np.zeros(len(wearer)) if grid is None else grid[wearer, minute].astype(np.float64)

    up_systolic, up_diastolic = added(effects.add_systolic_mmhg), added(effects.add_diastolic_mmhg)
    # What drives the pressure far up or down takes the place of the day's own ups and downs.
    own = 1 - np.minimum(np.abs(up_systolic) / OVERRIDDEN_MMHG, 1)
    dip = np.where(night, people.night_systolic[wearer] - 1, 0.0) * people.systolic_mmhg[wearer]
    systolic = people.systolic_mmhg[wearer] + up_systolic + own * (dip + daily + rising)
    dip = np.where(night, people.night_diastolic[wearer] - 1, 0.0) * people.diastolic_mmhg[wearer]
    diastolic = people.diastolic_mmhg[wearer] + up_diastolic + own * (dip + 0.5 * daily)

    # A cuffless estimate follows the wearer's usual pressure more than the present one, and scatters twice as much.
    guess = method == CUFFLESS
    systolic = np.where(guess, 0.5 * systolic + 0.5 * people.systolic_mmhg[wearer], systolic)
    diastolic = np.where(guess, 0.5 * diastolic + 0.5 * people.diastolic_mmhg[wearer], diastolic)
    scatter = np.where(guess, 2.0, 1.0)
    systolic += scatter * body.reading_sd_mmhg[0] * np.clip(rng.standard_normal(len(wearer)), -2.5, 2.5)
    diastolic += scatter * body.reading_sd_mmhg[1] * np.clip(rng.standard_normal(len(wearer)), -2.5, 2.5)
    systolic = np.clip(np.round(systolic), 60, 260).astype(np.int64)
    diastolic = np.minimum(np.clip(np.round(diastolic), 30, 160).astype(np.int64), systolic - 12)
    pulse = np.clip(np.round(bpm[wearer, minute] + rng.normal(0, 2, len(wearer))), 28, 220).astype(np.int64)
    order = np.lexsort((method, wearer, at_s))
    return Readings(
        wearer[order], first_min * 60 + at_s[order], systolic[order], diastolic[order], pulse[order], method[order]
    )


def _routine(
    rng: np.random.Generator, per_day: NDArray[np.floating], T: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count = rng.poisson(per_day * T / 1440)
    return np.repeat(np.arange(len(per_day)), count), rng.integers(0, T * 60, int(count.sum()))


def _alarmed(
    rng: np.random.Generator, episodes: Episodes, first_min: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A reading 2-6 min after the onset, the repeat 5-12 min later as the prompt asks, then two an hour."""
    wearer: list[int] = []
    at_s: list[int] = []
    for row in np.flatnonzero((episodes.kind == Kind.HYPERTENSIVE_CRISIS) | (episodes.kind == Kind.HYPOTENSION)):
        at = float(episodes.onset_min[row]) + rng.uniform(2, 6)
        step = rng.uniform(5, 12)
        while at < episodes.end_min[row]:
            wearer.append(int(episodes.wearer[row]))
            at_s.append(int((at - first_min) * 60))
            at, step = at + step, rng.uniform(20, 40)
    return np.array(wearer, dtype=np.int64), np.array(at_s, dtype=np.int64)
