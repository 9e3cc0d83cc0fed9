"""Micro-batches and model switches, without Kafka."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.snapshot import Snapshot
from monitor.outputs import Output, ScoreDue
from monitor.scoring.batcher import RECORD_ROWS, WAITING_ROWS, Batcher, groups
from monitor.scoring.device import Device
from monitor.scoring.switches import newest
from stream_schemas.codec import encode
from stream_schemas.control import Control
from stream_schemas.decode import decode_batch
from stream_schemas.topics import RISK_SCORES
from tests.patience import patience


def due(*rows: tuple[int, int]) -> tuple[ScoreDue, Snapshot]:
    """Make wearers w0, w1, ... due: (partition, T) each; a wearer's row carries its number as bmi."""
    snapshot = Snapshot.empty(len(rows))
    snapshot.bmi[:] = np.arange(len(rows))
    partition = np.array([p for p, _ in rows], np.int32)
    as_of_ms = np.array([T for _, T in rows], np.int64)
    return ScoreDue(np.arange(len(rows)), partition, as_of_ms, [f"w{i}" for i in range(len(rows))]), snapshot


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=30))
def test_groups_are_one_a_partition_and_T_and_keep_wearer_and_row_together(rows: list[tuple[int, int]]) -> None:
    made = groups(*due(*rows))
    assert len({(group.partition, group.as_of_ms) for group in made}) == len(made) == len(set(rows))
    for group in made:
        for wearer, bmi in zip(group.wearer_id, group.snapshot.bmi.tolist(), strict=True):
            assert wearer == f"w{int(bmi)}"
            assert rows[int(bmi)] == (group.partition, group.as_of_ms)
    assert sum(len(group.wearer_id) for group in made) == len(rows)


def test_no_record_grows_beyond_what_a_reader_takes() -> None:
    assert [len(group.wearer_id) for group in groups(*due(*[(0, 1)] * (RECORD_ROWS + 1)))] == [RECORD_ROWS, 1]


async def _scored(rows: Sequence[tuple[int, int]], device: Device) -> tuple[list[Output], Batcher]:
    published: list[Output] = []
    done = asyncio.Event()

    async def publish(outputs: Sequence[Output]) -> None:
        published.extend(outputs)
        done.set()

    batcher = Batcher(device, batch=64, wait_ms=1, publish=publish)
    batcher.offer(*due(*rows))  # before the model is there
    running = asyncio.ensure_future(batcher.run())
    await device.load(None)
    try:
        async with asyncio.timeout(patience(60)):
            await done.wait()
    finally:
        running.cancel()
        device.stop()
    return published, batcher


def test_scores_are_records_that_the_decoder_accepts() -> None:
    async def scenario() -> None:
        published, batcher = await _scored([(0, 60_000), (1, 60_000), (0, 60_000)], Device("cpu"))
        assert [(out.topic, out.partition, out.key) for out in published] == [
            (RISK_SCORES, 0, None),
            (RISK_SCORES, 1, None),
        ]
        columns, rejected = decode_batch(RISK_SCORES, [None, None], [out.value for out in published])
        assert rejected == []
        scores = columns.scores  # type: ignore[union-attr]
        assert [one.wearer_id for one in scores] == [["w0", "w2"], ["w1"]]
        assert all(one.scored_at_ms == 60_000 for one in scores)
        assert all(len(column) == 2 for column in scores[0].probability)
        assert batcher.scored == 3

    asyncio.run(scenario())


def test_without_a_model_nothing_waits_for_ever(tmp_path: Path) -> None:
    async def scenario() -> None:
        device = Device("cpu")

        async def publish(_: Sequence[Output]) -> None:
            raise AssertionError("nothing can be scored")

        batcher = Batcher(device, batch=64, wait_ms=1, publish=publish)
        batcher.offer(*due(*[(0, 1)] * WAITING_ROWS))
        running = asyncio.ensure_future(batcher.run())
        assert not await device.load(tmp_path / "nothing")
        async with asyncio.timeout(patience(10)):
            await batcher.room()
        assert batcher.given_up == WAITING_ROWS
        running.cancel()
        device.stop()

    asyncio.run(scenario())


def test_beyond_the_bound_the_oldest_are_given_up() -> None:
    async def scenario() -> None:
        batcher = Batcher(Device("cpu"), batch=64, wait_ms=1, publish=_never)
        for T in range(3):
            batcher.offer(*due(*[(0, T)] * (WAITING_ROWS // 2)))
        assert batcher.given_up == WAITING_ROWS // 2

    asyncio.run(scenario())


@pytest.mark.parametrize("folder", [Path("/nowhere"), Path("a\0b")])
def test_a_bundle_that_cannot_be_read_ends_nothing(folder: Path) -> None:
    async def scenario() -> None:
        device = Device("cpu")
        assert not await device.load(folder)
        assert device.hopeless
        device.stop()

    asyncio.run(scenario())


async def _never(_: Sequence[Output]) -> None:
    raise AssertionError


def switch(at: str, url: str | None = "/models/x", kind: str = "model_switch") -> bytes:
    return encode(Control(kind=kind, bundle_url=url, at=at))


def test_the_newest_switch_counts_whatever_the_order_of_partitions() -> None:
    old, new = switch("2026-01-05T00:00:00Z", "/old"), switch("2026-01-05T01:00:00+00:30", "file:///new%20one")
    for values in ([old, new], [new, old], [new, old, new]):
        found = newest(values, None)
        assert found is not None
        assert found.folder == Path("/new one")
    assert newest([old], newest([new], None)) == newest([new], None)


def test_what_is_no_switch_changes_nothing() -> None:
    known = newest([switch("2026-01-05T00:00:00Z")], None)
    later = "2026-01-06T00:00:00Z"
    values = [
        b"",
        b"{}",
        b"\xff",
        switch(later, None),
        switch(later, "http://x/y"),
        switch(later, kind="rules"),
        switch("now"),
        switch(later, "file://[oops/x"),
        switch(later, "file:///tmp/%00x"),
        switch("9999-12-31T23:59:59-23:59"),  # a dead letter
        switch(later)[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}",  # another: deeper than the contract takes
        switch(later)[:-1] + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ]
    assert newest(values, known) is known
