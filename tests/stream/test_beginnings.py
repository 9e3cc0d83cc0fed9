"""Where a replay begins, on a real log that the test writes itself, cut by cut."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.structs import TopicPartition
from structlog.testing import capture_logs

from monitor.cuts import Cut, Position, encode_claim, encode_cut
from monitor.inputs import Batch, Removed
from monitor.outputs import Step
from monitor.saved import Dropped, Saved, SavedStateUnusable
from monitor.settings import Settings
from monitor.stream import cut_queue
from monitor.stream.beginnings import Beginning
from monitor.stream.core import Core
from monitor.stream.culprits import Hopeless
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.stream.recovery import Replay, Replayed
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import INPUTS
from tests.patience import patience
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import heart_rate

HEART_RATE = INPUTS.index("vitals.heart-rate.v1")


class Picky(ToyEngine):
    """An engine that takes nothing that was saved with other numbers of wearers than it likes."""

    def __init__(self, *likes: int) -> None:
        super().__init__(INPUTS)
        self.likes = likes

    def load(self, partition: int, saved: Saved, position: Position) -> Dropped:
        if len(saved.arrays["seen"]) not in self.likes:
            raise SavedStateUnusable("of another engine: run the one that wrote it.")
        return super().load(partition, saved, position)


class World:
    """Partition 0 of a log, its owner, and the owner's checkpoints."""

    def __init__(self, settings: Settings, place: Path) -> None:
        self.settings, self.prefix = settings, settings.kafka.topic_prefix
        self.producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=0)
        self.checkpoints = Checkpoints(place, partitions=settings.stream.partitions)
        self.owner = self.core()
        self.epoch, self.end, self.wearers = -1, 0, 0
        self.begun: dict[int, Beginning] = {}

    def core(self, engine: ToyEngine | None = None) -> Core:
        made = Core(engine or ToyEngine(INPUTS), INPUTS, journal=lambda _: None, control=lambda _: None)
        made.open(0)
        return made

    def append(self, value: bytes) -> int:
        self.end = self.producer.send(self.prefix + "cuts.v1", value, partition=0).get(patience(10)).offset + 1
        return self.end - 1

    def claim(self) -> int:
        self.epoch = self.append(encode_claim("w"))
        return self.epoch

    def begin(self) -> None:
        """Claim, and write the first cut."""
        self.claim()
        self.owner.open(0)
        self.cut(Cut(0, self.end, self.epoch, 0, 0, (0,) * len(INPUTS), (0,) * len(INPUTS), 0), Records.of(()))

    def cut(self, cut: Cut, records: Records) -> None:
        assert self.append(encode_cut(cut)) == cut.at
        self.owner.apply([cut], {0: {INPUTS[HEART_RATE]: records}})

    def step(self, wearer: str, n: int = 10) -> None:
        """Publish n records of a wearer and cut behind them."""
        at = self.owner.position(0)
        sent = [
            self.producer.send(self.prefix + INPUTS[HEART_RATE], value, key=key, partition=0)
            for key, value in (heart_rate(wearer, i) for i in range(n))
        ]
        written = [one.get(patience(10)) for one in sent]
        begin = (at.next or ())[HEART_RATE]
        records = asyncio.run(self._read(begin, written[-1].offset + 1))
        reach = tuple(written[-1].offset + 1 if i == HEART_RATE else 0 for i in range(len(INPUTS)))
        stamps = tuple(int(records.stamp_ms[-1]) if i == HEART_RATE else 0 for i in range(len(INPUTS)))
        T = int(records.stamp_ms[-1]) + 1
        self.cut(Cut(0, self.end, self.epoch, at.seq + 1, T, reach, stamps, at.digest), records)

    async def _read(self, begin: int, end: int) -> Records:
        tp = (self.prefix + INPUTS[HEART_RATE], 0)
        async with LogReader(self.settings.kafka.bootstrap_servers) as reader:
            reader.begin({tp: begin})
            return (await reader.upto({tp: end}))[tp]

    def save(self) -> Position:
        checkpoint = self.owner.save(0)
        self.checkpoints.write(checkpoint)
        return checkpoint.position

    def cut_off(self, topic: str, offset: int) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka.bootstrap_servers)
        admin.delete_records({TopicPartition(self.prefix + topic, 0): offset})
        admin.close()

    def recover(self, core: Core) -> tuple[Replayed, int]:
        """Claim and replay; return what was done and how many partitions were lost."""
        replay = Replay(
            core, self.settings.kafka.bootstrap_servers, self.prefix, lambda _: None, self.checkpoints, Keeper(self)
        )
        return asyncio.run(replay.run({0: self.claim()}))[0], replay.losses


class Keeper:
    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self, partition: int, epoch: int, beginning: Beginning) -> None:
        assert epoch == self.world.epoch
        self.world.begun[partition] = beginning

    async def relieve(self) -> None:
        pass


@pytest.fixture
def world(live_settings: Settings, tmp_path: Path) -> Iterator[World]:
    made = World(live_settings, tmp_path / "checkpoints")
    made.begin()
    yield made
    made.producer.close()


def said(logs: Sequence[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    return [entry for entry in logs if text in f"{entry['event']} {entry.get('reason', '')}"]


def test_only_the_cuts_behind_the_newest_checkpoint_are_replayed_and_the_state_is_the_same(world: World) -> None:
    world.step("a")
    world.save()
    world.step("b")
    kept = world.save()
    world.step("c")
    world.step("a")
    core = world.core()
    done, losses = world.recover(core)
    assert (done.cuts, done.records, losses) == (2, 20, 0)
    assert core.position(0) == world.owner.position(0)
    assert core.save(0).books == world.owner.save(0).books
    assert core.save(0).engine.document == world.owner.save(0).engine.document
    assert (world.begun[0].since, world.begun[0].durable) == (kept.at, kept.next)


class RaisesAt(ToyEngine):
    """Raises at the cut of a number, the first few times that it is applied."""

    def __init__(self, seq: int, times: int) -> None:
        super().__init__(INPUTS)
        self.seq, self.times = seq, times

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch], removed: Sequence[Removed] = ()) -> Step:
        if self.times and any(cut.seq == self.seq for cut in cuts):
            self.times -= 1
            raise OSError("this once")
        return super().step(cuts, batches, removed)


def test_what_raises_in_a_replay_and_did_not_when_it_was_live_is_replayed_again_and_nothing_is_left_out(
    world: World,
) -> None:
    for wearer in "abc":
        world.step(wearer)
    core = world.core(RaisesAt(2, times=2))
    done, losses = world.recover(core)
    assert (done.adopted, done.amendment, losses) == (False, None, 0)
    assert core.position(0) == world.owner.position(0)


def test_a_replay_that_raises_whatever_is_left_out_is_given_up_and_not_tried_for_ever(world: World) -> None:
    for wearer in "abc":
        world.step(wearer)
    core = world.core(RaisesAt(2, times=10_000))
    with pytest.raises(Hopeless):
        world.recover(core)


def test_an_input_cut_off_behind_the_checkpoint_is_a_loss_with_a_number(world: World) -> None:
    world.step("a")
    world.save()
    world.step("b")
    world.cut_off(INPUTS[HEART_RATE], 17)
    core = world.core()
    with capture_logs() as logs:
        done, losses = world.recover(core)
    assert (done.cuts, losses, core.position(0).next) == (0, 1, None)
    (entry,) = said(logs, "begins anew")
    assert (entry["log_level"], entry["records_gone"]) == ("error", 7)
    assert (world.begun[0].since, world.begun[0].durable) == (world.epoch, None)


def test_an_input_cut_off_exactly_at_the_checkpoint_is_none(world: World) -> None:
    world.step("a")
    world.save()
    world.step("b")
    world.cut_off(INPUTS[HEART_RATE], 10)
    assert world.recover(world.core())[1] == 0


def test_cuts_that_are_gone_are_a_loss_unless_all_are_older_than_the_checkpoint(world: World) -> None:
    world.step("a")
    kept = world.save()
    world.step("b")
    world.step("c")
    world.cut_off("cuts.v1", kept.at + 1)
    assert world.recover(world.core())[0].cuts == 2
    world.cut_off("cuts.v1", kept.at + 2)
    with capture_logs() as logs:
        _, losses = world.recover(world.core())
    assert losses == 1
    assert said(logs, "begins anew")[0]["records_gone"] == 1


def test_a_cut_0_behind_a_checkpoint_voids_it(world: World) -> None:
    world.step("a")
    world.save()
    world.begin()
    world.step("b")
    core = world.core()
    done, losses = world.recover(core)
    assert (done.cuts, losses) == (2, 0)
    assert core.position(0) == world.owner.position(0)


def test_a_checkpoint_whose_cut_the_log_does_not_hold_is_of_another_log(world: World) -> None:
    world.step("a")
    world.step("b")
    checkpoint = world.owner.save(0)
    other = replace(checkpoint.position, T=checkpoint.position.T + 1)
    world.checkpoints.write(replace(checkpoint, position=other))
    with capture_logs() as logs:
        done, losses = world.recover(world.core())
    assert (done.cuts, losses) == (3, 0)
    assert said(logs, "of another log")


def test_a_checkpoint_beyond_the_claim_is_of_another_log(world: World) -> None:
    world.step("a")
    checkpoint = world.owner.save(0)
    world.checkpoints.write(replace(checkpoint, position=replace(checkpoint.position, at=9_999)))
    with capture_logs() as logs:
        done, losses = world.recover(world.core())
    assert (done.cuts, losses) == (2, 0)
    assert said(logs, "of another log")


def test_a_checkpoint_that_the_engine_refuses_gives_way_to_an_older_one_or_to_the_log_but_never_to_a_loss(
    world: World,
) -> None:
    world.step("a")
    world.save()
    world.step("b")
    world.save()
    with capture_logs() as logs:
        assert world.recover(world.core(Picky(1)))[0].cuts == 1
    assert said(logs, "of another engine")
    assert world.recover(world.core(Picky()))[0].cuts == 3
    world.cut_off(INPUTS[HEART_RATE], 5)
    with pytest.raises(SavedStateUnusable, match="run the one that wrote it"):
        world.recover(world.core(Picky()))


def test_long_stretches_of_void_cuts_and_more_cuts_than_fit_are_read_to_their_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_queue, "CUTS_AT_ONCE", 3)
    for wearer in "abcdefgh":
        world.step(wearer)
    for _ in range(10):
        world.append(encode_cut(Cut(0, world.end, 7_777, 0, 0, (0,) * len(INPUTS), (0,) * len(INPUTS), 0)))
    world.step("i")
    core = world.core()
    done, _ = world.recover(core)
    assert (done.cuts, done.records) == (10, 90)
    assert core.position(0) == world.owner.position(0)
