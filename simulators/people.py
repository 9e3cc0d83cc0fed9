"""Who the wearers are: everything about a person that does not change during a run, as a struct of arrays."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from simulators.chance import generator
from simulators.outfits import Outfit, outfit
from simulators.physiology import Physiology
from simulators.places import utc_offset_min
from simulators.scenario import Scenario

BLOCK = 64  # people are drawn in blocks of this many, so that a larger N adds wearers and changes none

UNKNOWN_SEX, FEMALE, MALE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class People:
    """N people and the outfit that they choose from; every other field has N rows."""

    outfit: Outfit
    index: NDArray[np.int64]
    place: NDArray[np.int64]  # index into the outfit's places
    utc_offset_min: NDArray[np.int64]
    gateway: NDArray[np.int64]
    device: NDArray[np.int64]  # index into the outfit's devices
    age_years: NDArray[np.float64]
    sex: NDArray[np.int64]
    height_cm: NDArray[np.float64]
    weight_kg: NDArray[np.float64]
    rest_bpm: NDArray[np.float64]
    top_bpm: NDArray[np.float64]
    fitness: NDArray[np.float64]  # 0..1
    circadian_bpm: NDArray[np.float64]
    acrophase_h: NDArray[np.float64]
    bedtime_h: NDArray[np.float64]  # local, may exceed 24
    sleep_h: NDArray[np.float64]
    night_off: NDArray[np.bool_]
    charge_h: NDArray[np.float64]
    walks_per_day: NDArray[np.float64]
    light_share: NDArray[np.float64]
    exercise_per_day: NDArray[np.float64]
    systolic_mmhg: NDArray[np.float64]
    diastolic_mmhg: NDArray[np.float64]
    night_systolic: NDArray[np.float64]
    night_diastolic: NDArray[np.float64]
    hypertensive: NDArray[np.bool_]
    beta_blocker: NDArray[np.bool_]
    fibrillation: NDArray[np.bool_]
    diabetes: NDArray[np.bool_]
    pregnant: NDArray[np.bool_]
    cuff: NDArray[np.bool_]
    cuffless: NDArray[np.bool_]
    irregularity: NDArray[np.float64]  # RMSSD / mean RR at rest
    bias_bpm: NDArray[np.float64]  # of the sensor

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self.index)

    def rows(self, begin: int, end: int) -> "People":
        """Return the people of these rows."""
        return People(self.outfit, **{name: getattr(self, name)[begin:end] for name in _columns()})

    def worn(self, name: str, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return one field of the profile of each one's device, (N,)."""
        return self.outfit.column(name, dtype)[self.device]

    def zone(self, row: int) -> str:
        """Return the time zone of one of them."""
        return list(self.outfit.places)[int(self.place[row])]

    def wire_name(self, row: int) -> str:
        """Return the end of one's device_id."""
        return self.outfit.devices[int(self.device[row])].wire_name


def _columns() -> list[str]:
    return [field.name for field in fields(People) if field.name != "outfit"]


def wearer_id(seed: int, index: int) -> str:
    """Return the id of the wearer with this number in a run with this seed; other seeds never share it."""
    return f"sim{seed}-{index:05d}"


def people(scenario: Scenario, body: Physiology, seed: int, wearers: int, start_min: int) -> People:
    """Draw the first *wearers* people of *scenario*."""
    worn = outfit(scenario)
    blocks = [_block(scenario, worn, body, seed, block, start_min) for block in range((wearers + BLOCK - 1) // BLOCK)]
    joined: dict[str, Any] = {name: np.concatenate([getattr(b, name) for b in blocks]) for name in _columns()}
    return People(worn, **joined).rows(0, wearers)


def _block(scenario: Scenario, worn: Outfit, body: Physiology, seed: int, block: int, start_min: int) -> People:
    rng = generator(seed, "people", block)
    crowd, n = scenario.people, BLOCK
    index = block * n + np.arange(n)
    zones = list(worn.places)
    place = rng.choice(len(zones), n, p=worn.place_shares)
    device = rng.choice(len(worn.devices), n, p=worn.device_shares)

    age = _truncated(rng, n, crowd.age_mean_years, crowd.age_sd_years, 18, 99)
    sex = np.where(rng.random(n) < 0.02, UNKNOWN_SEX, np.where(rng.random(n) < 0.51, FEMALE, MALE))
    height = _truncated(rng, n, 170, 7, 145, 205) + np.where(sex == FEMALE, -6.5, np.where(sex == MALE, 6.5, 0.0))
    weight_kg = _truncated(rng, n, 25.5, 4.2, 17, 48) * (height / 100) ** 2
    hypertensive = rng.random(n) < np.clip(crowd.hypertension_share * (0.4 + 0.6 * age / 48), 0, 1)
    fibrillation = rng.random(n) < np.clip(crowd.fibrillation_share * (age / 55) ** 2, 0, 1)
    beta_blocker = (hypertensive & (rng.random(n) < 0.3)) | (fibrillation & (rng.random(n) < 0.6))
    pregnant = (sex == FEMALE) & (age < 45) & (rng.random(n) < crowd.pregnant_share)

    fitness = rng.beta(2.2, 2.2, n)
    # What age, sex and fitness explain is kept below 10 % of the variance (Quer 2020); drugs act on top of it.
    explained = 1.6 * np.where(sex == FEMALE, 1.0, -1.0) - 5.0 * (fitness - 0.5)
    untreated = body.rest_mean_bpm + explained + 0.95 * body.rest_sd_bpm * rng.standard_normal(n)
    rest = untreated + np.where(beta_blocker, body.beta_blocker_bpm, 0.0) + 11.0 * 0.11  # the mean stays where it was
    rest = _redrawn(rest, rng, body)

    def spread(mean: tuple[float, float], ill: tuple[float, float]) -> NDArray[np.float64]:
        z = rng.standard_normal(n)
        return np.where(hypertensive, ill[0] + ill[1] * z, mean[0] + mean[1] * z)

    systolic = spread(body.systolic_mmhg, body.hypertensive_systolic_mmhg)
    diastolic = spread(body.diastolic_mmhg, body.hypertensive_diastolic_mmhg)
    diastolic = np.minimum(diastolic, systolic - 25)
    dips = rng.random(n) >= np.where(hypertensive, body.non_dipper_share, 0.06)
    shift = rng.random(n) < crowd.shift_worker_share
    return People(
        outfit=worn,
        index=index,
        place=place,
        utc_offset_min=np.array([utc_offset_min(zones[p], start_min) for p in place]),
        gateway=index // crowd.wearers_per_gateway,
        device=device,
        age_years=np.floor(age),
        sex=sex,
        height_cm=np.round(height, 1),
        weight_kg=np.round(weight_kg, 1),
        rest_bpm=rest,
        top_bpm=208 - 0.7 * age - np.where(beta_blocker, 15.0, 0.0),
        fitness=fitness,
        circadian_bpm=rng.uniform(*body.circadian_bpm, n),
        acrophase_h=rng.normal(*body.acrophase_h, n) + np.where(shift, 9.0, 0.0),
        bedtime_h=np.where(shift, 8.0, 23.2) + rng.normal(0, 0.9, n),
        sleep_h=np.clip(rng.normal(7.1, 0.8, n), 5.0, 9.5),
        night_off=rng.random(n) < crowd.night_off_share,
        charge_h=rng.choice(np.array([7.2, 12.5, 18.5, 21.3]), n) + rng.normal(0, 0.5, n),
        walks_per_day=rng.gamma(3.0, 1.9, n) * (0.6 + 0.8 * fitness),
        light_share=rng.uniform(0.2, 0.47, n),
        exercise_per_day=rng.gamma(1.3, 0.25, n) * (0.3 + 1.4 * fitness) * scenario.habits.exercise,
        systolic_mmhg=systolic,
        diastolic_mmhg=diastolic,
        night_systolic=np.where(dips, body.night_systolic, 0.98) + rng.normal(0, 0.02, n),
        night_diastolic=np.where(dips, body.night_diastolic, 0.98) + rng.normal(0, 0.02, n),
        hypertensive=hypertensive,
        beta_blocker=beta_blocker,
        fibrillation=fibrillation,
        diabetes=rng.random(n) < 0.09,
        pregnant=pregnant,
        cuff=rng.random(n) < np.where(hypertensive | pregnant, 0.95, crowd.cuff_share),
        cuffless=rng.random(n) < crowd.cuffless_share,
        irregularity=body.sinus_irregularity[0] * np.exp(body.sinus_irregularity[1] * rng.standard_normal(n)),
        bias_bpm=worn.column("bias_bpm")[device] + rng.standard_normal(n) * worn.column("bias_sd_bpm")[device],
    )


def _truncated(
    rng: np.random.Generator, n: int, mean: float, sd: float, low: float, high: float
) -> NDArray[np.float64]:
    """Normal between two bounds, by drawing again; the last resort is uniform between them."""
    values = mean + sd * rng.standard_normal(n)
    for _ in range(8):
        outside = (values < low) | (values > high)
        values = np.where(outside, mean + sd * rng.standard_normal(n), values)
    outside = (values < low) | (values > high)
    return np.where(outside, rng.uniform(low, high, n), values)


def _redrawn(rest: NDArray[np.float64], rng: np.random.Generator, body: Physiology) -> NDArray[np.float64]:
    again = _truncated(rng, len(rest), body.rest_mean_bpm, body.rest_sd_bpm, body.rest_low_bpm, body.rest_high_bpm)
    return np.where((rest < body.rest_low_bpm) | (rest > body.rest_high_bpm), again, rest)
