"""What ends is started again, and Ctrl-C ends everything."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.local.address import is_locked
from monitor.local.supervisor import Part, Supervisor
from tests.patience import patience

SLEEPS = "import time; print('hello', flush=True); time.sleep(600)"


def until(what: str, true: Callable[[], object], within_s: float = 30.0) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + patience(within_s), f"not within {within_s} s: {what}"
        time.sleep(0.02)


def looked(supervisor: Supervisor) -> bool:
    supervisor.look()
    return True


def part(program: str, name: str = "part", **environment: str) -> Part:
    return Part(name, [sys.executable, "-c", program], environment)


def test_an_end_is_said_with_its_last_sentence_and_each_restart_comes_later_than_the_one_before(tmp_path: Path) -> None:
    said: list[str] = []
    program = "import sys; print('pulsewarden: No Kafka answers: start one.\\n', file=sys.stderr); sys.exit(2)"
    with Supervisor([part(program)], tmp_path, said.append, first_s=0.02, longest_s=0.07) as supervisor:
        until("it ended four times", lambda: looked(supervisor) and len(said) >= 4)
    waits = [
        re.fullmatch(r"part ended \(status 2: No Kafka answers: start one\); it starts again in (\S+) s\.", s)
        for s in said
    ]
    assert [found and found.group(1) for found in waits[:4]] == ["0.02", "0.04", "0.07", "0.07"]


def test_who_ran_long_is_started_again_soon(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor([part("")], tmp_path, said.append, first_s=0.02, steady_s=0.0) as supervisor:
        until("it ended three times", lambda: looked(supervisor) and len(said) >= 3)
    assert {sentence.split()[-2] for sentence in said} == {"0.02"}
    assert "(status 0: it said nothing)" in said[0]


def test_one_that_is_killed_comes_back_and_the_others_stay(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor([part(SLEEPS, "a"), part(SLEEPS, "b")], tmp_path, said.append, first_s=0.02) as supervisor:
        logs = [tmp_path / "a.log", tmp_path / "b.log"]
        until("both run", lambda: all(log.exists() and log.read_text() for log in logs))
        os.kill(supervisor._kept[0].running.pid, signal.SIGKILL)  # type: ignore[union-attr]
        until("it is back", lambda: looked(supervisor) and logs[0].read_text().count("hello") == 2)
        began = time.monotonic()
    assert time.monotonic() - began < patience(5)
    assert said == ["a ended (killed by SIGKILL); it starts again in 0.02 s."]
    assert logs[1].read_text().count("hello") == 1


def processes_of(owner: int) -> dict[str, int]:
    """Return the Python processes below another: their last argument -> process id."""
    found = {}
    for leash in children(owner):
        for pid in children(leash):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
            environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
            name = re.search(r"WORKER_ID=([^\0]+)", environment)
            if words and words[-1] in (b"worker", b"projector"):
                found[name.group(1) if name else words[-1].decode()] = pid
    return found


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def assigned(state: Path, worker: str) -> list[int]:
    try:
        found: list[int] = json.loads((state / "status" / f"{worker}.json").read_text())["assigned"]
    except FileNotFoundError:
        return []
    return found


@pytest.mark.stack
def test_up_with_workers_is_a_whole_installation_that_mends_itself_and_ends_on_ctrl_c(
    jars: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "jars").symlink_to(jars)
    said = tmp_path / "said"
    settings = {
        "PULSEWARDEN_STATE_DIR": str(state),
        "PULSEWARDEN_SCORING__ENABLED": "false",
        "PULSEWARDEN_STREAM__PARTITIONS": "4",
    }
    with said.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "monitor", "up", "--workers", "2"],
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        until("both workers run", lambda: all((state / "status" / f"worker-{n}.json").exists() for n in (1, 2)), 60)
        until("they have all partitions", lambda: assigned(state, "worker-1") + assigned(state, "worker-2"), 60)
        running = processes_of(up.pid)
        assert set(running) == {"worker-1", "worker-2", "projector"}
        os.kill(running["worker-1"], signal.SIGKILL)
        until("that is said", lambda: "worker-1 ended (killed by SIGKILL); it starts again in 1 s." in said.read_text())
        until("it is back", lambda: processes_of(up.pid).get("worker-1", running["worker-1"]) != running["worker-1"])
        began = time.monotonic()
        up.send_signal(signal.SIGINT)
        assert up.wait(patience(25)) == 0
        print(f"stopped within {time.monotonic() - began:.1f} s")
        assert processes_of(up.pid) == {}
        assert not is_locked(state)
    finally:
        up.kill()
        up.wait()
        print(said.read_text())
