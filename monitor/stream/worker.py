"""The worker: the core with all that is around it, as one process."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from aiokafka.errors import KafkaError

from models.errors import ModelError
from monitor.draining import Drain, Drained
from monitor.engine import Engine as RealEngine
from monitor.group_members import CORE_GROUP, require_sole
from monitor.local.worker_name import hold_name
from monitor.outputs import Output, ScoreDue
from monitor.scoring.batcher import Batcher
from monitor.scoring.device import Device
from monitor.scoring.switches import Switch, newest
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.app import new_app, serve
from monitor.stream.core import Core, Engine
from monitor.stream.memory import keep_small, settle, trim, without_pandas
from monitor.stream.owner import Owner
from monitor.stream.status import Status
from monitor.stream.transport import App
from monitor.stream.watchdog import Watchdog, input_ends
from monitor.topics import log_name, require
from monitor.version import engine_version
from monitor.wearers.checkpoint import Checkpoints
from monitor.wearers.journal import Journal
from monitor.wearers.spill import Spill
from stream_schemas.topics import CONTROL, CUTS, DEAD_LETTER, INPUTS, RISK_SCORES, alerts_topic

STATUS_S = 1.0
FAILED_CHECKPOINTS_S = 2.0
"""A worker that cannot go on takes checkpoints for so long: it shall be back soon."""
TRIM_S = 5.0

log = structlog.get_logger()


def run(settings: Settings, new_engine: Callable[[Settings], Engine] | None = None) -> int:
    """Run a worker until SIGTERM or SIGINT.

    Parameters
    ----------
    settings : Settings
    new_engine : callable, optional
        Another engine than the real one, for tests.

    Raises
    ------
    TopicsDiffer
        If the topics are not as the table says.
    WorkerNameTaken
        If another worker of this name runs.
    ReplayDiffers
        If the log and the cuts in it do not fit together.
    StoreUnreachable, CheckpointsDiffer
        If the place of checkpoints or journal cannot be used.
    Stalled
        If nothing moves though there is work: start it again.
    """
    keep_small()
    without_pandas()
    require(settings)
    with hold_name(settings.state_dir, settings.stream.worker_id):
        require_sole(settings)
        worker = Worker(settings, (new_engine or engine_of)(settings))
        app = new_app(CORE_GROUP, settings, worker.topics, worker.owner, settings.stream.pace_ms / 2000)
        worker.watch(app)
        serve(app, worker.work, stop_within_s=settings.stream.stop_within_s, told=worker.told_to_drain)
    return 0


def engine_of(settings: Settings) -> RealEngine:
    """Return the real engine as these settings make it."""
    return RealEngine(
        settings.limits,
        partitions=settings.stream.partitions,
        teams=settings.teams,
        score_every_min=settings.scoring.every_min,
        log_clock=settings.stream.clock == "log",
    )


class Worker:
    """One core, its owner, its scorer and its journal."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        prefix = settings.kafka.topic_prefix
        self.topics = [prefix + topic for topic in INPUTS]
        written = [CUTS, *map(alerts_topic, settings.teams), DEAD_LETTER, RISK_SCORES, CONTROL]
        self._sink = KafkaSink(settings.kafka.bootstrap_servers, prefix, written)
        held = Spill(settings.state_dir / "spill", settings.journal.spill_mib << 20)
        self._journal = Journal(settings.journal_place, log=log_name(settings), held=held)
        self._drain = Drain(settings.state_dir, settings.stream.worker_id)
        self._core = Core(engine, INPUTS, journal=self._journal.add, control=self._switch)
        self._checkpoints = Checkpoints(settings.checkpoint_place, partitions=settings.stream.partitions)
        self.version = engine_version()
        self.owner = Owner(
            settings, self._core, self._sink, self._score, self._checkpoints, self._journal, self.version
        )
        self._device = Device(settings.scoring.device)
        self._batcher = Batcher(
            self._device, batch=settings.scoring.batch, wait_ms=settings.scoring.wait_ms, publish=self._publish
        )
        self._status = Status(
            settings.state_dir / "status",
            settings.stream.worker_id,
            self._core,
            self.owner,
            self._device,
            self._batcher,
            version=self.version,
            partitions=settings.stream.partitions,
        )
        self._watchdog: Watchdog | None = None
        self._known: Switch | None = None
        self._switched = asyncio.Event()

    def watch(self, app: App) -> None:
        """Have a watchdog look at this worker and its place in the group."""
        ends = partial(input_ends, self._settings.kafka.bootstrap_servers)
        self._watchdog = Watchdog(self._settings.stream.stalled_s, lambda: self.owner.look(app.joining()), ends)

    async def work(self) -> None:
        """Do everything until cancelled, then leave in order.

        Raises
        ------
        StoreUnreachable, CheckpointsDiffer
            If the checkpoints' place cannot be used.
        """
        settle()
        stop_within_s = self._settings.stream.stop_within_s
        try:
            await asyncio.to_thread(self._checkpoints.check)
            await self._sink.start()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._step_for_ever())
                tasks.create_task(self.owner.checkpointer.run())
                tasks.create_task(self._write_status_for_ever())
                if self._watchdog is not None:
                    tasks.create_task(self._watchdog.run())
                tasks.create_task(self._trim_memory_for_ever())
                if self._settings.scoring.enabled:
                    tasks.create_task(self._keep_model_for_ever())
                    tasks.create_task(self._batcher.run())
        except BaseExceptionGroup as group:
            stop_within_s = FAILED_CHECKPOINTS_S
            raise group.exceptions[0] from None
        finally:
            await self._leave(stop_within_s)

    async def _leave(self, within_s: float) -> None:
        """Take the checkpoints that there is time for, say how many, and let go of everything."""
        began = time.monotonic()
        written, partitions = await self.owner.stop(within_s)
        drained = Drained(written, partitions, round(time.monotonic() - began, 3))
        log.info("stopped", partitions=partitions, checkpoints_written=written, seconds=drained.seconds)
        self._device.stop()
        await self._sink.stop(1.0)
        self._journal.close()
        self._drain.answer(drained)
        self._status.remove()

    async def told_to_drain(self) -> None:
        """Return when `python -m monitor drain` asks this worker to end."""
        while not self._drain.asked():  # noqa: ASYNC110 - another process asks
            await asyncio.sleep(STATUS_S)

    async def _step_for_ever(self) -> None:
        pace_s = self._settings.stream.pace_ms / 1000
        replaying = self._settings.stream.clock == "log" and self._settings.scoring.enabled
        while True:
            began = time.monotonic()
            await self.owner.tend()
            if replaying:
                await self._batcher.room()
            busy = await self.owner.step()
            await asyncio.sleep(0 if busy else max(0.0, pace_s - (time.monotonic() - began)))

    async def _trim_memory_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TRIM_S)
            await asyncio.to_thread(trim)

    async def _write_status_for_ever(self) -> None:
        failed = False
        while True:
            try:
                self._status.write()
                failed = False
            except OSError as failure:  # a full disk stops no stream
                if not failed:
                    log.error("the status file was not written and will be tried again", why=str(failure))
                failed = True
            await asyncio.sleep(STATUS_S)

    # ------------------------------------------------------------------------------------------------------- scoring

    def _score(self, due: ScoreDue) -> None:
        if self._settings.scoring.enabled and not self._device.hopeless:
            self._batcher.offer(due, self._core.engine.snapshot(due))

    async def _publish(self, outputs: Sequence[Output]) -> None:
        """Scores that do not reach the log are as if they had never been made; the next ones come in time."""
        try:
            async with asyncio.timeout(self._settings.stream.cut_timeout_s):
                await asyncio.gather(*await self._sink.send(outputs))
        except (KafkaError, TimeoutError, ConnectionError) as failure:
            log.warning("scores were not published", records=len(outputs), why=repr(failure))

    def _switch(self, values: list[bytes]) -> None:
        known = newest(values, self._known)
        if known is not self._known:
            self._known = known
            self._switched.set()

    async def _keep_model_for_ever(self) -> None:
        await self._device.load(await asyncio.to_thread(_first_bundle, self._settings))
        while True:
            await self._switched.wait()
            self._switched.clear()
            switch = self._known
            if switch is not None:
                await self._device.load(switch.folder, switch.sha256)


def _first_bundle(settings: Settings) -> Path | None:
    """Return the bundle to begin with: the settings', the registry's champion, or None for the packaged one."""
    if settings.scoring.bundle is not None:
        return settings.scoring.bundle
    from models.registry import Registry  # it brings torch, which takes seconds to import

    try:
        return Registry(settings.registry_folder).champion_path()
    except ModelError as problem:
        log.error("the registry's champion cannot be used, the packaged model is", why=str(problem))
        return None
