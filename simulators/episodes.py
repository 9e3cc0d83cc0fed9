"""The truth: which episode takes hold of whom, when, and how badly. Everything the sensors see follows from it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.devices import HAS_RR
from simulators.kinds import ACUTE, Kind
from simulators.people import People
from simulators.scenario import Rate, Scenario

TRIES = 24  # candidates looked at for each episode
REST_AFTER_MIN = 120  # between two acute episodes of one wearer

# Infections: form, share, peak change of the nightly rate in bpm (mean peaks in cohorts are only +1.8 to 3.4 %).
SILENT, MILD, CLEAR = 0, 1, 2
FORM_SHARES = (0.25, 0.45, 0.30)
FORM_BPM = ((0.0, 1.0), (2.0, 5.0), (6.0, 15.0))


@dataclass(frozen=True, slots=True)
class Episodes:
    """E episodes in order of onset. Minutes are epoch minutes, end exclusive.

    `level` is what the episode aims at, in its kind's unit: bpm held (tachycardia, bradycardia), mmHg systolic
    (crisis, hypotension), bpm added (infection, heat, fibrillation, poor recovery). `ramp_min` is how long it builds up
    before its onset; `shift` is a second draw in 0..1 (diastolic, irregularity).
    """

    kind: NDArray[np.int64]
    wearer: NDArray[np.int64]
    onset_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
    severity: NDArray[np.float64]
    silent: NDArray[np.bool_]
    level: NDArray[np.float64]
    ramp_min: NDArray[np.int64]
    shift: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.kind)

    def rows(self, chosen: NDArray[Any]) -> "Episodes":
        """Return the chosen episodes."""
        return Episodes(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def of(self, begin: int, end: int) -> "Episodes":
        """Return the episodes of wearers begin..end, with wearers counted from `begin`."""
        mine = self.rows((self.wearer >= begin) & (self.wearer < end))
        return Episodes(**{f.name: getattr(mine, f.name) - (begin if f.name == "wearer" else 0) for f in fields(self)})


def episodes(scenario: Scenario, people: People, seed: int, start_min: int, minutes: int) -> Episodes:
    """Draw all episodes of a run; an acute one never overlaps another acute one of the same wearer."""
    taken: list[list[tuple[int, int]]] = [[] for _ in range(len(people))]
    rows: list[tuple[float, ...]] = []
    for kind in Kind:
        rate = scenario.rate(kind)
        if rate is None or rate.per_day == 0:
            continue
        rng = generator(seed, f"episodes {kind.name}", start_min)
        if kind == Kind.GATEWAY_SILENT:
            rows.extend(_gateways(rng, rate, people, start_min, minutes))
            continue
        before = 3 * 1440 if kind == Kind.INFECTION else 0  # illness may have begun before the run
        onsets = _onsets(rng, rate, len(people), start_min - before, minutes + before)
        for onset in onsets:
            long = max(int(rng.uniform(*rate.duration_min)), 2)
            ramp = int(rng.uniform(*rate.ramp_min))
            draws = _draws(rng, kind)
            wearer = _victim(rng, kind, people, int(onset), int(onset) + long, taken)
            if wearer is None or onset + long <= start_min:
                continue
            if kind in ACUTE:
                taken[wearer].append((int(onset) - REST_AFTER_MIN, int(onset) + long + REST_AFTER_MIN))
            rows.append((kind, wearer, onset, onset + long, *draws[:3], ramp, draws[3]))
    return _table(rows)


def _onsets(rng: np.random.Generator, rate: Rate, population: int, start_min: int, minutes: int) -> NDArray[np.int64]:
    first, last = start_min + rate.first_min, start_min + minutes - rate.settle_min
    if last <= first:
        return np.zeros(0, np.int64)
    mean = rate.per_day * population * (last - first) / 1440
    if rate.regular:
        count = max(round(mean), 1)
        at = first + (np.arange(count) + rng.uniform(0.05, 0.6, count)) * (last - first) / count
    else:
        at = np.sort(rng.uniform(first, last, rng.poisson(mean)))
    return at.astype(np.int64)


def _victim(
    rng: np.random.Generator, kind: Kind, people: People, onset: int, end: int, taken: list[list[tuple[int, int]]]
) -> int | None:
    """Return a wearer whom this can happen to now, or None where none of the candidates will do."""
    tries = rng.integers(0, len(people), TRIES)
    hour = (onset + people.utc_offset_min[tries]) % 1440 / 60
    bed = people.bedtime_h[tries] % 24
    awake = (bed - hour) % 24 < 14.5
    likely = {
        Kind.BRADYCARDIA: awake,
        Kind.HYPERTENSIVE_CRISIS: people.cuff[tries] & awake,
        Kind.HYPOTENSION: people.cuff[tries] & awake,
        Kind.HEAT_STRAIN: (hour >= 10) & (hour < 19) & awake,
        Kind.ATRIAL_FIBRILLATION: people.fibrillation[tries]
        | (HAS_RR[people.device[tries]] & (rng.random(TRIES) < 0.5)),
    }.get(kind)
    for place in np.flatnonzero(likely) if likely is not None else range(TRIES):
        wearer = int(tries[place])
        if kind not in ACUTE or all(end <= begin or onset >= until for begin, until in taken[wearer]):
            return wearer
    return None


def _draws(rng: np.random.Generator, kind: Kind) -> tuple[float, float, float, float]:
    """Return severity 0..1, silent, level, shift of one episode."""
    u, shift = float(rng.random()), float(rng.random())
    if kind == Kind.INFECTION:
        form = int(rng.choice(3, p=FORM_SHARES))
        low, high = FORM_BPM[form]
        return (0.1, 0.4, 0.8)[form] + 0.2 * u, float(form == SILENT), low + (high - low) * u, shift
    level = {
        Kind.TACHYCARDIA_AT_REST: 126 + 19 * u,
        Kind.BRADYCARDIA: 36.5 - 6.5 * u,
        Kind.HYPERTENSIVE_CRISIS: 194 + 28 * u,
        Kind.HYPOTENSION: 84 - 12 * u,
        Kind.HEAT_STRAIN: 24 + 16 * u,
        Kind.ATRIAL_FIBRILLATION: 4 + 36 * u,
        Kind.POOR_RECOVERY: 4 + 6 * u,
    }.get(kind, 0.0)
    return round(0.3 + 0.7 * u, 3), 0.0, level, shift


def _gateways(
    rng: np.random.Generator, rate: Rate, people: People, start_min: int, minutes: int
) -> list[tuple[float, ...]]:
    """Outages take all wearers of a gateway at once."""
    rows: list[tuple[float, ...]] = []
    gateways = np.unique(people.gateway)
    for onset in _onsets(rng, rate, len(gateways), start_min, minutes):
        gateway = rng.choice(gateways)
        end = int(onset) + max(int(rng.uniform(*rate.duration_min)), 2)
        rows.extend(
            (float(Kind.GATEWAY_SILENT), float(wearer), float(onset), float(end), 0.5, 0.0, 0.0, 0.0, 0.0)
            for wearer in np.flatnonzero(people.gateway == gateway)
        )
    return rows


def _table(rows: list[tuple[float, ...]]) -> Episodes:
    rows.sort(key=lambda row: (row[2], row[0], row[1]))
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
    return Episodes(
        kind=columns[0].astype(np.int64),
        wearer=columns[1].astype(np.int64),
        onset_min=columns[2].astype(np.int64),
        end_min=columns[3].astype(np.int64),
        severity=columns[4],
        silent=columns[5].astype(bool),
        level=columns[6],
        ramp_min=columns[7].astype(np.int64),
        shift=columns[8],
    )
