"""How fast people are simulated at minute resolution, from their latent state to the minutes of a journal."""

import time

from benchmarks.figure import Figure, Target, rate
from simulators import options, sensor
from simulators.people import BLOCK
from simulators.scenario import load
from simulators.world import World, world

WEARERS, DAYS = 128, 14
SCENARIO = "mixed"


class SimulatedDays:
    """A crowd of the training scenario, drawn anew in each round; processor time, since one core is asked about."""

    def __init__(self, wearers: int = WEARERS, days: int = DAYS) -> None:
        self._wearers, self._days = wearers, days
        self._rounds: list[tuple[float, float]] = []

    def prepare(self) -> None:
        """Simulate a few, so that what is imported and compiled late is there."""
        self._simulate(self._draw(2, 1))

    def round(self) -> None:
        """Draw the crowd and simulate it."""
        begun = time.process_time()
        self._simulate(self._draw(self._wearers, self._days))
        self._rounds.append((self._wearers * self._days, time.process_time() - begun))

    def _draw(self, wearers: int, days: int) -> World:
        return world(load(SCENARIO), 11 + len(self._rounds), wearers, options.start_min(options.LOG_START), days * 1440)

    def _simulate(self, drawn: World) -> None:
        for block in drawn.blocks():
            sensor.minutes(block.people, block.seen, drawn.seed, block.first_row // BLOCK, drawn.first_min)

    def figures(self) -> list[Figure]:
        """Return wearer-days a second."""
        note = (
            f"{self._wearers} wearers, {self._days} days of scenario {SCENARIO}: episodes, nights, movement, rate,"
            " pressure, sensor and the minutes' statistics; a processor second, files not written."
        )
        return [rate("simulator", self._rounds, "wearer-days/s", note, Target("at least", 1000))]
