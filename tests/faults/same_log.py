"""One log, read in many ways: fetches of 1 to 50,000 records, one to three workers. The alerts are the same.

The log is written once with the times of its story, and copied record by record for each way of reading it. Other fetch
sizes mean other cuts, so everything but `raised_at` must be equal (I4); and under the cuts that were made, a worker
that replays the log with another fetch size must give every byte again, which the digests in the cuts decide (I14).
"""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from monitor.settings import Settings
from stream_schemas.partition import murmur2_partition
from tests.faults.agreement import agreement
from tests.faults.children import Children
from tests.faults.cut_watch import CutWatch
from tests.faults.driver import producer
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.history import Told, check, silences
from tests.faults.records import ends, read_all
from tests.faults.row import Row
from tests.faults.run import Say
from tests.faults.story import Message, Plot, Story
from tests.stream.world import until

BEGIN_MS = 1_767_571_200_000  # 2026-01-05
WAYS = ((50_000, 1), (1, 1), (7, 2), (500, 3), (1, 3), (50_000, 2))
"""(records fetched at once, workers)."""


def read_in_many_ways(fault: Fault, ground: Ground, seed: int, share: float, say: Say) -> Row:
    """Let workers read copies of one log and compare what they say."""
    row = Row(fault.name, seed)
    story = Story(Plot(seed, wearers=60, seconds=40.0, minutes=60))
    messages = story.messages(BEGIN_MS)
    first: set[str] | None = None
    took_s: list[float] = []
    for records, workers in WAYS if share > 0.5 else WAYS[:4]:
        settings = ground.settings("same-log", stream={"clock": "log", "pace_ms": 0})
        try:
            alerts = _read(settings, messages, records, workers, row, took_s)
        finally:
            ground.forget(settings)
        told = {_without_raised_at(one) for one in alerts}
        first = first if first is not None else told
        row.different += len(told ^ first)
        must, may = silences(
            [(m.topic, BEGIN_MS + round(m.at_s * 1000), m.value) for m in messages],
            BEGIN_MS + round(messages[-1].at_s * 1000),
        )
        history = check(alerts, story.expected() + must, may)
        row.alerts_expected += history.expected
        row.lost += history.lost
        row.doubled += history.doubled
        row.different += history.different
        row.why += history.why
        say(
            f"fetches of {records}, {workers} workers: {len(told)} versions, {len(told ^ first)} unlike the first, "
            f"{history.lost} lost, {history.doubled} doubled; in all {row.below_T} records below T"
        )
    row.recovery_s = round(median(took_s), 2)
    return row


def _read(
    settings: Settings, messages: Sequence[Message], records: int, workers: int, row: Row, took_s: list[float]
) -> list[Told]:
    _write(settings, messages)
    reach = ends(settings)
    row.events += sum(reach.values())
    watch, children = CutWatch(settings), Children(settings, settings.state_dir.parent / "logs")
    try:
        for i in range(workers):
            children.start(f"w{i + 1}", "--fetch", str(records))
        until("the log is read", lambda: watch.reached(reach), 120)
        children.stop()  # and the outputs of the last cut are out
        found = read_all(settings)
        equal = agreement(settings, found, row.seed)
        row.outputs += equal.expected
        row.below_T += equal.below_T
        row.lost += equal.missing
        row.different += equal.different + (0 if equal.below_T else equal.others)
        row.repeated += equal.repeated
        # Another worker replays all of it under the same cuts, with another fetch size: the digests must agree.
        shutil.rmtree(Path(settings.checkpoint_place), ignore_errors=True)
        row.faults += 1
        began = time.monotonic()
        children.start("w8", "--fetch", str(50 if records != 50 else 5_000))
        until("all is owned again", lambda: children.gone() or children.owned() == list(watch.partitions), 60)
        took_s.append(time.monotonic() - began)
        row.why += children.ended
        row.different += len(children.ended)
    finally:
        children.end()
        watch.close()
    return found.alerts


def _write(settings: Settings, messages: Sequence[Message]) -> None:
    out = producer(settings, linger_ms=20, enable_idempotence=True)  # in order, whatever is tried again
    for message in messages:
        key = message.wearer.encode()
        out.send(
            settings.kafka.topic_prefix + message.topic,
            message.value,
            key=key,
            partition=murmur2_partition(key, settings.stream.partitions),
            timestamp_ms=BEGIN_MS + round(message.at_s * 1000),
        )
    out.flush(60)
    out.close(10)


def _without_raised_at(told: Told) -> str:
    alert = json.loads(told.value)
    alert.pop("raised_at")
    return json.dumps([told.partition, alert], sort_keys=True)


FAULTS = [
    Fault(
        "fetch-sizes",
        "one log read with fetches of 1 to 50,000 records by one to three workers",
        act=lambda run: None,
        run_alone=read_in_many_ways,
    ),
]
