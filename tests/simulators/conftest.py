"""Small worlds that several tests look at."""

import pytest

from simulators import options, scenario
from simulators.scenario import Scenario
from simulators.world import Block, World, world

START_MIN = options.start_min(options.LOG_START)


@pytest.fixture(scope="package")
def crowd() -> tuple[World, list[Block]]:
    """128 wearers for six days of the training scenario."""
    drawn = world(scenario.load("mixed"), 11, 128, START_MIN, 6 * 1440)
    return drawn, list(drawn.blocks())


@pytest.fixture
def demo() -> Scenario:
    """The demo's scenario."""
    return scenario.load("demo")
