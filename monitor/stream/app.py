"""The Faust app of a worker or a projector, and how its process starts and ends."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from monitor.errors import PulsewardenError
from monitor.settings import LEAVE_S, Settings
from monitor.stream.transport import App, Batches, Reader

FETCH_BYTES = 1024 * 1024
POLL_RECORDS = 20_000
REBALANCE_WITHIN_S = 20.0
"""A member that was killed while it joined holds the others up for so long at most."""
METADATA_AGE_MS = 5_000
"""Partitions that somebody adds to an input are noticed within this time."""
STOPS_WITHIN_S = 2.0
"""For the last words of whoever names no time of its own."""
_CLOSES_WITHIN_S = 1.5
_LEAVES_WITHIN_S = 2.0
_REPEATED_S = 1.0
"""A second signal within this time is the first one once more: a supervisor and its service manager both send it."""

log = structlog.get_logger()


class ConsumerEnded(PulsewardenError):
    """Faust or aiokafka gave up; a fresh process begins where the log stands."""


def new_app(name: str, settings: Settings, topics: Sequence[str], reader: Reader, fetch_pace_s: float) -> App:
    """Return an app whose one agent hands every fetch to the reader.

    Parameters
    ----------
    name : str
        Of the consumer group, below the topic prefix.
    topics : sequence of str
        Prefixed names; all have the same number of partitions.
    reader : Reader
    fetch_pace_s : float
        Time between two polls: the live cost is per fetched partition.
    """
    stream = settings.stream
    datadir = settings.state_dir / "faust" / f"{name}-{stream.worker_id}"
    datadir.mkdir(parents=True, exist_ok=True)
    group = settings.kafka.topic_prefix + name
    app = App(
        group,
        broker_client_id=stream.worker_id,  # two members of one name are found by it
        broker=[f"batch+kafka://{server.strip()}" for server in settings.kafka.bootstrap_servers.split(",")],
        store="memory://",
        datadir=str(datadir),
        web_enabled=False,
        topic_allow_declare=False,  # topics are provisioned
        topic_disable_leader=True,
        stream_wait_empty=False,  # Faust would wait for acknowledgements that decide nothing here
        stream_recovery_delay=0.0,
        consumer_auto_offset_reset="earliest",  # where it jumps, the reader sees the hole
        consumer_max_fetch_size=FETCH_BYTES,
        broker_max_poll_records=POLL_RECORDS,
        broker_session_timeout=stream.session_timeout_s,
        broker_heartbeat_interval=stream.heartbeat_s,
        broker_rebalance_timeout=REBALANCE_WITHIN_S,
        broker_commit_interval=1.0,
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        consumer_group_instance_id=f"{group}-{stream.worker_id}" if stream.static_membership else None,
        table_standby_replicas=1,  # 0 would lose the assignor that keeps partition n of all topics together
    )
    app.reader, app.fetch_pace_s = reader, fetch_pace_s

    @app.agent(app.topic(*topics, schema=Batches(key_type=bytes, value_type=bytes)))
    async def receive(stream: object) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]
            app.reader.receive(event.value)

    @app.on_partitions_revoked.connect
    async def revoked(*_: object, **__: object) -> None:
        await app.reader.revoked()

    return app


def serve(
    app: App,
    work: Callable[[], Awaitable[None]],
    *,
    stop_within_s: float = STOPS_WITHIN_S,
    told: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run an app, and `work` beside it, until SIGTERM or SIGINT; a second signal ends the process at once.

    Parameters
    ----------
    app : App
    work : callable
        Runs until it is cancelled, and then cleans up after itself; an exception ends the process.
    stop_within_s : float
        How long it may take for that; `monitor.settings.LEAVE_S` later the process has ended in any case.
    told : callable, optional
        Returns when the process shall end as if a signal had come.

    Raises
    ------
    PulsewardenError
        As `work` raised it.
    ConsumerEnded
        If Faust ended by itself.
    """
    logging.getLogger("faust").setLevel(logging.ERROR)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("mode").setLevel(logging.ERROR)
    asyncio.run(_serve(app, work, stop_within_s, told))


async def _serve(
    app: App,
    work: Callable[[], Awaitable[None]],
    stop_within_s: float,
    told: Callable[[], Awaitable[None]] | None,
) -> None:
    asked = _Asked()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.signalled, number)
    working = asyncio.ensure_future(work())
    running = asyncio.ensure_future(_run(app))
    stops = {asyncio.ensure_future(asked.wait())}
    if told is not None:
        stops.add(asyncio.ensure_future(told()))
    try:
        await asyncio.wait({working, running, *stops}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        threading.excepthook = _say_in_a_line
        _give_up_after(stop_within_s + LEAVE_S)
        working.cancel()
        await asyncio.wait({working}, timeout=stop_within_s + _CLOSES_WITHIN_S)
        try:
            await asyncio.wait_for(app.stop(), _LEAVES_WITHIN_S)
        except TimeoutError:
            log.warning("the consumer did not stop in time")
        for task in (running, *stops):
            task.cancel()
        await asyncio.wait({running, *stops}, timeout=0.5)
    for task in (working, running):
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error


class _Asked:
    """Whether a signal asked the process to end, and whether another one insists."""

    def __init__(self) -> None:
        self._first = asyncio.Event()
        self._at_s = 0.0

    def signalled(self, number: int) -> None:
        """Note a signal; the second one leaves at once, which costs no more than a crash does."""
        now_s = time.monotonic()
        if not self._first.is_set():
            self._first.set()
            self._at_s = now_s
        elif now_s - self._at_s >= _REPEATED_S:
            log.warning("told a second time to end: leaving at once", signal=signal.Signals(number).name)
            os._exit(128 + number)

    async def wait(self) -> None:
        """Wait for the first signal."""
        await self._first.wait()


async def _run(app: App) -> None:
    app.finalize()
    await app.start()
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        raise ConsumerEnded(f"The consumer ended ({app.crash_reason!r}): start it again; nothing is lost.") from (
            app.crash_reason
        )


def _say_in_a_line(thread: threading.ExceptHookArgs) -> None:
    """Say it in a line when the consumer's thread ends by an exception while we stop: aiokafka's does, without Kafka.

    What it held is of no use by then, and thirty lines of traceback are of no use to whoever pressed Ctrl-C.
    """
    log.warning("the consumer ended out of order, as it does while Kafka is away", why=thread.exc_type.__name__)


def _give_up_after(seconds: float) -> None:
    """End the process if stopping hangs: Faust joins its thread without a limit."""

    def give_up() -> None:
        log.error("the consumer cannot be stopped, as when Kafka hangs: the process ends without leaving its group")
        os._exit(3)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
