"""Told to end, a worker leaves the checkpoint of every partition, and nothing for its successor to replay."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.cuts import valid_cuts
from monitor.draining import Drain, Drained
from monitor.settings import Settings
from monitor.wearers.checkpoint import Checkpoints
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.test_worker import load
from tests.stream.world import environment, read, settled, status, until

COLOURS = re.compile(r"\x1b\[[\d;]*m")
SELDOM = {"interval_s": 3600.0}


def running(settings: Settings, *workers: str) -> None:
    """Wait until the workers own all partitions, and have cut what there is."""
    until("they own all", lambda: sorted(settled(settings, *workers)["assigned"]) == [0, 1, 2, 3])
    load(settings, 0, 400)
    until("all is read", lambda: settled(settings, *workers)["ingested"] == 400)


def behind_the_last_cut(settings: Settings) -> list[int]:
    """The partitions whose newest checkpoint stands at their last valid cut."""
    rows, place = read(settings, "cuts.v1"), Checkpoints(settings.checkpoint_place, partitions=4)
    found = []
    for p in range(4):
        cuts = list(valid_cuts(((row.offset, row.stamp_ms, row.value) for row in rows if row.partition == p), p))
        newest = place.newest(p, 10**12)
        if newest is not None and newest.position.at == cuts[-1].at:
            found.append(p)
    return found


@pytest.mark.stack
def test_sigterm_leaves_the_checkpoint_of_every_partition_behind_its_last_cut(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(checkpoint=SELDOM)
    worker = processes.toy(settings, TOY_SLOW_S="1.2")  # more than the two seconds that there once were
    running(settings, "w1")
    worker.terminate()
    worker.terminate()  # at once, as a supervisor and its service manager do: still orderly
    assert worker.wait(20) == 0
    assert behind_the_last_cut(settings) == [0, 1, 2, 3]
    assert "stopped checkpoints_written=4 partitions=4" in " ".join(COLOURS.sub("", processes.logs()).split())


@pytest.mark.stack
def test_a_second_signal_leaves_at_once(new_settings: NewSettings, processes: Processes) -> None:
    settings = new_settings(checkpoint=SELDOM)
    worker = processes.toy(settings, TOY_SLOW_S="6")
    running(settings, "w1")
    worker.terminate()
    time.sleep(1.5)  # it is the time between the two that tells one who insists
    assert worker.poll() is None
    began = time.monotonic()
    worker.send_signal(signal.SIGINT)
    assert worker.wait(10) == 128 + signal.SIGINT
    assert time.monotonic() - began < 3
    assert "told a second time to end" in processes.logs()


def drained(settings: Settings) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "drain"],
        env={**environment(settings), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.stack
def test_drain_has_every_worker_write_all_its_checkpoints_and_end_and_says_so(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(checkpoint=SELDOM, stream={"session_timeout_s": 15.0, "heartbeat_s": 1.0})
    workers = [processes.toy(settings, name, TOY_SLOW_S="0.3") for name in ("w1", "w2")]
    running(settings, "w1", "w2")
    until("each owns two", lambda: all(len(status(settings, name)["assigned"]) == 2 for name in ("w1", "w2")))
    stale = settings.state_dir / "status" / "w9.json"
    stale.write_text("{}")
    os.utime(stale, (1, 1))

    told, _ = (command := drained(settings)).communicate(timeout=60)

    assert command.returncode == 0, told
    assert [worker.wait(10) for worker in workers] == [0, 0]
    assert told.splitlines()[0].startswith("w9 is taken for dead: its status is ")
    for name in ("w1", "w2"):
        assert f"{name}: checkpoints of 2 of 2 partitions written in " in told
    assert behind_the_last_cut(settings) == [0, 1, 2, 3]
    assert not (settings.state_dir / "drain" / "request").exists()
    assert (settings.state_dir / "drained").exists()  # tests/local/test_mending.py: what that means to `up`
    stale.unlink()
    told, _ = (command := drained(settings)).communicate(timeout=60)
    assert (command.returncode, told.count("\n")) == (1, 1)
    assert "No worker of" in told


def test_a_worker_that_starts_while_a_request_lies_there_is_not_meant_and_answers_nobody(tmp_path: Path) -> None:
    before = Drain(tmp_path, "w1")
    assert not before.asked()
    before.answer(Drained(3, 4, 1.0))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "drain").mkdir()
    (tmp_path / "drain" / "request").write_text("one")
    after = Drain(tmp_path, "w2")
    assert (before.asked(), after.asked()) == (True, False)
    after.answer(Drained(4, 4, 1.0))
    before.answer(Drained(3, 4, 1.0))
    assert [path.name for path in (tmp_path / "drain").glob("*.json")] == ["w1.json"]
    (tmp_path / "drain" / "request").write_text("another")
    assert after.asked()


def test_a_worker_that_did_not_write_all_or_does_not_answer_makes_drain_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from monitor import draining

    settings = Settings(state_dir=tmp_path, stream={"stop_within_s": 0})
    (tmp_path / "status").mkdir()
    for name in ("slow", "mute"):
        (tmp_path / "status" / f"{name}.json").write_text("{}")
    slow = Drain(tmp_path, "slow")

    def meanwhile(seconds: float) -> None:
        slow.answer(Drained(3, 4, 25.0))

    monkeypatch.setattr(draining, "_NOTICE_S", -4.5)
    monkeypatch.setattr(time, "sleep", meanwhile)
    assert draining.drain(settings) == 1
    assert capsys.readouterr().out.splitlines() == [
        "slow: checkpoints of 3 of 4 partitions written in 25.0 s.",
        "mute: no answer within 0 s; its log says what it does.",
        f"What `python -m monitor up` keeps alive stays down until you remove {tmp_path / 'drained'}.",
    ]
