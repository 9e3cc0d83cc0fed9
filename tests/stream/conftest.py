"""Worker and projector processes against the session's Kafka and Valkey, and what they left there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.settings import Settings
from tests.patience import patience
from tests.stream.world import REPOSITORY, environment


class Processes:
    """Children of a test; all are dead when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, settings: Settings, *module: str, **env: str) -> subprocess.Popen[bytes]:
        """Run `python -m module...` with these settings; its output is in a log file beside."""
        log = (self.folder / f"{module[-1]}-{len(self.running)}.log").open("wb")
        child = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY,
            env={**os.environ, **environment(settings), **env},
            stdout=log,
            stderr=log,
        )
        log.close()
        self.running.append(child)
        return child

    def toy(self, settings: Settings, worker_id: str = "w1", **env: str) -> subprocess.Popen[bytes]:
        """Run a worker with the toy engine."""
        env = {"PULSEWARDEN_STREAM__WORKER_ID": worker_id, "PULSEWARDEN_SCORING__ENABLED": "false", **env}
        return self.start(settings, "tests.stream.toy_worker", **env)

    def logs(self) -> str:
        """Return what all of them printed."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Start children with it."""
    folder = tmp_path / "logs"
    folder.mkdir()
    made = Processes(folder)
    yield made
    for child in made.running:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait(patience(10))
    print(made.logs())
