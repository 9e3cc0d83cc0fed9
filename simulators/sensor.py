"""What the devices make of the truth, minute by minute: wear, noise, artefacts, lost samples, RR irregularity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.effects import Effects
from simulators.episodes import Episodes
from simulators.faults import Fault, Faults
from simulators.kinds import Kind
from simulators.people import People
from simulators.wear import Gaps

LOCK_MIN = 5  # a sensor locks on steps for minutes on end
SLOWEST_WALK = 60  # steps a minute while stepping: fewer in a minute were taken in a part of it (Tudor-Locke 2018)
FAR_OFF_BPM = (15.0, 60.0)  # how far off an artefact of a whole minute is, to either side
ACTIVE_ERROR = 0.045  # relative error while moving (device MAPE 3.8-7.7 %, 30 % higher in activity)
FIBRILLATION_SAMPLE_SD = 5.0  # bpm between samples when beats lose their order
LOWEST_BPM, HIGHEST_BPM = 22.0, 235.0  # what an optical sensor reports at most
NO_RR, NO_STEPS = 255, 255
EXTREME = ((1, 2, 6, 12, 30, 60), (0.0, 0.56, 1.27, 1.63, 2.04, 2.3))  # mean of the largest of so many normal numbers
FEW = 2  # samples a minute whose median wanders as they do


@dataclass(frozen=True, slots=True)
class Seen:
    """(B, T): what the device of each wearer saw in each minute.

    `bpm` is the sensor's slow signal, of which samples are taken; `lost` the share of samples that are missing (1 = off
    the wrist); `steps` as counted, 255 = device off; `irregular` is 100 * RMSSD / mean of the RR intervals, 255 = none;
    `sd_bpm` is the scatter from sample to sample, `swing_bpm` and `swing_s` a wave on top; None = nobody has one.
    """

    bpm: NDArray[np.float32]
    lost: NDArray[np.float32]
    steps: NDArray[np.uint8]
    irregular: NDArray[np.uint8]
    sd_bpm: NDArray[np.float32]
    swing_bpm: NDArray[np.float32] | None = None
    swing_s: NDArray[np.float32] | None = None


WORN = ("bpm", "lost", "steps")


@dataclass(frozen=True, slots=True)
class Minutes:
    """(B, T): statistics of each minute's samples, as the monitor's journal holds them; 0 = no sample."""

    hr_median: NDArray[np.uint8]
    hr_min: NDArray[np.uint8]
    hr_max: NDArray[np.uint8]
    hr_count: NDArray[np.uint8]


def watch_off(
    episodes: Episodes, gaps: Gaps, faults: Faults, B: int, first_min: int, T: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (B, T) twice: off the wrist, and switched off or charging (nothing is counted)."""
    off, dead = np.zeros((B, T), bool), np.zeros((B, T), bool)
    flat = faults.kinds(Fault.BATTERY_FLAT)
    for wearer, begin, end in zip(flat.wearer.tolist(), flat.onset_min.tolist(), flat.end_min.tolist(), strict=True):
        columns = slice(max(begin - first_min, 0), max(end - first_min, 0))
        off[wearer, columns] = dead[wearer, columns] = True
    for wearer, begin, end, charging in zip(
        gaps.wearer.tolist(), gaps.begin_min.tolist(), gaps.end_min.tolist(), gaps.charging.tolist(), strict=True
    ):
        columns = slice(max(begin - first_min, 0), max(end - first_min, 0))
        off[wearer, columns] = True
        dead[wearer, columns] |= charging
    for row in np.flatnonzero(episodes.kind == Kind.WATCH_OFF):
        columns = slice(max(episodes.onset_min[row] - first_min, 0), max(episodes.end_min[row] - first_min, 0))
        off[episodes.wearer[row], columns] = True
    return off, dead


def see(
    people: People,
    effects: Effects,
    bpm: NDArray[np.float32],
    steps: NDArray[np.float32],
    off: NDArray[np.bool_],
    dead: NDArray[np.bool_],
    in_bed: NDArray[np.bool_],
    seed: int,
    block: int,
    first_min: int,
) -> Seen:
    """Let every device look at its wearer."""
    rng = generator(seed, "sensor", block, first_min)
    B, T = bpm.shape
    noise = people.worn("minute_noise_bpm")[:, None]
    seen = bpm + people.bias_bpm.astype(np.float32)[:, None]
    if effects.bias_bpm is not None:
        seen += effects.bias_bpm
    seen += noise * rng.standard_normal((B, T), dtype=np.float32)
    moving = steps > 0
    seen[moving] *= 1 + ACTIVE_ERROR * rng.standard_normal(int(moving.sum()), dtype=np.float32)
    stretch = rng.random((B, T // LOCK_MIN + 1), dtype=np.float32) < people.worn("lock_share")[:, None]
    locked = np.repeat(stretch, LOCK_MIN, axis=1)[:, :T] & (steps > people.worn("lock_above_steps")[:, None])
    seen[locked] = np.maximum(steps[locked], SLOWEST_WALK)
    _blind(seen, people.worn("artefact_minutes"), seed, block, first_min)
    np.clip(seen, LOWEST_BPM, HIGHEST_BPM, out=seen)

    lost = np.where(moving, np.float32(5), np.float32(1)) * people.worn("lost_share")[:, None]
    lost *= rng.standard_exponential((B, T), dtype=np.float32)
    lost[off] = 1.0
    np.minimum(lost, 1.0, out=lost)

    counted = np.minimum(np.round(steps * ~off), 254).astype(np.uint8)
    counted[dead] = NO_STEPS
    scatter = np.broadcast_to(people.worn("sample_noise_bpm")[:, None], (B, T)).copy()
    if effects.irregular_cv is not None:
        scatter[effects.irregular_cv > 0] = FIBRILLATION_SAMPLE_SD
    swing = None if effects.swing_bpm is None else _asleep_only(effects.swing_bpm, in_bed)
    return Seen(
        seen, lost, counted, _irregular(rng, people, effects, bpm, moving, off), scatter, swing, effects.swing_s
    )


def _blind(seen: NDArray[np.float32], share: NDArray[np.float32], seed: int, block: int, first_min: int) -> None:
    """Put this share of each one's minutes far off, up or down: changes `seen` in place."""
    if not share.any():
        return
    rng = generator(seed, "artefacts", block, first_min)
    row, column = np.nonzero(rng.random(seen.shape, dtype=np.float32) < share[:, None])
    seen[row, column] += rng.uniform(*FAR_OFF_BPM, len(row)) * rng.choice(np.array([-1.0, 1.0]), len(row))


def _asleep_only(swing_bpm: NDArray[np.float32], in_bed: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(swing_bpm * in_bed, dtype=np.float32)


def break_down(seen: Seen, faults: Faults, first_min: int) -> None:
    """Let values stand still, and let others wear the watch: changes `seen` in place.

    Of another wearer come the rate, its losses and the steps; the device and its clock stay.
    """
    before = {name: getattr(seen, name).copy() for name in WORN} if len(faults.kinds(Fault.WRONG_WEARER)) else {}
    for row in np.flatnonzero(np.isin(faults.kind, (Fault.FROZEN_VALUE, Fault.WRONG_WEARER))).tolist():
        wearer, T = int(faults.wearer[row]), seen.bpm.shape[1]
        columns = slice(max(int(faults.onset_min[row]) - first_min, 0), min(int(faults.end_min[row]) - first_min, T))
        if columns.start >= columns.stop:
            continue
        if faults.kind[row] == Fault.FROZEN_VALUE:
            seen.bpm[wearer, columns] = seen.bpm[wearer, columns.start]
            seen.sd_bpm[wearer, columns] = 0
            if seen.swing_bpm is not None:
                seen.swing_bpm[wearer, columns] = 0
        else:
            for name, values in before.items():
                getattr(seen, name)[wearer, columns] = values[int(faults.size[row]), columns]


def _irregular(
    rng: np.random.Generator,
    people: People,
    effects: Effects,
    bpm: NDArray[np.float32],
    moving: NDArray[np.bool_],
    off: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    out = np.full(bpm.shape, NO_RR, np.uint8)
    rows = np.flatnonzero(people.worn("has_rr", np.bool_))
    if not len(rows):
        return out
    rate = bpm[rows]
    # Variability shrinks as the rate rises above rest; RMSSD of independent beats is sqrt(2) of their spread.
    ratio = people.irregularity[rows].astype(np.float32)[:, None] * np.clip(1.4 - (rate - 55) / 90, 0.25, 1.6)
    if effects.variability is not None:
        ratio *= effects.variability[rows]
    if effects.irregular_cv is not None:
        cv = effects.irregular_cv[rows]
        ratio = np.where(cv > 0, np.float32(np.sqrt(2)) * cv, ratio)
    ectopic = rng.random(rate.shape, dtype=np.float32) < 0.004  # extra beats of healthy hearts
    ratio += ectopic * np.float32(0.09)
    ratio *= 1 + rng.standard_normal(rate.shape, dtype=np.float32) * np.sqrt(np.float32(0.5) / rate)
    here = ~off[rows] & (rng.random(rate.shape, dtype=np.float32) < np.where(moving[rows], 0.2, 0.93))
    out[rows] = np.where(here, np.clip(np.round(100 * ratio), 0, 254), NO_RR).astype(np.uint8)
    return out


def minutes(people: People, seen: Seen, seed: int, block: int, first_min: int) -> Minutes:
    """Summarise each minute as if its samples had been taken, without taking them.

    Samples lie on the straight lines between the minutes' middles, plus scatter; medians and extremes follow.
    """
    rng = generator(seed, "minutes", block, first_min)
    B, T = seen.bpm.shape
    cadence = people.worn("cadence_s", np.int64)
    middle = np.empty_like(seen.bpm)
    middle[:, 1:-1] = 0.75 * seen.bpm[:, 1:-1] + 0.125 * (seen.bpm[:, :-2] + seen.bpm[:, 2:])
    middle[:, 0], middle[:, -1] = seen.bpm[:, 0], seen.bpm[:, -1]
    slope = np.zeros_like(seen.bpm)
    slope[:, 1:-1] = np.abs(seen.bpm[:, 2:] - seen.bpm[:, :-2]) / 4

    dense = (cadence < 60)[:, None]
    full = (60 // np.minimum(cadence, 60))[:, None]
    extreme = np.interp(full, *EXTREME).astype(np.float32)
    count = np.round(full * (1 - seen.lost)).astype(np.uint8)
    slow = np.flatnonzero(cadence > 60)
    if len(slow):
        every = cadence[slow] // 60
        count[slow] *= (first_min + np.arange(T))[None, :] % every[:, None] == 0
    sparse = rng.standard_normal((B, T), dtype=np.float32) * seen.sd_bpm
    sparse *= np.where(full <= FEW, np.sqrt(1 / full), 0).astype(np.float32)
    centre = np.where(dense, middle, seen.bpm) + sparse
    reach = rng.standard_normal((B, T), dtype=np.float32)
    reach *= np.float32(0.3)
    reach += extreme
    reach *= seen.sd_bpm
    reach += slope
    if seen.swing_bpm is not None:
        reach += seen.swing_bpm
    reach *= dense
    np.maximum(reach, 0, out=reach)

    def as_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
        whole = np.clip(np.round(values), 20, 250).astype(np.uint8)
        whole[count == 0] = 0
        return whole

    return Minutes(as_bytes(centre), as_bytes(centre - reach), as_bytes(centre + reach), count)
