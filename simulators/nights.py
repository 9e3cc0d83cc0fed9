"""Nights: when people lie down, and the sleep stages of every minute until they get up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.courses import Floats
from simulators.effects import Effects
from simulators.people import People
from simulators.stages import AWAKE, DEEP, LIGHT, REM

CYCLE_MIN = 92
LATER_SHARE = 0.5  # of the body clock's delay that bedtimes follow
TIRING = 0.75  # awakenings an hour that take half of the deep sleep away
DEEP_SHARE = np.array([0.52, 0.40, 0.22, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0])  # of each cycle of the night
REM_SHARE = np.array([0.08, 0.19, 0.27, 0.33, 0.36, 0.36, 0.36, 0.36, 0.36])


@dataclass(frozen=True, slots=True)
class Nights:
    """n nights of a block; minutes are epoch minutes, `stage` is flat with `offset` (n + 1,) pointing into it."""

    wearer: NDArray[np.int64]
    start_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
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


def nights(people: People, effects: Effects, seed: int, block: int, first_min: int, minutes: int) -> Nights:
    """Draw every night that touches the run, and the one before it; what strikes people shortens or breaks them."""
    rng = generator(seed, "nights", block, first_min)
    B, D = len(people), minutes // 1440 + 4
    day = first_min // 1440 - 2 + np.arange(D)
    weekend = np.isin((day + 4) % 7, (5, 6))  # epoch day 0 was a Thursday; Friday and Saturday nights run late
    bed_h = people.bedtime_h[:, None] + rng.normal(0, 0.6, (B, D)) + 0.7 * weekend[None, :]
    sleep_h = people.sleep_h[:, None] + rng.normal(0, 0.7, (B, D)) + 0.4 * weekend[None, :]
    start = (day[None, :] * 1440 + 60 * bed_h).astype(np.int64) - people.utc_offset_min[:, None]

    at = np.clip(start - first_min, 0, minutes - 1)

    def of_night(grid: Floats | None) -> NDArray[np.float64]:
        return np.zeros((B, D)) if grid is None else np.take_along_axis(grid, at, axis=1).astype(np.float64)

    # Whose body clock runs late lies down later, though by half of it only: the day's duties keep to the wall's clock.
    start += np.clip(LATER_SHARE * of_night(effects.shift_min), -240, 240).astype(np.int64)
    awakenings = of_night(effects.awakenings)
    long = (60 * np.clip(sleep_h + of_night(effects.sleep_min) / 60, 3.0, 12.0)).astype(np.int64)
    # A late night may not run into the next one.
    long[:, :-1] = np.minimum(long[:, :-1], start[:, 1:] - start[:, :-1] - 60)
    keep = (start + long > first_min - 720) & (start < first_min + minutes) & (long >= 120)
    wearer = np.broadcast_to(np.arange(B)[:, None], (B, D))[keep]
    offset = np.concatenate([[0], np.cumsum(long[keep])])
    stage = _stages(rng, long[keep], awakenings[keep])
    return Nights(wearer, start[keep], (start + long)[keep], offset, stage)


def _stages(rng: np.random.Generator, long: NDArray[np.int64], awakenings: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Stages of every minute of nights; *awakenings* an hour come on top of the usual ones."""
    n, total = len(long), int(long.sum())
    first = np.repeat(np.cumsum(long) - long, long)
    minute = np.arange(total) - first
    onset = np.repeat(rng.gamma(2.0, 6.0, n), long)
    cycle_min = np.repeat(rng.normal(CYCLE_MIN, 6, n), long)
    asleep = minute - onset
    cycle = np.clip(asleep // cycle_min, 0, len(DEEP_SHARE) - 1).astype(np.int64)
    phase = np.maximum(asleep, 0) / cycle_min - cycle
    deep = DEEP_SHARE[cycle] * np.repeat(rng.uniform(0.6, 1.25, n) * np.where(awakenings >= TIRING, 0.55, 1.0), long)
    stage = np.full(total, LIGHT, np.uint8)
    stage[(phase > 0.12) & (phase < 0.12 + deep)] = DEEP
    stage[phase > 1 - REM_SHARE[cycle] * np.repeat(rng.uniform(0.7, 1.25, n), long)] = REM
    wakes = rng.random(total, dtype=np.float32) < np.repeat(0.016 + awakenings / 60, long)
    wakes[1:] |= wakes[:-1] & (rng.random(total - 1, dtype=np.float32) < 0.7)
    stage[wakes | (asleep < 0) | (minute >= np.repeat(long, long) - 4)] = AWAKE
    return stage
