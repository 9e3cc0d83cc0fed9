"""What stands still, and what only looks so."""

import asyncio
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions

from monitor.errors import TopicsDiffer
from monitor.stream.watchdog import Glance, Stalled, TopicPartition, Watchdog
from monitor.topics import require
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.test_worker import QUICK, load
from tests.stream.world import settled, status, until

STALLED_S = 60.0
TICK_S = 5.0


@dataclass
class World:
    """A worker and a broker as a watchdog sees them."""

    assigned: set[int] = field(default_factory=lambda: {0, 3})
    reached: dict[int, int] = field(default_factory=lambda: {0: 10, 3: 10})
    ends: dict[int, int] = field(default_factory=lambda: {0: 10, 3: 10})
    joining: str | None = None
    replayed: int = 0
    generation: int = 1
    answers: bool = True
    asked: int = 0

    def look(self) -> Glance:
        reached = {p: {("t", p): at} for p, at in self.reached.items()}
        return Glance(self.generation, self.joining, self.replayed, self.assigned, reached)

    async def ask(self, tps: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.asked += 1
        if not self.answers:
            raise ConnectionError("refused")
        return {(topic, p): self.ends[p] for topic, p in tps}

    async def pass_by(self, dog: Watchdog, seconds: float) -> None:
        for _ in range(int(seconds / TICK_S)):
            await dog.judge(TICK_S)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def dog(world: World) -> Watchdog:
    return Watchdog(STALLED_S, world.look, world.ask)


def live(world: World, dog: Watchdog, seconds: float = 10 * STALLED_S) -> None:
    asyncio.run(world.pass_by(dog, seconds))


def test_records_that_wait_while_nothing_moves_end_the_worker(world: World, dog: Watchdog) -> None:
    world.ends[3] = 11
    live(world, dog, STALLED_S - TICK_S)
    with pytest.raises(Stalled, match=r"partition 3 for 60 s.*start the worker again"):
        live(world, dog, 2 * TICK_S)


def test_an_idle_stream_and_a_worker_without_partitions_are_left_alone(world: World, dog: Watchdog) -> None:
    live(world, dog)
    world.assigned, world.reached = set(), {}
    live(world, dog)
    assert 0 < world.asked < 30


def test_a_partition_that_moves_is_left_alone_however_much_waits(world: World, dog: Watchdog) -> None:
    world.ends = {0: 1 << 40, 3: 10}

    async def main() -> None:
        for _ in range(20):
            world.reached[0] += 1
            await world.pass_by(dog, STALLED_S / 2)

    asyncio.run(main())


async def replay(world: World, dog: Watchdog, rounds: int, times: int = 1) -> None:
    for i in range(rounds * times):
        world.replayed = 1 + i % rounds
        await world.pass_by(dog, 2 * TICK_S)


def test_a_long_replay_is_left_alone_and_one_that_stops_is_not(world: World, dog: Watchdog) -> None:
    world.reached = {}
    asyncio.run(replay(world, dog, 30))
    with pytest.raises(Stalled, match="partitions 0, 3"):
        live(world, dog)


def test_a_replay_that_fails_after_ten_rounds_each_time_does_not_get_on(world: World, dog: Watchdog) -> None:
    world.reached = {}
    with pytest.raises(Stalled, match="partitions 0, 3"):
        asyncio.run(replay(world, dog, 10, times=10))


def test_a_replay_is_measured_afresh_after_a_rebalance(world: World, dog: Watchdog) -> None:
    world.reached = {}
    for generation in range(2, 8):
        world.generation = generation
        asyncio.run(replay(world, dog, 5))


def test_a_group_that_is_never_joined_ends_the_worker(world: World, dog: Watchdog) -> None:
    world.assigned, world.reached, world.joining = set(), {}, "the group is rebalancing"
    with pytest.raises(Stalled, match="because the group is rebalancing"):
        live(world, dog, STALLED_S + TICK_S)


def test_a_broker_that_is_down_is_waited_for_and_there_is_time_to_come_back(world: World, dog: Watchdog) -> None:
    world.joining, world.answers, world.ends[0] = "the group's coordinator is not known", False, 99
    live(world, dog)
    world.answers = True
    live(world, dog, STALLED_S / 2 - TICK_S)
    with pytest.raises(Stalled):
        live(world, dog, STALLED_S)


def test_a_process_that_was_frozen_is_not_blamed_for_the_time(world: World) -> None:
    world.ends[0] = 11
    clock = itertools.count(step=3_600.0)  # it sleeps a tick, and an hour has gone by
    dog = Watchdog(1.2, world.look, world.ask, now=lambda: next(clock))
    with pytest.raises(Stalled):
        asyncio.run(asyncio.wait_for(dog.run(), patience(10)))
    assert next(clock) / 3_600.0 >= 2 * 1.2 / 0.2  # it took so many ticks, not one


def test_a_worker_whose_fetches_never_come_back_ends_with_a_sentence_that_names_the_partitions(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={**QUICK, "stalled_s": 2.0})
    deaf = processes.toy(settings, TOY_DEAF_TO="1")
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    load(settings, 0, 400)
    assert deaf.wait(patience(20)) == 1
    assert "Nothing has moved in partition 1 for 2 s" in processes.logs()


def test_partitions_added_to_an_input_end_the_worker_with_a_sentence(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK)
    worker = processes.toy(settings)
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    admin.create_partitions({settings.kafka.topic_prefix + "vitals.sleep.v1": NewPartitions(5)})
    admin.close()
    assert worker.wait(patience(20)) == 1
    assert "vitals.sleep.v1 has more than the 4 partitions" in processes.logs()
    assert status(settings, "w1") == {}
    with pytest.raises(TopicsDiffer, match="different partition counts"):
        require(settings)
