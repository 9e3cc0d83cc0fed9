"""The journal of real workers that are killed: every reading that was decided is in it once."""

import json
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from models.journal_reading import Journal
from monitor.settings import Settings
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.world import publish, status, until

PRESSURE = "vitals.blood-pressure.v1"
Reading = tuple[str, int]


def readings(wearers: int, systolic: int) -> list[tuple[bytes, bytes]]:
    """Return one reading of each wearer; the systolic value tells which delivery it was."""
    start = datetime.fromtimestamp(time.time() - 60, UTC).isoformat()
    return [
        (
            f"w{n}".encode(),
            json.dumps(
                {
                    "schema": "blood-pressure/1",
                    "event_id": f"w{n}-{systolic}",
                    "wearer_id": f"w{n}",
                    "device_id": "cuff",
                    "start": start,
                    "systolic_mmhg": systolic,
                    "diastolic_mmhg": 80,
                    "measurement_method": "cuff_oscillometric",
                }
            ).encode(),
        )
        for n in range(wearers)
    ]


def counted(settings: Settings) -> Counter[Reading]:
    rows = Journal(settings.journal_place).read("bp")
    return Counter() if rows is None else Counter((row["wearer_id"], row["systolic"]) for row in rows.to_pylist())


def test_rows_of_workers_that_are_killed_count_once(new_settings: NewSettings, processes: Processes) -> None:
    stays = {"static_membership": True}  # a killed worker's successor need not wait for its session to end
    settings = new_settings(scoring={"enabled": False}, checkpoint={"interval_s": 0.5}, stream=stays)
    wanted: set[Reading] = set()

    def all_there() -> bool:
        return not wanted - set(counted(settings))

    for life in range(2):
        worker = processes.start(settings, "monitor", "worker")
        for delivery in range(2):
            systolic = 110 + 2 * life + delivery
            publish(settings, PRESSURE, readings(30, systolic))
            wanted |= {(f"w{n}", systolic) for n in range(30)}
            if delivery == 0:
                until("the first delivery is in the journal", all_there)
        worker.send_signal(signal.SIGKILL)  # the second one may be decided, journaled, in a checkpoint, or not
        worker.wait(patience(10))
    processes.start(settings, "monitor", "worker")
    until("every delivery is in the journal", all_there)
    assert counted(settings) == Counter(dict.fromkeys(wanted, 1))


def test_rows_that_wait_while_the_place_fails_count_once_whether_it_comes_back_or_the_worker_is_killed(
    new_settings: NewSettings, processes: Processes
) -> None:
    stays = {"static_membership": True}
    settings = new_settings(scoring={"enabled": False}, checkpoint={"interval_s": 0.5}, stream=stays)
    place, spilled = Path(settings.journal_place), settings.state_dir / "spill"
    wanted: set[Reading] = set()

    def deliver(systolic: int) -> None:
        publish(settings, PRESSURE, readings(30, systolic))
        wanted.update((f"w{n}", systolic) for n in range(30))

    def all_there() -> bool:
        return not wanted - set(counted(settings))

    def files() -> list[Path]:
        return list(spilled.rglob("*.parquet"))

    worker = processes.start(settings, "monitor", "worker")
    deliver(110)
    until("the first delivery is in the journal", all_there)
    for systolic in (111, 112):
        place.rename(settings.state_dir / "aside")
        place.write_text("a file in its way")
        deliver(systolic)
        until("rows of all four partitions are on the local disk", lambda: len(files()) >= 4)
        if systolic == 112:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
        place.unlink()
        (settings.state_dir / "aside").rename(place)
        if systolic == 112:
            processes.start(settings, "monitor", "worker")
        until("every delivery is in the journal", all_there)
        until("nothing waits any more", lambda: not files())
    assert counted(settings) == Counter(dict.fromkeys(wanted, 1))
    assert status(settings, "worker-1")["journal_rows_lost"] == 0
