"""A whole simulated world, block by block of wearers: from who they are to what their devices saw."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import activity, faults, heart, parameters, places, pressure, sensor, striking, wear
from simulators import episodes as truth
from simulators import nights as night
from simulators.courses import Form, ParameterSet
from simulators.effects import Effects, effects
from simulators.errors import OptionRefused
from simulators.kinds import ACUTE, Kind
from simulators.people import BLOCK, People, people, wearer_id
from simulators.physiology import BODY, Physiology
from simulators.scenario import Scenario
from simulators.stages import UNKNOWN

LEAD_MIN = 180  # minutes simulated before the run, so that nothing begins in the middle of nowhere
TAIL_MIN = 10  # and after it, for windows that reach over its end
LARGEST_WEARER_MINUTES = 200_000_000
LONGEST_DAYS = 120
SHORTEST_OFF_MIN = 10  # shorter times off the wrist are no episode


@dataclass(frozen=True, slots=True)
class Block:
    """Up to 64 wearers over all minutes of the grid (the run with its lead and tail); arrays are (B, T)."""

    first_row: int
    people: People
    episodes: truth.Episodes
    effects: Effects
    nights: night.Nights
    stage: NDArray[np.uint8]
    movement: activity.Movement
    bpm: NDArray[np.float32]
    seen: sensor.Seen
    readings: pressure.Readings
    off: truth.Episodes  # of kind WATCH_OFF, from the daily gaps


@dataclass(frozen=True, slots=True)
class World:
    """Everything about a run that is known before its first minute."""

    scenario: Scenario
    parameters: ParameterSet
    seed: int
    start_min: int
    minutes: int
    people: People
    episodes: truth.Episodes
    faults: faults.Faults
    weather: list[places.Weather]  # by place, from one day before the run to a day after it
    body: Physiology

    @property
    def first_min(self) -> int:
        """First minute of the grid."""
        return self.start_min - LEAD_MIN

    @property
    def grid_minutes(self) -> int:
        """Minutes of the grid."""
        return LEAD_MIN + self.minutes + TAIL_MIN

    def wearer_id(self, row: int) -> str:
        """Return the id of the wearer in this row."""
        return wearer_id(self.seed, int(self.people.index[row]))

    def blocks(self) -> Iterator[Block]:
        """Simulate the wearers, block by block; the same world gives the same blocks."""
        for first in range(0, len(self.people), BLOCK):
            yield self.block(first)

    def block(self, first: int) -> Block:
        """Simulate the block that begins with wearer row `first`."""
        folk = self.people.rows(first, min(first + BLOCK, len(self.people)))
        strikes = self.episodes.of(first, first + len(folk))
        B, T, at, number, seed = len(folk), self.grid_minutes, self.first_min, first // BLOCK, self.seed
        habits = self.scenario.habits
        change = effects(self.parameters, folk, strikes, at, T)
        nights = night.nights(folk, change, seed, number, at, T)
        stage = nights.raster(B, at, T)
        in_bed = stage != UNKNOWN
        moved = activity.movement(folk, change, in_bed, self.body, habits, seed, number, at)
        worried = activity.stress(in_bed, habits, seed, number, at)
        bpm = heart.rate(folk, change, stage, moved.demand_bpm, worried, self.body, seed, number, at)
        gaps = wear.daily_gaps(folk, seed, number, at, T)
        broken = self.faults.of(first, first + len(folk))
        off, dead = sensor.watch_off(strikes, gaps, broken, B, at, T)
        # Whoever is to be seen in an acute episode wears the watch: a missed one would say nothing about the monitor.
        for row in np.flatnonzero(np.isin(strikes.kind, [k for k in ACUTE if k != Kind.HEAT_STRAIN])):
            columns = slice(max(strikes.onset_min[row] - at - 15, 0), max(strikes.end_min[row] - at + 10, 0))
            off[strikes.wearer[row], columns] = dead[strikes.wearer[row], columns] = False
        seen = sensor.see(folk, change, bpm, moved.steps, off, dead, in_bed, seed, number, at)
        sensor.break_down(seen, broken, at)
        readings = pressure.readings(folk, strikes, change, bpm, in_bed, self.body, seed, number, at)
        return Block(
            first,
            folk,
            strikes,
            change,
            nights,
            stage,
            moved,
            bpm,
            seen,
            readings,
            _off_episodes(off, dead, strikes, at),
        )


def _beside(broken: faults.Faults, strikes: truth.Episodes) -> faults.Faults:
    """Leave out what would hide an acute episode: as with wear, a missed one would say nothing about the monitor."""
    acute = strikes.rows(np.isin(strikes.kind, ACUTE))
    hides = np.isin(broken.kind, (faults.Fault.FROZEN_VALUE, faults.Fault.WRONG_WEARER))
    keep = np.ones(len(broken), bool)
    for row in np.flatnonzero(hides).tolist():
        mine = acute.wearer == broken.wearer[row]
        met = (acute.onset_min < broken.end_min[row] + 30) & (acute.end_min > broken.onset_min[row] - 30)
        keep[row] = not (mine & met).any()
    return broken.rows(keep)


def _off_episodes(
    off: NDArray[np.bool_], dead: NDArray[np.bool_], known: truth.Episodes, first_min: int
) -> truth.Episodes:
    """Return the runs of `off` that no drawn WATCH_OFF episode stands for, as episodes; charging is the milder kind."""
    edge = np.diff(off.astype(np.int8), axis=1, prepend=0, append=0)
    wearer, begin = np.nonzero(edge == 1)
    _, end = np.nonzero(edge == -1)
    keep = end - begin >= SHORTEST_OFF_MIN
    for row in np.flatnonzero(known.kind == Kind.WATCH_OFF):
        onset, until = known.onset_min[row] - first_min, known.end_min[row] - first_min
        keep &= ~((wearer == known.wearer[row]) & (begin < until) & (end > onset))
    wearer, begin, end = wearer[keep], begin[keep], end[keep]
    severity = np.where(dead[wearer, begin], 0.1, 0.3)
    n = len(wearer)
    return truth.Episodes(
        np.full(n, int(Kind.WATCH_OFF)),
        wearer.astype(np.int64),
        first_min + begin.astype(np.int64),
        first_min + end.astype(np.int64),
        np.full(n, int(Form.CLEAR)),
        severity,
        np.zeros((n, 6)),
    )


def world(scenario: Scenario, seed: int, wearers: int, start_min: int, minutes: int, body: Physiology = BODY) -> World:
    """Draw a world of *wearers* people for *minutes* minutes from epoch minute *start_min*.

    Raises
    ------
    OptionRefused
        If it would be empty, or larger than memory should be asked for.
    """
    if wearers < 1 or minutes < 1 or seed < 0:
        raise OptionRefused("wearers and duration must be at least 1 and 1 minute, and the seed not negative.")
    if wearers * minutes > LARGEST_WEARER_MINUTES or minutes > LONGEST_DAYS * 1440:
        raise OptionRefused(
            f"{wearers} wearers for {minutes} minutes is too much for one run: at most {LONGEST_DAYS} days and "
            f"{LARGEST_WEARER_MINUTES} wearer-minutes; run several seeds instead."
        )
    folk = people(scenario, body, seed, wearers, start_min)
    first_hour = start_min // 60 - 24
    hours = minutes // 60 + 3 * 24
    heat_wave = scenario.weather.heat_wave_c
    weather = [
        places.weather(zone, place, seed, first_hour, hours, heat_wave) for zone, place in folk.outfit.places.items()
    ]
    kinetics = parameters.load(scenario.parameters)
    strikes = striking.episodes(scenario, kinetics, folk, seed, start_min, minutes)
    broken = _beside(faults.faults(scenario, folk, seed, start_min, minutes), strikes)
    return World(scenario, kinetics, seed, start_min, minutes, folk, strikes, broken, weather, body)
