"""Children end with their owner, whatever happens to it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from monitor.local.leash import spawn
from tests.patience import patience

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER
OWNER = """
import sys
from pathlib import Path
from monitor.local.leash import spawn
child = spawn("sleeper", [sys.executable, "-c", sys.argv[2]], Path(sys.argv[1]))
print("started", flush=True)
sys.stdin.read()
"""


def pid_in(log: Path) -> int:
    """Wait until the child has written its process id."""
    deadline = time.monotonic() + patience(20)
    while time.monotonic() < deadline:
        if log.exists() and log.read_text().endswith("\n"):
            return int(log.read_text().split()[0])
        time.sleep(0.02)
    raise AssertionError("the child never started")


def ends(pid: int, within_s: float) -> bool:
    """Wait until no such process runs; a zombie that nobody has reaped yet has ended."""
    began = time.monotonic()
    while time.monotonic() < began + patience(within_s):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_child_ends_when_its_owner_is_killed_with_kill_9(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(log), SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        pid = pid_in(log)
        owner.kill()
    assert ends(pid, within_s=5)


def test_a_child_ends_when_its_leash_is_killed(tmp_path: Path) -> None:
    child = spawn("sleeper", [sys.executable, "-c", SLEEPER], tmp_path / "log")
    pid = pid_in(child.log)
    assert child.kill() == -signal.SIGKILL
    assert ends(pid, within_s=5)


def test_stop_asks_first_and_reports_the_signal(tmp_path: Path) -> None:
    child = spawn("sleeper", [sys.executable, "-c", SLEEPER], tmp_path / "log")
    pid_in(child.log)
    assert child.poll() is None
    assert child.stop() == -signal.SIGTERM


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    child = spawn("deaf", [sys.executable, "-c", DEAF], tmp_path / "log", patience_s=0.2)
    pid = pid_in(child.log)
    assert child.stop() == -signal.SIGKILL
    assert ends(pid, within_s=1)


def test_the_exit_status_and_the_output_are_the_childs(tmp_path: Path) -> None:
    child = spawn(
        "one",
        [sys.executable, "-c", "import os; print(os.environ['WHO']); raise SystemExit(7)"],
        tmp_path / "deep" / "log",
        {"WHO": "it was me"},
    )
    assert child.wait(patience(20)) == 7
    assert child.tail() == "it was me"
    child.ask_to_end()


def test_a_command_that_does_not_exist_says_so_in_the_log(tmp_path: Path) -> None:
    child = spawn("nothing", [tmp_path / "no-such-command"], tmp_path / "log")
    assert child.wait(patience(20)) == 1
    assert "does not exist" in child.tail()
    child.ask_to_end()


COUNTS = """
import os, signal, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
print(os.getpid(), flush=True)
while not told:
    time.sleep(0.02)
time.sleep(1.0)
raise SystemExit(len(told))
"""


def test_however_often_it_is_asked_a_child_is_told_to_end_once(tmp_path: Path) -> None:
    child = spawn("counter", [sys.executable, "-c", COUNTS], tmp_path / "log")
    pid_in(child.log)
    os.kill(child.pid, signal.SIGTERM)
    os.kill(child.pid, signal.SIGTERM)
    time.sleep(0.2)
    assert child.stop() == 1


def test_a_signal_to_the_leash_reaches_the_child(tmp_path: Path) -> None:
    child = spawn("sleeper", [sys.executable, "-c", SLEEPER], tmp_path / "log")
    pid_in(child.log)
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(patience(5)) == -signal.SIGTERM
    child.ask_to_end()
