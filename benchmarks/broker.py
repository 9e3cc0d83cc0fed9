"""A Kafka and a Valkey for the figures that go through a broker, and the processes that are measured there."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kafka import KafkaAdminClient

from monitor import topics
from monitor.errors import PulsewardenError
from monitor.local.leash import Leashed, spawn
from monitor.local.stack import Stack
from monitor.settings import Settings, load

POLL_S = 0.02


class BenchmarkFailed(PulsewardenError):
    """A process ended by itself, or did not come to its end in time."""


class Bench:
    """A stack of our own in a temporary folder."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self._started = 0

    @classmethod
    @contextmanager
    def open(cls, say: Callable[[str], None]) -> Iterator["Bench"]:
        """Start Kafka and Valkey; the jars are kept where the demo keeps them."""
        jars = Path(".pulsewarden/jars").resolve()
        with TemporaryDirectory(prefix="pulsewarden-benchmark-") as folder:
            say("Starting Kafka and Valkey")
            with Stack.start(Path(folder), jars=jars) as stack:
                yield cls(stack, Path(folder))

    def settings(self, name: str, **values: Any) -> Settings:
        """Return settings with a topic prefix of their own; their topics exist."""
        made = load(
            kafka={"bootstrap_servers": self.stack.bootstrap_servers, "topic_prefix": f"{name}."},
            redis={"url": self.stack.redis_url, "key_prefix": f"{name}:"},
            state_dir=self.folder / name,
            **values,
        )
        topics.create(made)
        return made

    def start(self, name: str, module: str, arguments: Sequence[str], settings: Settings, **more: str) -> Leashed:
        """Start ``python -m module arguments`` with the settings."""
        self._started += 1
        argv = [sys.executable, "-m", module, *arguments]
        log = self.folder / f"{name}-{self._started}.log"
        return spawn(name, argv, log, env={**_environment(settings), **more})


@contextmanager
def running(child: Leashed) -> Iterator[Leashed]:
    """Stop a child at the end, however it comes."""
    try:
        yield child
    finally:
        child.stop()


def wait_for(what: str, seen: Callable[[], Any], timeout_s: float, *children: Leashed) -> Any:
    """Return the first answer of *seen* that is not None, while the children run.

    Raises
    ------
    BenchmarkFailed
        If it takes too long or a child ends.
    """
    deadline = time.monotonic() + timeout_s
    while (answer := seen()) is None:
        for child in children:
            if child.poll() not in (None, 0):
                raise BenchmarkFailed(f"The {child.name} ended with {child.poll()}:\n{child.tail(12)}")
        if time.monotonic() > deadline:
            tails = "\n".join(child.tail(8) for child in children)
            raise BenchmarkFailed(f"{what} did not happen within {timeout_s:.0f} s.\n{tails}")
        time.sleep(POLL_S)
    return answer


def status(settings: Settings) -> dict[str, Any] | None:
    """Return what the worker last said of itself, or None."""
    try:
        document: dict[str, Any] = json.loads(
            (settings.state_dir / "status" / f"{settings.stream.worker_id}.json").read_text()
        )
    except FileNotFoundError:
        return None
    return document


def forget_what_workers_wrote(settings: Settings) -> None:
    """Delete and make again cuts, scores, alerts and dead letters, so that a worker begins at the log's start."""
    prefix = settings.kafka.topic_prefix
    written = ["cuts.v1", "risk.scores.v1", "dead-letter.v1", *(f"alerts.{team}.v1" for team in settings.teams)]
    gone = {prefix + name for name in written}
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    try:
        admin.delete_topics(sorted(gone))
        wait_for("The deletion of topics", lambda: None if gone & set(admin.list_topics()) else True, 30)
    finally:
        admin.close()
    topics.create(settings)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "PULSEWARDEN_STATE_DIR": str(settings.state_dir),
        "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PULSEWARDEN_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PULSEWARDEN_REDIS__URL": settings.redis.url,
        "PULSEWARDEN_REDIS__KEY_PREFIX": settings.redis.key_prefix,
        "PULSEWARDEN_STREAM__CLOCK": settings.stream.clock,
        "PULSEWARDEN_STREAM__PARTITIONS": str(settings.stream.partitions),
        "PULSEWARDEN_STREAM__WORKER_ID": settings.stream.worker_id,
        "PULSEWARDEN_SCORING__ENABLED": str(settings.scoring.enabled).lower(),
        "PYTHONUNBUFFERED": "1",
    }
