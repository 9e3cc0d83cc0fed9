"""What the doctor and the view tell of workers, disks, refused records and teams."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from monitor.clock import SystemClock
from monitor.console.lookout import Lookout
from monitor.doctor import examine
from monitor.doctoring import disks, log, workers
from monitor.doctoring.finding import Finding
from monitor.errors import WorkerNameTaken
from monitor.group_members import members, require_sole
from monitor.local.worker_name import hold_name
from monitor.settings import Settings, load
from stream_schemas.codec import encode
from stream_schemas.dead_letter import dead_letter
from stream_schemas.reasons import Reason, Rejected
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes, processes
from tests.stream.world import heart_rate, publish, settled, until

__all__ = ["processes"]  # a fixture


def say(settings: Settings, worker: str = "worker-1", age_s: float = 0.0, **document: Any) -> None:
    """Write a status file as a worker does."""
    folder = settings.state_dir / "status"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{worker}.json"
    path.write_text(json.dumps({"worker_id": worker, "T_ms": SystemClock().now_ms(), **document}))
    if age_s:
        then = SystemClock().now_ms() / 1000 - age_s
        os.utime(path, (then, then))


def here(tmp_path: Path) -> Settings:
    return load(state_dir=tmp_path, stream={"partitions": 4})


def told(found: list[Finding], what: str) -> Finding:
    return next(one for one in found if one.what == what)


def test_healthy_workers_have_nothing_to_mend_and_an_older_status_without_the_new_fields_is_no_fault(
    tmp_path: Path,
) -> None:
    settings = here(tmp_path)
    say(settings, assigned=[0, 1], lag_records=3, oldest_checkpoint_s=12.0)
    say(settings, "worker-2", assigned=[2, 3], lag_records=0, oldest_checkpoint_s=80.0)

    found = workers.status(settings)

    assert {one.verdict for one in found} == {"ok"}
    assert told(found, "workers").found == "2 report here, 3 records unread"
    assert told(found, "partitions").found == "all 4 are owned"
    assert (
        told(found, "checkpoints").found.startswith("the oldest is 80 s old")
        or "1 min" in told(found, "checkpoints").found
    )


@pytest.mark.parametrize(
    ("document", "what", "verdict", "sentence"),
    [
        ({"checkpoints_failing_in_a_row": 281}, "checkpoints", "wrong", "worker-1 failed to write a checkpoint, 281"),
        ({"checkpoints_failing_in_a_row": 1}, "checkpoints", "note", "worker-1 failed to write a checkpoint, 1 time"),
        ({"oldest_checkpoint_s": 3000.0}, "checkpoints", "wrong", "The oldest checkpoint of worker-1 is 50 min old"),
        ({"left_out": {"context.weather.v1": 2}}, "inputs", "wrong", "2 partitions without context.weather.v1"),
        (
            {"assigned": [0, 1, 2], "unowned": {"3": "Its cuts cannot be read."}},
            "partitions",
            "wrong",
            "Partition 3 is not worked on: Its cuts cannot be read",
        ),
        ({"assigned": [0, 2]}, "partitions", "note", "No worker that reports here owns partitions 1, 3"),
        ({"quarantined": 2}, "quarantine", "note", "2 records set aside"),
        ({"clock_ahead": {"2": 12.34}}, "clocks", "wrong", "The clock of broker 2 is 12.3 s ahead"),
    ],
)
def test_what_a_worker_says_of_trouble_is_told_with_what_to_do(
    document: dict[str, Any], what: str, verdict: str, sentence: str, tmp_path: Path
) -> None:
    settings = here(tmp_path)
    say(settings, **{"assigned": [0, 1, 2, 3], **document})

    finding = told(workers.status(settings), what)

    assert finding.verdict == verdict
    assert finding.found.startswith(sentence)
    assert finding.mend


def test_the_oldest_log_time_counts_and_the_input_that_holds_it_is_named(tmp_path: Path) -> None:
    settings, now = here(tmp_path), SystemClock().now_ms()
    say(settings, assigned=[0, 1])
    say(settings, "worker-2", assigned=[2, 3], T_ms=now - 95_000, T_held_by="vitals.sleep.v1")

    finding = told(workers.status(settings), "log time")

    assert finding.verdict == "wrong"
    assert finding.found == "Alerts come late: decided up to 1 min ago; vitals.sleep.v1 holds it back in worker-2"


def test_a_worker_that_is_gone_is_told(tmp_path: Path) -> None:
    settings = here(tmp_path)
    say(settings, age_s=200, assigned=[0, 1, 2, 3])
    finding = told(workers.status(settings), "workers")
    assert (finding.verdict, finding.found[:37]) == ("wrong", "STALE: worker-1 has said nothing for ")
    assert told(workers.status(here(tmp_path / "other")), "workers").verdict == "note"


def test_workers_of_two_versions_are_told(tmp_path: Path) -> None:
    settings = here(tmp_path)
    say(settings, assigned=[0, 1], versions="7")
    say(settings, "worker-2", assigned=[2, 3], versions="8")
    assert "different versions of the engine (7; 8)" in told(workers.status(settings), "workers").found


def test_the_view_names_what_holds_alerts_up(live_settings: Settings) -> None:
    late_ms = SystemClock().now_ms() - 300_000
    say(live_settings, assigned=[0, 1, 2], T_ms=late_ms, T_held_by="context.weather.v1", unowned={"3": "No leader."})
    say(live_settings, "worker-2", left_out={"vitals.sleep.v1": 1}, checkpoints_failing_in_a_row=3)
    lookout = Lookout(live_settings)
    try:
        frame = lookout.look()
    finally:
        lookout.close()
    assert frame.T_ms == late_ms
    assert [notice for notice in frame.notices if not notice.startswith("Kafka at")] == [
        "Partition 3 is not worked on: No leader.",
        "Alerts come late: decided up to 5 min ago; context.weather.v1 holds it back in worker-1.",
        "1 partition without vitals.sleep.v1: what comes of it later counts as late.",
        "worker-2 failed to write a checkpoint, 3 times in a row.",
    ]


def test_a_disk_that_is_nearly_full_is_told(small_disk: Path, tmp_path: Path) -> None:
    settings = load(state_dir=small_disk / "state", journal={"place": "s3://bucket/journal"})
    found = disks.disks(settings)
    assert [(one.verdict, one.found.partition(":")[0]) for one in found] == [
        ("wrong", "the state folder, checkpoints"),
        ("ok", "the journal"),
    ]


def refuse(settings: Settings, number: int, **headers: bytes) -> None:
    """Write heart rate that cannot be read, and the dead letters that a worker writes of it."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    vitals = settings.kafka.topic_prefix + "vitals.heart-rate.v1"
    for n in range(number):
        sent = producer.send(vitals, b"{", partition=n % 2, headers=list(headers.items())).get(patience(10))
        letter = dead_letter(
            Rejected(0, Reason.MALFORMED_JSON, "not JSON"),
            topic="vitals.heart-rate.v1",
            partition=sent.partition,
            offset=sent.offset,
            received_at_ms=1,
            key=b"wearer-of-the-north",
            value=b"{",
        )
        name = settings.kafka.topic_prefix + "dead-letter.v1"
        producer.send(name, encode(letter), partition=sent.partition)
    producer.flush(patience(30))
    producer.close()


def test_refused_records_are_told_by_gateway_and_never_by_wearer(live_settings: Settings) -> None:
    assert log.dead_letters(live_settings)[0].found == "none in the last hour"
    publish(live_settings, "vitals.heart-rate.v1", [heart_rate(f"w{n}", n) for n in range(88)])
    refuse(live_settings, 9, gateway=b"gateway-7")
    refuse(live_settings, 3)

    (finding,) = log.dead_letters(live_settings)

    assert finding.verdict == "wrong"
    assert finding.found == (
        "12 in the last hour: of vitals.heart-rate.v1 12.0%; from gateway-7 9, no named gateway "
        "(vitals.heart-rate.v1) 3; malformed_json 12"
    )
    assert "wearer-of" not in finding.found + finding.mend


def test_wearers_of_unknown_teams_are_counted_by_their_newest_profile(live_settings: Settings) -> None:
    def profile(wearer: str, team: str) -> tuple[bytes, bytes]:
        return wearer.encode(), json.dumps({"schema": "wearer/1", "wearer_id": wearer, "team": team}).encode()

    profiles = [profile("a", "north"), profile("b", "west"), profile("c", "west"), profile("d", "east")]
    publish(live_settings, "context.wearer.v1", [*profiles, profile("c", "south"), (b"d", None)])

    (finding,) = log.unknown_teams(live_settings)

    assert (finding.verdict, finding.found) == ("wrong", "1 wearer of teams that the settings do not know: west 1")
    assert finding.mend.startswith("Add them to PULSEWARDEN_TEAMS")


def test_alerts_that_wait_for_redis_are_told(live_settings: Settings) -> None:
    publish(live_settings, "alerts.north.v1", [(b"w1", b"{}")])
    found = told(examine(live_settings), "projector")
    assert (found.verdict, found.found) == ("wrong", "waiting for Redis: 1 alert version")


def test_a_second_worker_of_one_name_is_refused_on_this_machine_and_on_another(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={"session_timeout_s": 6.0, "worker_id": "w1"})
    processes.toy(settings)
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    assert [one.name for one in members(settings)] == ["w1"]

    with (
        pytest.raises(WorkerNameTaken, match=r"A worker named w1 already runs on \S+ \(process \d+\): give this one"),
        hold_name(settings.state_dir, "w1"),
    ):
        pass
    require_sole(settings)
    with pytest.raises(WorkerNameTaken, match=r"A worker named w1 already runs on 127\.0\.0\.1: give this one another"):
        require_sole(settings, here={"192.0.2.7"})

    other = settings.model_copy(update={"state_dir": settings.state_dir.with_name("elsewhere")})
    processes.toy(other)
    until("both are in the group", lambda: len(members(settings)) == 2)
    (finding,) = workers.names(settings)
    assert (finding.verdict, finding.found) == ("wrong", "2 workers are named w1, on 127.0.0.1, 127.0.0.1")


def test_a_name_is_free_when_its_worker_was_killed(tmp_path: Path) -> None:
    holds = (
        "import sys, pathlib, time; from monitor.local.worker_name import hold_name\n"
        "with hold_name(pathlib.Path(sys.argv[1]), 'w1'): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", holds, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with hold_name(tmp_path, "w1"):
        pass
