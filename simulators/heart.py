"""The heart's true rate, minute by minute: rest, rhythm of the day, sleep, movement, worry, and whatever strikes."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulators.chance import generator
from simulators.effects import Effects
from simulators.people import People
from simulators.physiology import Physiology
from simulators.stages import AWAKE, DEEP, LIGHT, REM, UNKNOWN

HOLD_SD_BPM = 0.8
QUARTER_MIN = 15
DOWN_SHARE = 0.7


def rate(
    people: People,
    effects: Effects,
    stage: NDArray[np.uint8],
    demand_bpm: NDArray[np.float32],
    stress_bpm: NDArray[np.float32],
    body: Physiology,
    seed: int,
    block: int,
    first_min: int,
) -> NDArray[np.float32]:
    """Return (B, T) beats per minute, the truth before any sensor."""
    rng = generator(seed, "heart", block, first_min)
    B, T = stage.shape
    minute = first_min + np.arange(T)
    local_h = ((minute[None, :] + people.utc_offset_min[:, None]) % 1440).astype(np.float32) / np.float32(60)
    if effects.shift_min is not None:
        local_h -= effects.shift_min / np.float32(60)
    phase = (local_h - people.acrophase_h[:, None].astype(np.float32)) * np.float32(2 * np.pi / 24)
    bpm = people.circadian_bpm[:, None].astype(np.float32) * (np.cos(phase) - np.float32(0.25))
    bpm += _daily(rng, people, body, T)

    by_stage = np.zeros(5, np.float32)
    by_stage[[UNKNOWN, LIGHT, DEEP, REM]] = body.awake_bpm, body.light_bpm, body.deep_bpm, body.rem_bpm
    bpm += _settled(by_stage[stage], 0.75)
    if effects.blunt is not None:
        demand_bpm = demand_bpm * (1 - effects.blunt)
    bpm += _response(demand_bpm, effects, people, body)
    bpm += _settled(stress_bpm, 0.6)
    if effects.add_bpm is not None:
        bpm += effects.add_bpm
    if effects.night_add_bpm is not None:
        asleep = (stage != UNKNOWN) & (stage != AWAKE)
        bpm += effects.night_add_bpm * asleep

    bpm += _wander(rng, B, T, body.slow_min) * np.float32(body.slow_bpm)
    restless = _restless(rng, B, T, body.restless_sd)
    fast, brief = _tailed(rng, B, T, 2), _tailed(rng, B, T, 3)
    keep = np.float32(np.exp(-1 / body.fast_min))
    gain = np.array([body.fast_bpm * np.sqrt(1 - keep**2)], np.float32)
    for noise, level, share in ((fast, 1.0, body.asleep_share[0]), (brief, body.brief_bpm, body.asleep_share[1])):
        noise *= restless
        noise *= np.where(stage == UNKNOWN, np.float32(level), np.float32(level * share))
    np.maximum(brief, np.float32(DOWN_SHARE) * brief, out=brief)  # a rate jumps up farther than down
    bpm += lfilter(gain, np.array([1, -keep], np.float32), fast, axis=1)
    bpm += brief
    top = people.top_bpm[:, None].astype(np.float32)
    over = bpm > top
    bpm[over] = np.broadcast_to(top, bpm.shape)[over]
    bpm[bpm < 36] = 36  # sinus node; slower only where a block imposes it

    if effects.hold_bpm is not None:
        held = ~np.isnan(effects.hold_bpm)
        noise = HOLD_SD_BPM * rng.standard_normal(int(held.sum()), dtype=np.float32)
        bpm[held] = effects.hold_bpm[held] + noise
    return np.asarray(bpm, dtype=np.float32)


def _daily(rng: np.random.Generator, people: People, body: Physiology, T: int) -> NDArray[np.float32]:
    """Resting rate of each day: the person's own and a half-remembered drift."""
    days = T // 1440 + 2
    drift = lfilter([np.sqrt(0.75)], [1, -0.5], rng.standard_normal((len(people), days)), axis=1) * body.day_drift_bpm
    level = people.rest_bpm[:, None] + drift
    # Straight lines between days: nobody's rate jumps at midnight.
    day = np.arange(T) / 1440
    low = day.astype(np.int64)
    part = (day - low).astype(np.float32)
    known = level.astype(np.float32)
    return np.asarray(known[:, low] * (1 - part) + known[:, low + 1] * part, dtype=np.float32)


def _response(
    demand_bpm: NDArray[np.float32], effects: Effects, people: People, body: Physiology
) -> NDArray[np.float32]:
    """First-order response to demand, with the time constant of the person's fitness (fit people are quicker)."""
    out = np.empty_like(demand_bpm)
    group = np.digitize(people.fitness, [0.36, 0.62])
    taus = body.response_min[::-1]
    for g, tau_min in enumerate(taus):
        chosen = group == g
        out[chosen] = _settled(demand_bpm[chosen], float(np.exp(-1 / tau_min)))
    lasting = _settled(demand_bpm, float(np.exp(-1 / body.lasting_min)))
    lasting *= np.float32(body.lasting_share)
    out += lasting
    if effects.slow_recovery is not None:
        # A second, slower answer takes over where it is the higher one: it delays the way down and not the way up.
        for row in np.flatnonzero((effects.slow_recovery != 1).any(1)):
            longest = float(effects.slow_recovery[row].max())
            if longest <= 1:
                continue
            late = _settled(demand_bpm[row : row + 1], float(np.exp(-1 / (taus[group[row]] * longest))))[0]
            share = np.clip((effects.slow_recovery[row] - 1) / (longest - 1), 0, 1)
            out[row] += share * np.maximum(late - out[row], 0)
    return out


def _settled(values: NDArray[np.float32], keep: float) -> NDArray[np.float32]:
    """First-order lag: `keep` of the last value stays from minute to minute; begins at the first value."""
    if values.shape[0] == 0:
        return values
    start = (np.float32(keep) * values[:, :1]).astype(np.float32)
    smooth, _ = lfilter(np.array([1 - keep], np.float32), np.array([1, -keep], np.float32), values, axis=1, zi=start)
    return np.asarray(smooth, dtype=np.float32)


def _tailed(rng: np.random.Generator, B: int, T: int, power: int) -> NDArray[np.float32]:
    """White noise of unit variance with heavy tails: powers of normal numbers (2: kurtosis 11.7; 3: 46)."""
    white = rng.standard_normal((B, T), dtype=np.float32)
    size = np.abs(white)
    for _ in range(power - 1):
        white *= size
    white *= np.float32(1 / np.sqrt(3 if power == 2 else 15))
    return white


def _restless(rng: np.random.Generator, B: int, T: int, log_sd: float) -> NDArray[np.float32]:
    """Return how much the rate moves, around 1: quiet and restless hours, and people (log-normal)."""
    quarters = T // QUARTER_MIN + 2
    slow = lfilter([np.sqrt(1 - 0.8**2)], [1, -0.8], rng.standard_normal((B, quarters)), axis=1)
    scale = np.exp(log_sd * (0.8 * slow + 0.6 * rng.standard_normal((B, 1))) - log_sd**2 / 2).astype(np.float32)
    return np.repeat(scale, QUARTER_MIN, axis=1)[:, :T]


def _wander(rng: np.random.Generator, B: int, T: int, tau_min: float) -> NDArray[np.float32]:
    """Stationary AR(1) of unit variance with time constant `tau_min`."""
    keep = np.float32(np.exp(-1 / tau_min))
    white = rng.standard_normal((B, T), dtype=np.float32)
    white[:, 0] /= np.sqrt(1 - keep**2)
    shaped = lfilter(np.array([np.sqrt(1 - keep**2)], np.float32), np.array([1, -keep], np.float32), white, axis=1)
    return np.asarray(shaped, dtype=np.float32)
