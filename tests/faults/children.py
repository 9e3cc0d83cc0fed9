"""The processes of a run: workers and projectors, each killable, and all gone when the run is."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.settings import Settings
from tests.stream.world import REPOSITORY, environment, status

REFUSED = 2
"""Exit status of a process that says in one sentence what is wrong outside of it, or that only a fresh one helps."""


class Child:
    """One process of `python -m tests.faults.worker`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.process, self.log = name, process, log

    @property
    def frozen(self) -> bool:
        """Tell whether it is stopped by a signal."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in ("T", "t")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.process.kill()
        self.process.wait(10)


class Children:
    """All processes of one run."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.running: dict[str, Child] = {}
        self.ended: list[str] = []  # those that ended by themselves
        self.crashed: list[str] = []  # of those, the ones that did not say how to mend it
        self._started = 0

    def start(self, name: str, *arguments: str, role: str = "worker") -> Child:
        """Start a worker or a projector under a name; the names' order decides nothing."""
        self._started += 1
        log = self._folder / f"{self._started:03d}-{name}.log"
        limits = {
            f"PULSEWARDEN_LIMITS__{field.upper()}": str(value)
            for field, value in self.settings.limits.model_dump().items()
        }
        env = {**os.environ, **environment(self.settings), **limits, "PULSEWARDEN_STREAM__WORKER_ID": name}
        env.setdefault("OMP_NUM_THREADS", "1")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.worker", "--role", role, *arguments],
                cwd=REPOSITORY,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.running[name] = Child(name, process, log)
        return self.running[name]

    def workers(self, *, awake: bool = False) -> list[Child]:
        """Return the workers, by name; `awake` leaves out those that are frozen."""
        found = [child for name, child in sorted(self.running.items()) if name.startswith("w")]
        return [child for child in found if not (awake and child.frozen)]

    def kill(self, name: str) -> None:
        self.running.pop(name).kill()

    def gone(self) -> list[Child]:
        """Take out of the list whoever ended by itself, and return them."""
        gone = [child for child in self.running.values() if child.process.poll() is not None]
        for child in gone:
            del self.running[child.name]
            sentence = f"{child.name} ended by itself with {child.process.returncode}: {last_line(child.log)}"
            self.ended.append(sentence)
            if child.process.returncode != REFUSED:
                self.crashed.append(sentence)
        return gone

    def shares(self) -> dict[str, list[int]]:
        """Return what each running worker says it owns."""
        return {child.name: status(self.settings, child.name).get("assigned", []) for child in self.workers()}

    def owned(self) -> list[int]:
        """Return the partitions that the running workers say they own, repeated if two say so."""
        return sorted(p for share in self.shares().values() for p in share)

    def stop(self, names: Sequence[str] | None = None, within_s: float = 10.0) -> None:
        """Ask them to end as an operator would; who does not is killed."""
        leaving = [self.running.pop(name) for name in list(self.running) if names is None or name in names]
        for child in leaving:
            with contextlib.suppress(ProcessLookupError):
                child.send(signal.SIGCONT)
                child.send(signal.SIGTERM)
        for child in leaving:
            try:
                child.process.wait(within_s)
            except subprocess.TimeoutExpired:
                child.kill()

    def end(self) -> None:
        """Kill all of them."""
        for name in list(self.running):
            self.kill(name)

    def logs(self) -> str:
        """Return what all of them printed, in the order of their starts."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "(it said nothing)"
