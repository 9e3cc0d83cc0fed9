"""A record that makes the engine raise costs itself and nothing else: in one process, and on a real broker."""

import asyncio
import json
import signal
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from monitor.cuts import Cut, Span, valid_cuts
from monitor.settings import Settings
from monitor.stream.core import Core, StepFailed
from monitor.stream.culprits import Culprits
from monitor.stream.records import Records
from monitor.verifying import verify
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.toy_engine import PoisonedEngine
from tests.stream.world import heart_rate, publish, read, settled, status, until

HEART_RATE = "vitals.heart-rate.v1"
ALERTS = "alerts.north.v1"
QUICK = {"session_timeout_s": 6.0, "heartbeat_s": 1.0}


def poison(wearer: str, when: str) -> tuple[bytes, bytes]:
    return wearer.encode(), json.dumps({"wearer_id": wearer, "poison": when}).encode()


def core_with(records: Sequence[tuple[bytes, bytes]], T: int) -> tuple[Core, Cut, dict[str, Records]]:
    """Return a core behind cut 0, and a cut that reads these records, a millisecond apart."""
    core = Core(PoisonedEngine(INPUTS), INPUTS, journal=lambda _: None, control=lambda _: None)
    core.open(0)
    core.apply([Cut(0, 1, 0, 0, 0, (0,) * 9, (0,) * 9, 0, Span("v", INPUTS))], {0: {}})
    n = len(records)
    stamps = np.arange(1, n + 1, dtype=np.int64)
    part = Records(np.arange(n), stamps, [key for key, _ in records], [value for _, value in records])
    return core, Cut(0, 2, 0, 1, T, (n, *(0,) * 8), (n, *(0,) * 8), 0), {HEART_RATE: part}


def test_after_a_step_that_raises_its_partitions_have_no_state_and_the_others_keep_theirs() -> None:
    core, cut, records = core_with([poison("a", "read")], 10)
    core.open(1)
    core.apply([Cut(1, 1, 0, 0, 0, (0,) * 9, (0,) * 9, 0)], {1: {}})
    with pytest.raises(StepFailed) as failed:
        core.apply([cut], {0: records})
    assert failed.value.partitions == (0,)
    assert [core.has(p) for p in (0, 1)] == [False, True]
    assert core.position(1).seq == 0
    with pytest.raises(KeyError):
        core.position(0)


@pytest.mark.parametrize("when", ["read", "act"])
def test_the_records_that_make_a_step_raise_are_found_and_no_others(when: str) -> None:
    good = [heart_rate("a", n) for n in range(60)]
    records = [*good[:17], poison("x", when), *good[17:40], poison("y", when), poison("z", when), *good[40:]]
    core, cut, inputs = core_with(records, 1_000)
    finder = Culprits(core, core.save(0), cut, inputs)
    found = asyncio.run(finder.find())
    assert sorted(found.without) == [(HEART_RATE, 17), (HEART_RATE, 41), (HEART_RATE, 42)]
    assert found.without_wearers == ()
    assert core.position(0).seq == 0  # only tried
    assert finder.tries < 40
    step = core.apply([found], {0: inputs})
    assert sum(out.topic == ALERTS for out in step.outputs[0]) == 6


def test_a_record_that_was_read_in_an_earlier_step_is_found_when_it_acts() -> None:
    core, cut, inputs = core_with([poison("x", "act"), *(heart_rate("a", n) for n in range(10))], 1)
    core.apply([cut], {0: inputs})
    later = replace(cut, at=3, seq=2, T=1_000, digest=core.position(0).digest)
    with pytest.raises(StepFailed):
        core.apply([later], {0: {}})
    core, cut, inputs = core_with([poison("x", "act"), *(heart_rate("a", n) for n in range(10))], 1)
    core.apply([cut], {0: inputs})
    found = asyncio.run(Culprits(core, core.save(0), later, {}).find())
    assert found.without == ((HEART_RATE, 0),)


def letters(settings: Settings) -> list[tuple[str, int, int]]:
    found = [json.loads(row.value or b"") for row in read(settings, "dead-letter.v1")]
    return sorted((one["reason"], one["origin_partition"], one["origin_offset"]) for one in found)


def test_poison_costs_itself_whoever_meets_it_and_every_replay_leaves_out_the_same(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK)
    first = processes.toy(settings, TOY_POISONED="1")
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    load = [heart_rate(f"w{i % 40}", i) for i in range(1_200)]
    publish(settings, HEART_RATE, [*load[:300], poison("w1", "read"), *load[300:500], poison("w2", "act")])
    publish(settings, HEART_RATE, [*load[500:700], poison("w3", "read")])
    until("all are in or refused", lambda: settled(settings, "w1")["ingested"] == 700, 60)
    assert status(settings, "w1")["quarantined"] == 3
    publish(settings, HEART_RATE, [poison("w5", "act"), *load[700:]])  # by now it steps with care
    until("all are in or refused", lambda: settled(settings, "w1")["ingested"] == 1_200, 60)
    until("the last alert is out", lambda: len({row.value for row in read(settings, ALERTS)}) == 120)
    assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    processes.toy(settings, "w2", TOY_POISONED="1")  # it replays what the first one left out
    until("it owns all", lambda: len(settled(settings, "w2")["assigned"]) == 4, 60)
    until("it has counted the same", lambda: settled(settings, "w2")["ingested"] == 1_200, 60)
    assert len({row.value for row in read(settings, ALERTS)}) == 120
    refused = {one for one in letters(settings) if one[0] == "engine_error"}
    assert len(refused) == 4
    cuts = [
        cut
        for p in range(4)
        for cut in valid_cuts(
            ((row.offset, row.stamp_ms, row.value) for row in read(settings, "cuts.v1") if row.partition == p), p
        )
    ]
    named = {(p.partition, offset) for p in cuts for _, offset in p.without}
    assert named == {(partition, offset) for _, partition, offset in refused}
    report = verify(settings, new_engine=lambda _: PoisonedEngine(INPUTS))
    assert report.identical, report
    assert report.status == 0
