"""A simulated world as few messages: a sample a minute, told every half an hour; nights, readings, weather."""

from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.in_process import Message
from simulators import envelopes, journal, occasions, sensor, truth
from simulators.chance import generator
from simulators.heat import Hot
from simulators.people import BLOCK
from simulators.scorecard.record import Ints, wear
from simulators.sensor import NO_STEPS
from simulators.truth import Truth
from simulators.world import Block, World
from stream_schemas import topics

EVERY_MIN = 30
MINUTE_MS = 60_000
TEAMS = ("north",)


def block_messages(world: World, block: Block) -> list[Message]:
    """Return the messages of one block, in no order of time."""
    names = [world.wearer_id(block.first_row + row) for row in range(len(block.people))]
    return [*_wrist(world, block, names), *_now_and_then(world, block, names)]


def block_truth(world: World, block: Block) -> tuple[list[Truth], dict[str, Ints]]:
    """Return what happened to a block's wearers, and when each wore the watch."""
    seen = _seen(world, block)
    worn = {
        world.wearer_id(block.first_row + row): wear(world.first_min + np.flatnonzero(seen[row]))
        for row in range(len(block.people))
    }
    return truth.of_block(world, block), worn


def _seen(world: World, block: Block) -> NDArray[np.uint8]:
    minutes = sensor.minutes(block.people, block.seen, world.seed, block.first_row // BLOCK, world.first_min)
    out = np.zeros_like(minutes.hr_median)
    run = slice(world.start_min - world.first_min, world.start_min - world.first_min + world.minutes)
    out[:, run] = minutes.hr_median[:, run]
    return out


def _wrist(world: World, block: Block, names: Sequence[str]) -> Iterator[Message]:
    bpm, steps = _seen(world, block), block.seen.steps
    first = world.start_min - world.first_min
    for row, name in enumerate(names):
        yield from wrist(
            name, world.start_min, bpm[row, first : first + world.minutes], steps[row, first : first + world.minutes]
        )


def wrist(
    name: str, start_min: int, bpm: NDArray[np.uint8], steps: NDArray[np.uint8], every_min: int = EVERY_MIN
) -> Iterator[Message]:
    """Yield what a watch tells every so many minutes: (T,) rates, 0 = none, and steps, 255 = not known."""
    key = name.encode()
    phase = crc32(key) % 60 * 1000  # not all watches at the same second
    for begin in range(0, len(bpm), every_min):
        minute = start_min + begin
        arrival = (minute + every_min) * MINUTE_MS + phase
        part = bpm[begin : begin + every_min]
        there = np.flatnonzero(part)
        if len(there):
            offsets = ",".join([str(at * MINUTE_MS) for at in there.tolist()])
            rates = part[there].astype(np.int64).tolist()
            value = envelopes.heart_rate(name, f"{name}-h{minute}", minute * MINUTE_MS, offsets, rates)
            yield topics.HEART_RATE, key, value, arrival
        counted = steps[begin : begin + every_min]
        known = np.flatnonzero(counted != NO_STEPS)
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if len(run):
                at = minute + int(run[0])
                value = envelopes.activity(
                    name, f"{name}-a{at}", at * MINUTE_MS, counted[run].astype(np.int64).tolist()
                )
                yield topics.ACTIVITY, key, value, arrival


def _now_and_then(world: World, block: Block, names: Sequence[str]) -> Iterator[Message]:
    start_ms, end_ms = world.start_min * MINUTE_MS, (world.start_min + world.minutes) * MINUTE_MS
    for row, name in enumerate(names):
        yield topics.WEARER, name.encode(), occasions.wearer(world, block, row, TEAMS), start_ms
    for index in range(len(block.readings.at_s)):
        at_ms = int(block.readings.at_s[index]) * 1000
        if start_ms <= at_ms < end_ms:
            name = names[int(block.readings.wearer[index])]
            yield (
                topics.BLOOD_PRESSURE,
                name.encode(),
                occasions.reading(world, block, index, slipped=False),
                at_ms + 20_000,
            )
    for night in journal.recorded_nights(world, block):
        name = names[int(block.nights.wearer[night])]
        up_ms = (int(block.nights.end_min[night]) + 10) * MINUTE_MS
        yield topics.SLEEP, name.encode(), occasions.night(world, block, night, 0, 0), up_ms
    hot, sky = Hot(block.effects), generator(world.seed, "phones", world.start_min)
    for row, name in enumerate(names):
        weather = world.weather[int(block.people.place[row])]
        for minute in range(world.start_min + row % 60, world.start_min + world.minutes, 60):
            heat = hot.at(row, minute - world.first_min)
            value = occasions.weather(name, weather, minute * MINUTE_MS, heat, sky, slipped=False)
            yield topics.WEATHER, name.encode(), value, minute * MINUTE_MS + 5000
