"""Nights: when people lie down, and the sleep stages of every minute until they get up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.episodes import Episodes
from simulators.kinds import Kind
from simulators.people import People
from simulators.stages import AWAKE, DEEP, LIGHT, REM

CYCLE_MIN = 92
DEEP_SHARE = np.array([0.52, 0.40, 0.22, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0])  # of each cycle of the night
REM_SHARE = np.array([0.08, 0.19, 0.27, 0.33, 0.36, 0.36, 0.36, 0.36, 0.36])


@dataclass(frozen=True, slots=True)
class Nights:
    """n nights of a block; minutes are epoch minutes, `stage` is flat with `offset` (n + 1,) pointing into it."""

    wearer: NDArray[np.int64]
    start_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
    alcohol: NDArray[np.bool_]
    restless: NDArray[np.bool_]
    offset: NDArray[np.int64]
    stage: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of nights."""
        return len(self.wearer)

    def stages(self, night: int) -> NDArray[np.uint8]:
        """Return the stage of each minute of one night."""
        return self.stage[self.offset[night] : self.offset[night + 1]]

    def raster(self, wearers: int, first_min: int, minutes: int) -> NDArray[np.uint8]:
        """Return (wearers, minutes): the stage of each minute, 0 out of bed."""
        grid = np.zeros((wearers, minutes), np.uint8)
        long = np.diff(self.offset)
        column = np.arange(len(self.stage)) + np.repeat(self.start_min - first_min - self.offset[:-1], long)
        inside = (column >= 0) & (column < minutes)
        grid[np.repeat(self.wearer, long)[inside], column[inside]] = self.stage[inside]
        return grid


def nights(
    people: People, episodes: Episodes, seed: int, block: int, first_min: int, minutes: int, alcohol_share: float
) -> Nights:
    """Draw every night that touches the run, and the one before it."""
    rng = generator(seed, "nights", block, first_min)
    B, D = len(people), minutes // 1440 + 4
    day = first_min // 1440 - 2 + np.arange(D)
    weekend = np.isin((day + 4) % 7, (5, 6))  # epoch day 0 was a Thursday; Friday and Saturday nights run late
    bed_h = people.bedtime_h[:, None] + rng.normal(0, 0.6, (B, D)) + 0.7 * weekend[None, :]
    sleep_h = np.clip(people.sleep_h[:, None] + rng.normal(0, 0.7, (B, D)) + 0.4 * weekend[None, :], 3.5, 11.0)
    alcohol = rng.random((B, D)) < alcohol_share
    start = (day[None, :] * 1440 + 60 * bed_h).astype(np.int64) - people.utc_offset_min[:, None]

    restless = np.zeros((B, D), bool)
    for kind, longer_h in ((Kind.POOR_RECOVERY, -0.8), (Kind.INFECTION, 0.9)):
        for row in np.flatnonzero(episodes.kind == kind):
            wearer = episodes.wearer[row]
            hit = (start[wearer] >= episodes.onset_min[row] - 300) & (start[wearer] < episodes.end_min[row] - 300)
            sleep_h[wearer, hit] += longer_h * episodes.severity[row]
            restless[wearer, hit] |= kind == Kind.POOR_RECOVERY
    long = (60 * sleep_h).astype(np.int64)
    # A late night may not run into the next one.
    long[:, :-1] = np.minimum(long[:, :-1], start[:, 1:] - start[:, :-1] - 60)
    keep = (start + long > first_min - 720) & (start < first_min + minutes) & (long >= 120)
    wearer = np.broadcast_to(np.arange(B)[:, None], (B, D))[keep]
    offset = np.concatenate([[0], np.cumsum(long[keep])])
    tired = restless[keep] | alcohol[keep]
    stage = _stages(rng, long[keep], restless[keep], tired)
    return Nights(wearer, start[keep], (start + long)[keep], alcohol[keep], restless[keep], offset, stage)


def _stages(
    rng: np.random.Generator, long: NDArray[np.int64], restless: NDArray[np.bool_], tired: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    n, total = len(long), int(long.sum())
    first = np.repeat(np.cumsum(long) - long, long)
    minute = np.arange(total) - first
    onset = np.repeat(rng.gamma(2.0, 6.0, n), long)
    cycle_min = np.repeat(rng.normal(CYCLE_MIN, 6, n), long)
    asleep = minute - onset
    cycle = np.clip(asleep // cycle_min, 0, len(DEEP_SHARE) - 1).astype(np.int64)
    phase = np.maximum(asleep, 0) / cycle_min - cycle
    deep = DEEP_SHARE[cycle] * np.repeat(rng.uniform(0.6, 1.25, n) * np.where(tired, 0.55, 1.0), long)
    stage = np.full(total, LIGHT, np.uint8)
    stage[(phase > 0.12) & (phase < 0.12 + deep)] = DEEP
    stage[phase > 1 - REM_SHARE[cycle] * np.repeat(rng.uniform(0.7, 1.25, n), long)] = REM
    wakes = rng.random(total, dtype=np.float32) < np.repeat(np.where(restless, 0.05, 0.016), long)
    wakes[1:] |= wakes[:-1] & (rng.random(total - 1, dtype=np.float32) < 0.7)
    stage[wakes | (asleep < 0) | (minute >= np.repeat(long, long) - 4)] = AWAKE
    return stage
