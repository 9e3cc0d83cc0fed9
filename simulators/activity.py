"""Movement: bouts of walking and exercise and the pottering between them, as steps and as demand on the heart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from simulators.chance import generator
from simulators.effects import Effects
from simulators.people import People
from simulators.physiology import Physiology
from simulators.scenario import Habits

RESTLESS_MIN = 2.5  # pottering comes in runs of about this long
QUARTER_MIN = 15
UNSEEN_MIN, UNSEEN_SHARE = 3, 0.12  # of the steps of some minutes none is counted
STRETCH_MIN, STRETCH_SHARE = 40, 0.35  # and those in stretches, which explain this share of the variance


@dataclass(frozen=True, slots=True)
class Movement:
    """(B, T): steps a minute as done (not as seen), demand on the heart in bpm, exercise 0 no, 1 yes, 2 recognised."""

    steps: NDArray[np.float32]
    demand_bpm: NDArray[np.float32]
    exercise: NDArray[np.uint8]


def movement(
    people: People,
    effects: Effects,
    in_bed: NDArray[np.bool_],
    body: Physiology,
    habits: Habits,
    seed: int,
    block: int,
    first_min: int,
) -> Movement:
    """Draw the movement of a block over its minutes."""
    rng = generator(seed, "movement", block, first_min)
    B, T = in_bed.shape
    fit = people.fitness.astype(np.float32)[:, None]

    # Pottering: the share of waking minutes differs between people.
    # It comes in short runs, and those in stretches of an hour or so.
    quick = np.float32(np.exp(-1 / RESTLESS_MIN))
    share = np.float32(np.sqrt(1 - STRETCH_SHARE))
    wander = lfilter(
        [share * np.sqrt(1 - quick**2)], [1, -quick], rng.standard_normal((B, T), dtype=np.float32), axis=1
    )
    stretch = rng.standard_normal((B, T // STRETCH_MIN + 2), dtype=np.float32)
    wander += np.repeat(np.float32(np.sqrt(STRETCH_SHARE)) * stretch, STRETCH_MIN, axis=1)[:, :T]
    # The farther above the threshold, the more steps.
    wander -= _normal_quantile(1 - people.light_share).astype(np.float32)[:, None]
    steps = rng.standard_exponential((B, T), dtype=np.float32)
    steps *= np.float32(12)
    steps += np.float32(3)
    steps *= np.float32(0.55) + wander
    steps *= wander > 0
    np.minimum(steps, 90, out=steps)

    walk = _bouts(rng, B, T, people.walks_per_day * 24 / 16.5)
    long = rng.lognormal(1.9, 0.75, len(walk[0]))
    cadence = rng.normal(101, 12, len(walk[0]))
    cells, bout = _cells(walk[0], walk[1], long, T)
    steps.ravel()[cells] = np.maximum(cadence[bout] + 5 * rng.standard_normal(len(cells)), 30)

    demand = steps * np.float32(body.bpm_per_square)
    demand += np.float32(body.bpm_per_step_rate)
    demand *= steps
    demand += np.float32(body.moving_bpm) * (steps > 0)
    demand *= np.float32(1.35) - np.float32(0.7) * fit
    gain = np.exp(body.gain_sd * rng.standard_normal((B, T // QUARTER_MIN + 2))).astype(np.float32)
    demand *= np.repeat(gain, QUARTER_MIN, axis=1)[:, :T]
    # Hands at work, a trolley, stairs: now and then the arm is still, and the heart is not.
    unseen = np.repeat(rng.random((B, T // UNSEEN_MIN + 2), dtype=np.float32) < UNSEEN_SHARE, UNSEEN_MIN, axis=1)[:, :T]
    steps *= ~unseen
    exercise = np.zeros((B, T), np.uint8)
    session = _bouts(rng, B, T, people.exercise_per_day * 24 / 5)
    hour = (first_min + session[1] + people.utc_offset_min[session[0]]) % 1440 / 60
    at_hour = (np.abs(hour - 7.5) < 1) | (np.abs(hour - 18.5) < 1.5)
    session = (session[0][at_hour], session[1][at_hour])
    n = len(session[0])
    stepless = rng.random(n) < habits.no_step_exercise_share
    seen = rng.random(n) < habits.recognised_share
    effort = rng.uniform(0.45, 0.78, n) * (people.top_bpm - people.rest_bpm)[session[0]]
    cells, bout = _cells(session[0], session[1], rng.uniform(18, 60, n), T)
    steps.ravel()[cells] = np.where(stepless[bout], 0, 150 + 8 * rng.standard_normal(len(cells)))
    demand.ravel()[cells] = effort[bout]
    exercise.ravel()[cells] = 1 + seen[bout]

    allowed = ~in_bed
    if effects.still is not None:
        allowed &= ~effects.still
    if effects.moves is not None:
        allowed &= effects.moves >= rng.random((B, T), dtype=np.float32)
    return Movement(np.minimum(steps, 210) * allowed, demand * allowed, exercise * allowed)


def stress(in_bed: NDArray[np.bool_], habits: Habits, seed: int, block: int, first_min: int) -> NDArray[np.float32]:
    """Return (B, T) bpm that arguments, deadlines and frights add without a step being taken; at most 30."""
    rng = generator(seed, "stress", block, first_min)
    B, T = in_bed.shape
    wearer, start = _bouts(rng, B, T, np.full(B, habits.stress_per_day * 24 / 16.5))
    cells, bout = _cells(wearer, start, rng.uniform(6, 40, len(wearer)), T)
    added = np.zeros((B, T), np.float32)
    added.ravel()[cells] = rng.gamma(3.0, 4.0, len(wearer)).clip(2, 30)[bout]
    added[in_bed] *= 0.3
    return added


def _bouts(
    rng: np.random.Generator, B: int, T: int, per_day: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw bouts at *per_day* for each wearer, uniform over the grid: rows and first columns."""
    count = rng.poisson(per_day * T / 1440)
    return np.repeat(np.arange(B), count), rng.integers(0, T, int(count.sum()))


def _cells(
    wearer: NDArray[np.int64], start: NDArray[np.int64], long: NDArray[np.float64], T: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flat index of every minute of every bout, and the bout it belongs to."""
    length = np.minimum(np.maximum(long, 1).astype(np.int64), T - start)
    bout = np.repeat(np.arange(len(start)), length)
    minute = np.arange(len(bout)) - np.repeat(np.cumsum(length) - length, length)
    return wearer[bout] * T + start[bout] + minute, bout


def _normal_quantile(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(ndtri(p), dtype=np.float64)
