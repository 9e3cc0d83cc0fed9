"""The schedule of checkpoints, with a place that does what a test wants."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from monitor.cuts import Cut
from monitor.stream.beginnings import Beginning
from monitor.stream.checkpointing import Checkpointer
from monitor.stream.core import Core
from monitor.stream.cut_queue import CutQueue
from monitor.stream.ledger import Ledger
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from monitor.wearers.journal import Journal
from stream_schemas.topics import INPUTS
from tests.patience import patience
from tests.stream.toy_engine import ToyEngine

EPOCH = 100


class Place:
    """Keeps what is written, in order; fails or takes its time when told to."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, int]] = []  # what, partition, cut
        self.broken: set[str] = set()
        self.slow_s = 0.0

    def put(self, what: str, partition: int, at: int) -> None:
        if what in self.broken:
            raise OSError(28, "No space left on device")
        time.sleep(self.slow_s)
        self.log.append((what, partition, at))


class Store:
    def __init__(self, place: Place) -> None:
        self.place = place

    def write(self, checkpoint: Checkpoint) -> str:
        self.place.put("checkpoint", checkpoint.partition, checkpoint.position.at)
        return ""


class Rows:
    """A journal whose rows are numbers."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.rows: dict[int, list[int]] = {}
        self.written: list[tuple[int, int, int, list[int]]] = []
        self.spills = False
        self.spilled: list[tuple[int, int, int, list[int]]] = []

    def take(self, partition: int) -> list[int]:
        return self.rows.pop(partition, [])

    def give_back(self, partition: int, rows: list[int]) -> None:
        self.rows[partition] = rows + self.rows.get(partition, [])

    def forget(self, partition: int) -> None:
        self.rows.pop(partition, None)

    def owes(self, partition: int) -> bool:
        return any(one == partition for one, *_ in self.spilled)

    def spill(self, partition: int, epoch: int, begin: int, end: int, rows: list[int]) -> bool:
        if self.spills:
            self.spilled.append((partition, begin, end, rows))
        return self.spills

    def write(self, partition: int, epoch: int, begin: int, end: int, rows: list[int]) -> list[str]:
        assert epoch == EPOCH
        self.place.put("journal", partition, end)
        self.written += [one for one in self.spilled if one[0] == partition]
        self.spilled = [one for one in self.spilled if one[0] != partition]
        self.written.append((partition, begin, end, rows))
        return []


class World:
    """Three partitions behind cut 0, and what keeps them."""

    def __init__(self, interval_s: float = 3_600.0) -> None:
        self.place = Place()
        self.journal = Rows(self.place)
        self.ledger = Ledger()
        self.lock = asyncio.Lock()
        self.core = Core(ToyEngine(INPUTS), INPUTS, journal=lambda _: None, control=lambda _: None)
        self.owned: list[int] = []
        self.busy: set[int] = set()
        self.keeper = Checkpointer(
            self.core,
            cast("Checkpoints", Store(self.place)),
            cast("Journal", self.journal),
            self.ledger,
            partitions=4,
            interval_s=interval_s,
            owned=lambda: list(self.owned),
            between_steps=self.lock,
            busy=lambda p: p in self.busy,
        )
        for p in (0, 1, 2):
            self.claim(p)

    def claim(self, p: int) -> None:
        self.core.open(p)
        self.keeper.begin(p, EPOCH, Beginning(CutQueue(p, EPOCH, EPOCH, EPOCH), EPOCH, {}, {}))
        self.owned.append(p)
        self.step(p)

    def step(self, p: int) -> None:
        before = self.core.position(p)
        at = max(before.at, EPOCH) + 1
        n = before.seq + 1
        cut = Cut(p, at, EPOCH, n, 0, (n,) * len(INPUTS), (0,) * len(INPUTS), before.digest)
        self.core.apply([cut], {p: {}})
        self.journal.rows.setdefault(p, []).append(at)

    def forget(self, p: int) -> None:
        self.owned.remove(p)
        self.core.drop(p)
        self.keeper.forget(p)

    def committable(self) -> dict[int, int]:
        return {p: at[0] for p, at in self.ledger.committable((p, EPOCH) for p in self.owned).items()}


def live(scenario: Callable[[World], Awaitable[None]], **options: float) -> World:
    async def main() -> World:
        world = World(**options)
        await scenario(world)
        return world

    return asyncio.run(main())


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(patience(5)):
        while not true():  # noqa: ASYNC110 - it happens in a thread
            await asyncio.sleep(0.002)


def test_the_journal_is_written_before_the_checkpoint_and_the_ledger_follows_both() -> None:
    async def scenario(world: World) -> None:
        assert world.committable() == {}
        await world.keeper.hurry(5)
        assert world.place.log == [(what, p, EPOCH + 1) for p in (0, 1, 2) for what in ("journal", "checkpoint")]
        assert world.committable() == {0: 0, 1: 0, 2: 0}
        world.step(1)
        assert world.committable() == {0: 0, 1: 0, 2: 0}

    live(scenario)


def test_a_place_that_fails_keeps_the_rows_and_the_ledger_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.stream.checkpointing.RETRY_S", 0.01)

    async def scenario(world: World) -> None:
        world.owned = [1]
        world.place.broken = {"journal"}
        running = asyncio.ensure_future(world.keeper.run())
        await until(lambda: world.keeper.failed > 1)
        assert world.journal.rows[1] == [EPOCH + 1]
        world.place.broken = {"checkpoint"}
        await until(lambda: world.journal.written)
        world.step(1)
        failed = world.keeper.failed
        await until(lambda: world.keeper.failed > failed + 1)
        assert world.committable() == {}
        world.place.broken = set()
        await until(lambda: world.committable() == {1: 1})
        running.cancel()
        assert world.journal.written == [(1, EPOCH, EPOCH + 1, [EPOCH + 1]), (1, EPOCH + 1, EPOCH + 2, [EPOCH + 2])]
        assert world.keeper.written == 1

    live(scenario, interval_s=0.05)


def test_a_checkpoint_that_becomes_durable_after_the_claim_is_over_moves_no_commit_and_brings_no_rows_back() -> None:
    async def scenario(world: World) -> None:
        world.owned = [2]
        world.place.slow_s = 0.05
        keeping = asyncio.ensure_future(world.keeper.hurry(5))
        await until(lambda: 2 not in world.journal.rows)
        world.forget(2)
        world.claim(2)  # the same partition again, under another claim that happens to look alike
        await keeping
        assert world.committable() == {}
        assert world.journal.rows == {0: [EPOCH + 1], 1: [EPOCH + 1], 2: [EPOCH + 1]}

    live(scenario)


def test_in_a_hurry_the_oldest_come_first_and_what_does_not_fit_is_left() -> None:
    async def scenario(world: World) -> None:
        world.place.slow_s = 0.1
        await asyncio.wait_for(world.keeper.hurry(0.3), patience(0.4))
        assert {p for what, p, _ in world.place.log if what == "checkpoint"} == {0}
        world.place.slow_s = 0.0
        await world.keeper.hurry(5)
        assert [p for what, p, _ in world.place.log if what == "checkpoint"] == [0, 1, 2]

    live(scenario)


def test_nothing_is_copied_while_a_step_is_under_way() -> None:
    async def scenario(world: World) -> None:
        async with world.lock:
            keeping = asyncio.ensure_future(world.keeper.hurry(5))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            world.step(0)
        await keeping
        assert ("checkpoint", 0, EPOCH + 2) in world.place.log

    live(scenario)


def test_turns_are_spread_over_the_interval() -> None:
    async def scenario(world: World) -> None:
        turns = sorted(world.keeper._next_turn(p, 1_000.0) for p in range(4))
        assert [b - a for a, b in itertools.pairwise(turns)] == pytest.approx([900.0] * 3)
        assert all(1_000.0 < turn <= 4_600.0 for turn in turns)

    live(scenario)


def test_before_the_end_every_checkpoint_is_taken_however_young_the_last_one_is() -> None:
    async def scenario(world: World) -> None:
        await world.keeper.hurry(5)
        for p in (0, 1, 2):
            world.step(p)
        await world.keeper.hurry(5)  # in a rebalance a young one is not worth the time
        assert [at for what, _, at in world.place.log if what == "checkpoint"] == [EPOCH + 1] * 3
        assert await world.keeper.all(5) == 3
        assert [at for what, _, at in world.place.log[6:] if what == "checkpoint"] == [EPOCH + 2] * 3

    live(scenario)


def test_before_the_end_what_fails_is_tried_again_and_the_others_do_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.stream.checkpointing.RETRY_S", 0.05)

    async def scenario(world: World) -> None:
        world.place.broken = {"journal"}
        taking = asyncio.ensure_future(world.keeper.all(5))
        await until(lambda: world.keeper.failed > 4)
        world.place.broken = set()
        assert await taking == 3

    live(scenario)


def test_before_the_end_there_is_no_more_time_than_there_is_and_what_stands_is_counted() -> None:
    async def scenario(world: World) -> None:
        world.place.slow_s = 0.1
        assert await asyncio.wait_for(world.keeper.all(0.3), 0.5) == 1
        world.place.slow_s = 0.0
        assert await world.keeper.all(5) == 3
        assert await world.keeper.all(0) == 0

    live(scenario)


def test_a_partition_with_an_output_that_is_not_acknowledged_waits_and_is_taken_as_soon_as_it_is() -> None:
    async def scenario(world: World) -> None:
        world.busy = {1}
        running = asyncio.ensure_future(world.keeper.run())
        await until(lambda: {p for what, p, _ in world.place.log if what == "checkpoint"} == {0, 2})
        await world.keeper.hurry(5)
        taking = asyncio.ensure_future(world.keeper.all(5))
        await asyncio.sleep(0.1)
        assert not taking.done()
        assert {p for _, p, _ in world.place.log} == {0, 2}
        world.busy = set()
        assert await taking == 3
        running.cancel()

    live(scenario, interval_s=0.05)


def test_a_busy_partition_that_is_forgotten_meanwhile_is_waited_for_no_longer() -> None:
    async def scenario(world: World) -> None:
        world.busy = {1}
        taking = asyncio.ensure_future(world.keeper.all(5))
        await until(lambda: {p for what, p, _ in world.place.log if what == "checkpoint"} == {0, 2})
        world.forget(1)
        world.busy = set()
        assert await asyncio.wait_for(taking, 2) == 2

    live(scenario)


def test_one_that_becomes_busy_while_it_waits_for_the_step_is_not_copied() -> None:
    async def scenario(world: World) -> None:
        async with world.lock:
            keeping = asyncio.ensure_future(world.keeper.hurry(0.2))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            world.busy = {0, 1, 2}
        await keeping
        assert world.place.log == []

    live(scenario)


def test_failures_in_a_row_are_counted_for_the_partition_that_has_most_until_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.stream.checkpointing.RETRY_S", 0.01)

    async def scenario(world: World) -> None:
        assert (world.keeper.failures_in_a_row, world.keeper.failing_since_s()) == (0, 0.0)
        world.owned = [1]
        world.place.broken = {"checkpoint"}
        running = asyncio.ensure_future(world.keeper.run())
        await until(lambda: world.keeper.failures_in_a_row > 4)
        assert 0 < world.keeper.failing_since_s() < 5
        world.place.broken = set()
        await until(lambda: world.keeper.written)
        assert (world.keeper.failures_in_a_row, world.keeper.failing_since_s()) == (0, 0.0)
        assert world.keeper.failed > 4
        running.cancel()

    live(scenario, interval_s=0.05)


def test_rows_that_the_place_does_not_take_are_spilled_once_an_interval_and_no_checkpoint_stands_behind_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.stream.checkpointing.count", len)

    async def scenario(world: World) -> None:
        world.owned, world.journal.spills = [1], True
        world.place.broken = {"journal"}
        for _ in range(3):
            await world.keeper.hurry(5)
        assert world.journal.spilled == [(1, EPOCH, EPOCH + 1, [EPOCH + 1])]
        world.step(1)
        await world.keeper.hurry(5)
        assert world.journal.rows[1] == [EPOCH + 2]  # they wait in memory for the end of the interval
        monkeypatch.setattr("monitor.stream.checkpointing.SPILL_ROWS", 1)
        await world.keeper.hurry(5)
        assert world.journal.spilled[1:] == [(1, EPOCH + 1, EPOCH + 2, [EPOCH + 2])]
        assert world.place.log == []
        assert world.committable() == {}
        world.place.broken = set()
        await world.keeper.hurry(5)
        assert world.journal.spilled == []
        assert [rows for *_, rows in world.journal.written] == [[EPOCH + 1], [EPOCH + 2], []]
        assert world.place.log == [("journal", 1, EPOCH + 2), ("checkpoint", 1, EPOCH + 2)]

    live(scenario)
