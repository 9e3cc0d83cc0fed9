"""From devices to Kafka: every message of a run in the order of its arrival, with delays, duplicates and outages."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators import envelopes, journal, occasions, truth
from simulators.chance import generator
from simulators.faults import Fault
from simulators.heat import Hot
from simulators.kinds import Kind
from simulators.people import BLOCK
from simulators.samples import Sampler, Strip
from simulators.sensor import NO_STEPS
from simulators.stages import AWAKE, UNKNOWN
from simulators.world import Block, World
from stream_schemas import topics

REPEAT_WITHIN_MS = 30_000
OUTAGE_DRAIN_MS = 45_000
LAST_NIGHT_MIN = 14 * 60  # nights that ended this long before the run are told at its start
CORRECTED_SHARE = 0.05  # of nights get a later revision


class Message(NamedTuple):
    """One record for Kafka; sorts by arrival."""

    arrival_ms: int
    number: int
    topic: str
    key: bytes
    value: bytes


class Delivery:
    """All messages of a run; `truths` is the truth about it, known from the beginning."""

    def __init__(self, world: World, teams: Sequence[str]) -> None:
        self.world = world
        self.truths: list[truth.Truth] = []
        self._pending: list[Message] = []
        self._number = 0
        self._keys = [world.wearer_id(row).encode() for row in range(len(world.people))]
        self._outages: dict[int, list[tuple[int, int]]] = {}
        self._chance = generator(world.seed, "transport", world.start_min)
        self._sky = generator(world.seed, "phones", world.start_min)
        # Behind a silent gateway, or with the phone out of reach, everything waits until it is over.
        outages = world.episodes.rows(world.episodes.kind == Kind.GATEWAY_SILENT)
        for held in (outages, world.faults.kinds(Fault.LATE_BURST)):
            for row, onset, end in zip(held.wearer, held.onset_min, held.end_min, strict=True):
                self._outages.setdefault(int(row), []).append((int(onset) * 60_000, int(end) * 60_000))
        self._slips = world.faults.kinds(Fault.UNIT_SLIP)
        self._skews = world.faults.kinds(Fault.CLOCK_SKEW)
        self.counts: Counter[str] = Counter()
        blocks = list(self._prepared(teams))
        self._hot = [block[1] for block in blocks]
        strips = [block[0] for block in blocks]
        self._strip = _joined(strips)
        self._sampler = Sampler(self._strip, world.people, world.seed, world.first_min)
        self._ahead_min = np.zeros(len(self._keys), np.int64)
        self._message_min = world.people.worn("message_min", np.int64)
        self._wire_name = [world.people.wire_name(row) for row in range(len(world.people))]

    def minutes(self) -> Iterator[list[Message]]:
        """Yield the messages that arrive in each minute of the run, then those that are still on their way."""
        start, end = self.world.start_min, self.world.start_min + self.world.minutes
        for minute in range(start, end):
            self._set_clocks(minute)
            last = minute == end - 1
            for sample in self._sampler.messages(minute, self._ahead_min, last=last):
                self._send(topics.HEART_RATE, sample.row, sample.sent_ms, sample.value)
            self._steps(minute, last=last)
            self._weather(minute)
            yield self._arrived((minute + 1) * 60_000)
        yield self._arrived(None)

    def _set_clocks(self, minute: int) -> None:
        """Set how much each watch's clock runs ahead now; a skew begins and ends between two messages."""
        if len(self._skews):
            now = (self._skews.onset_min <= minute) & (self._skews.end_min > minute)
            self._ahead_min[:] = 0
            self._ahead_min[self._skews.wearer[now]] = self._skews.size[now]

    def _ahead_of(self, row: int, minute: int) -> int:
        s = self._skews
        now = (s.wearer == row) & (s.onset_min <= minute) & (s.end_min > minute)
        return int(s.size[now].sum())

    def _slipped(self, row: int, minute: int) -> bool:
        s = self._slips
        return bool(((s.wearer == row) & (s.onset_min <= minute) & (s.end_min > minute)).any())

    def _prepared(self, teams: Sequence[str]) -> Iterator[tuple[Strip, Hot]]:
        world = self.world
        for block in world.blocks():
            rows = truth.of_block(world, block)
            self.truths += rows
            self._profiles(block, teams)
            self._occasions(block)
            self._labels(block, rows)
            B = len(block.people)
            phase = generator(world.seed, "phase", block.first_row // BLOCK).integers(0, 60, B)
            asleep = (block.stage != UNKNOWN) & (block.stage != AWAKE)
            context = np.where(block.movement.exercise == 2, 3, np.where(block.movement.steps > 0, 2, 1))
            context[asleep] = 4
            strip = Strip(
                [world.wearer_id(block.first_row + row) for row in range(B)],
                phase,
                block.seen.bpm.astype(np.float16),
                block.seen.lost.astype(np.float16),
                block.seen.steps,
                block.seen.irregular,
                block.seen.sd_bpm.astype(np.float16),
                context.astype(np.uint8),
                None if block.seen.swing_bpm is None else block.seen.swing_bpm.astype(np.float16),
                None if block.seen.swing_s is None else block.seen.swing_s.astype(np.float16),
            )
            yield strip, Hot(block.effects)

    def _put(self, arrival_ms: int, topic: str, row: int, value: bytes) -> None:
        self._number += 1
        heapq.heappush(self._pending, Message(arrival_ms, self._number, topic, self._keys[row], value))

    def _send(self, topic: str, row: int, sent_ms: int, value: bytes) -> None:
        """Hand a message to the wearer's gateway, which does to it what the scenario says."""
        how, chance = self.world.scenario.transport, self._chance
        arrival = sent_ms + int(1000 * (how.delay_s * chance.standard_exponential() + how.shuffle_s * chance.random()))
        if chance.random() < how.late_share:
            self.counts["late"] += 1
            arrival += int(60_000 * how.late_min * chance.standard_exponential())
        self._put(self._passed(row, arrival), topic, row, value)
        if chance.random() < how.duplicates:
            self.counts["duplicates"] += 1
            again = arrival + int(chance.integers(0, REPEAT_WITHIN_MS))
            self._put(self._passed(row, again), topic, row, value)

    def _passed(self, row: int, arrival_ms: int) -> int:
        """Return when the wearer's gateway lets a message through: after an outage all come within the minute."""
        for onset, end in self._outages.get(row, ()):
            if onset <= arrival_ms < end:
                self.counts["held_back"] += 1
                return end + int(self._chance.integers(0, OUTAGE_DRAIN_MS))
        return arrival_ms

    def _arrived(self, before_ms: int | None) -> list[Message]:
        out = []
        while self._pending and (before_ms is None or self._pending[0].arrival_ms < before_ms):
            out.append(heapq.heappop(self._pending))
        return out

    def _profiles(self, block: Block, teams: Sequence[str]) -> None:
        for row in range(len(block.people)):
            at = block.first_row + row
            self._put(self.world.start_min * 60_000, topics.WEARER, at, occasions.wearer(self.world, block, row, teams))

    def _occasions(self, block: Block) -> None:
        world, first = self.world, block.first_row
        start_s, end_s = world.start_min * 60, (world.start_min + world.minutes) * 60
        for index in np.flatnonzero((block.readings.at_s >= start_s) & (block.readings.at_s < end_s)).tolist():
            at_ms = int(block.readings.at_s[index]) * 1000 + 20_000
            row = first + int(block.readings.wearer[index])
            slipped = self._slipped(row, at_ms // 60_000)
            self._send(topics.BLOOD_PRESSURE, row, at_ms, occasions.reading(world, block, index, slipped=slipped))
        for night in journal.recorded_nights(world, block, LAST_NIGHT_MIN):
            up = max(int(block.nights.end_min[night]) + int(self._chance.integers(2, 15)), world.start_min)
            row = first + int(block.nights.wearer[night])
            ahead = self._ahead_of(row, up)
            self._send(topics.SLEEP, row, up * 60_000 + 5000, occasions.night(world, block, night, 0, ahead))
            if self._chance.random() < CORRECTED_SHARE:
                self._send(topics.SLEEP, row, (up + 30) * 60_000, occasions.night(world, block, night, 1, ahead))
        for row, at_s, value in occasions.reports(world, block, first // BLOCK):
            self._send(topics.REPORTS, first + row, at_s * 1000, value)

    def _labels(self, block: Block, rows: list[truth.Truth]) -> None:
        """Labels come when an episode is over, or at the end of the run without an end."""
        end_min = self.world.start_min + self.world.minutes
        place = {self.world.wearer_id(block.first_row + row): block.first_row + row for row in range(len(block.people))}
        for row in rows:
            over = row.end_min <= end_min
            at_ms = min(row.end_min, end_min) * 60_000
            self._put(at_ms, topics.LABELS, place[row.wearer], occasions.label(row, ended=over))

    def _steps(self, minute: int, *, last: bool) -> None:
        at = minute - self.world.first_min
        for row in np.flatnonzero(
            (minute + 1) % self._message_min == 0 if not last else self._message_min > 0
        ).tolist():
            many = int(self._message_min[row])
            begin = max(minute + 1 - many, self.world.start_min) if not last else minute - minute % many
            begin = max(begin, self.world.start_min)
            counts = self._strip.steps[row, at - (minute - begin) : at + 1].tolist()
            sent_ms = (minute + 1) * 60_000 + int(self._strip.phase_s[row]) * 1000
            for offset, run in _counted(counts):
                name = self._strip.names[row]
                first = begin + offset
                told_ms = (first + int(self._ahead_min[row])) * 60_000
                value = envelopes.activity(name, f"{name}-a{first}", told_ms, run, self._wire_name[row])
                self._send(topics.ACTIVITY, row, sent_ms, value)

    def _weather(self, minute: int) -> None:
        since = minute - self.world.start_min
        if since % 60 >= 5:
            return
        rows = np.arange(since % 60, len(self._keys), 5)
        second = self._sky.integers(0, 60, len(rows))
        for row, at_s in zip(rows.tolist(), second.tolist(), strict=True):
            sky = self.world.weather[int(self.world.people.place[row])]
            heat = self._hot[row // BLOCK].at(row % BLOCK, minute - self.world.first_min)
            at_ms = minute * 60_000 + at_s * 1000
            slipped = self._slipped(row, minute)
            value = occasions.weather(self._strip.names[row], sky, at_ms, heat, self._sky, slipped=slipped)
            self._send(topics.WEATHER, row, at_ms, value)


def _counted(steps: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Yield the runs of minutes in which the device was on: index of the first, steps of each."""
    run: list[int] = []
    for index, count in enumerate([*steps, NO_STEPS]):
        if count != NO_STEPS:
            run.append(count)
        elif run:
            yield index - len(run), run
            run = []


def _joined(strips: list[Strip]) -> Strip:
    def over(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(strip, name) for strip in strips])

    return Strip(
        names=[name for strip in strips for name in strip.names],
        phase_s=over("phase_s"),
        bpm=over("bpm"),
        lost=over("lost"),
        steps=over("steps"),
        irregular=over("irregular"),
        sd_bpm=over("sd_bpm"),
        context=over("context"),
        swing_bpm=_wave(strips, "swing_bpm"),
        swing_s=_wave(strips, "swing_s"),
    )


def _wave(strips: list[Strip], name: str) -> NDArray[np.float16] | None:
    if all(getattr(strip, name) is None for strip in strips):
        return None
    waves = ((strip, getattr(strip, name)) for strip in strips)
    return np.concatenate([np.zeros_like(strip.bpm) if wave is None else wave for strip, wave in waves])


def deliver(world: World, teams: Sequence[str]) -> Delivery:
    """Prepare the delivery of all messages of *world*."""
    return Delivery(world, teams)
