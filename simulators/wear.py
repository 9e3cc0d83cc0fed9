"""Wear: the times at which a watch is off the wrist, without contact or on the charger."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.devices import LOOSE_LOG_MIN
from simulators.people import People


@dataclass(frozen=True, slots=True)
class Gaps:
    """Times without the watch: row of the wearer, first and past-the-last epoch minute, whether on the charger."""

    wearer: NDArray[np.int64]
    begin_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
    charging: NDArray[np.bool_]


def daily_gaps(people: People, seed: int, block: int, first_min: int, minutes: int) -> Gaps:
    """Draw charging (as the profile says), nights without the watch, and short times off the wrist."""
    rng = generator(seed, "gaps", block, first_min)
    B, D = len(people), minutes // 1440 + 3
    day = first_min // 1440 - 1 + np.arange(D)
    midnight = day[None, :] * 1440 - people.utc_offset_min[:, None]
    row = np.broadcast_to(np.arange(B)[:, None], (B, D))

    charge_at = midnight + 60 * (people.charge_h[:, None] + rng.normal(0, 0.7, (B, D)))
    charge = rng.random((B, D)) < people.worn("charge_share")[:, None]
    shortest, longest = people.worn("charge_min", np.float64).T[:, :, None]
    charge_long = rng.uniform(0, 1, (B, D)) * (longest - shortest) + shortest
    night_at = midnight + 60 * (people.bedtime_h[:, None] + rng.normal(-0.3, 0.5, (B, D)))
    night = people.night_off[:, None] & (rng.random((B, D)) < 0.85)
    night_long = rng.uniform(450, 560, (B, D))
    off_at = midnight + rng.uniform(8 * 60, 22 * 60, (B, D))
    off = rng.random((B, D)) < 0.25
    off_long = rng.lognormal(3.0, 0.8, (B, D))
    # A loose strap: a few times a day no light comes back for some minutes; more on some wrists than on others.
    often = rng.gamma(2.0, 0.5, B) * people.worn("loose_per_day")
    times = rng.poisson(often * D)
    loose_at = np.repeat(midnight[:, 0], times) + rng.uniform(0, 1440 * D, int(times.sum()))
    loose_long = rng.lognormal(*LOOSE_LOG_MIN, int(times.sum()))

    chosen = np.concatenate([charge.ravel(), night.ravel(), off.ravel(), np.ones(len(loose_at), bool)])
    begin = np.concatenate([charge_at.ravel(), night_at.ravel(), off_at.ravel(), loose_at])[chosen].astype(np.int64)
    long = np.concatenate([charge_long.ravel(), night_long.ravel(), off_long.ravel(), loose_long])[chosen]
    long = np.ceil(long).astype(np.int64)
    wearer = np.concatenate([np.tile(row.ravel(), 3), np.repeat(np.arange(B), times)])[chosen]
    charging = np.concatenate([np.repeat([True, False, False], B * D), np.zeros(len(loose_at), bool)])[chosen]
    inside = (begin + long > first_min) & (begin < first_min + minutes) & (long > 0)
    return Gaps(wearer[inside].astype(np.int64), begin[inside], (begin + long)[inside], charging[inside])
