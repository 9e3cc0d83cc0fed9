"""The whole demo, top to bottom: start, publish, count, measure at real speed, report, stop."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor import topics
from monitor.clock import SystemClock
from monitor.console.frame import WorkerStatus
from monitor.console.log_ends import LogEnds
from monitor.console.lookout import Lookout
from monitor.console.open_alerts import connect, open_versions
from monitor.console.projection import unapplied
from monitor.console.status_files import read_all
from monitor.demo import alert_log, episodes, live, truth
from monitor.demo.children import Children, finished
from monitor.demo.ctrl_c import CtrlC
from monitor.demo.outcome import Counted, counted_records, ingested, report_of, tell
from monitor.demo.report import LiveSection
from monitor.demo.screen import Screen
from monitor.errors import PulsewardenError, StackRunning
from monitor.local.address import is_locked
from monitor.local.stack import Stack
from monitor.settings import Settings
from monitor.verifying import verify
from stream_schemas.topics import INPUTS

LOOK_EVERY_S = 0.5
LIVE_S = 25.0
READY_S = 120.0
"""How long a worker may take to import torch and take its partitions on a busy machine."""
MODEL_S = 60.0
"""How long the start waits for the first model; without it the demo goes on, and the report says so."""
DRAIN_S = 60.0
"""How long nothing may move before what is missing counts as lost."""
FOREVER_S = 30 * 86_400
"""Simulated seconds of a demo that runs until Ctrl-C: 12 hours at the usual speed."""


class NotReady(PulsewardenError):
    """A part of the demo runs, but does not begin its work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; `seconds` None is until Ctrl-C, `live_s` 0 leaves the live section out."""

    seconds: float | None
    wearers: int
    speed: float
    seed: int
    live_s: float


def run(
    settings: Settings,
    *,
    seconds: float | None = None,
    wearers: int = 300,
    speed: float = 60.0,
    report: Path | None = None,
    plain: bool = False,
    seed: int = 7,
    live_seconds: float = LIVE_S,
) -> int:
    """Run the demo on a stack of its own in ``state_dir/demo``.

    Parameters
    ----------
    settings : Settings
        For all that the demo does not set itself: teams, partitions, scoring.
    seconds : float or None
        How long to publish; None until Ctrl-C.
    wearers, speed, seed
        Of the simulator.
    report : Path or None
        Where to write the report as JSON.
    plain : bool
        Lines instead of a picture.
    live_seconds : float
        Length of the section at real speed; it is left out after a Ctrl-C unless a report was asked for.

    Returns
    -------
    int
        0, or 1 if anything was lost, a crisis missed, or Redis and Kafka disagree.

    Raises
    ------
    PulsewardenError
        If a part cannot start or ends by itself.
    """
    began_s = time.monotonic()
    plan = Plan(seconds, wearers, speed, seed, live_seconds)
    folder = settings.state_dir.resolve() / "demo"
    jars = settings.state_dir.resolve() / "jars"
    with CtrlC() as ctrl_c, Screen(plain=plain) as screen:
        try:
            _empty(folder, screen)
            with Stack.start(folder, jars=jars, say=screen.say) as stack:
                demo = _Demo(settings, plan, stack, screen, ctrl_c)
                try:
                    counted = demo.simulate()
                    wanted = plan.live_s > 0 and (report is not None or not ctrl_c.asked)
                    section = demo.live() if wanted else None
                finally:
                    screen.back_to_lines()
                    screen.say("Stopping")
                    demo.children.stop()
        except KeyboardInterrupt:
            screen.tell("Stopped.")
            return 130
        result = report_of(counted, section, demo.peak_rss_mib, time.monotonic() - began_s)
        if report is not None:
            result.write(report)
        tell(screen, result, report)
    return 1 if result.problems else 0


class _Demo:
    """The running demo: its settings, children and screen."""

    def __init__(self, settings: Settings, plan: Plan, stack: Stack, screen: Screen, ctrl_c: CtrlC) -> None:
        self._plan, self._screen, self._ctrl_c = plan, screen, ctrl_c
        self._stack, self._settings = stack, settings
        self._clock = SystemClock()
        self._lookout: Lookout | None = None
        self.children = Children(stack.state_dir / "logs", stack)
        self.peak_rss_mib: float | None = None

    def simulate(self) -> Counted:
        """Publish simulated wearers faster than life, wait until all of it is in Redis, and count."""
        settings = self._derived("log", self._stack.state_dir, "", self._settings.redis.key_prefix)
        self._start_core(settings, "worker", "projector")
        self._screen.say("Ctrl-C ends the demo")
        self._ctrl_c.allow_ending()
        truth_file = self._stack.state_dir / "truth.json"
        began_s = time.monotonic()
        self._publish(settings, truth_file)
        said = truth.read(truth_file)
        published = {topic: number for topic, number in said.events_published.items() if topic in INPUTS}
        self._screen.say("Waiting until all of it has been read")
        workers = self._drain(settings, published)
        elapsed_s = time.monotonic() - began_s
        self.children.stop("worker")
        self._screen.say("Waiting until all alerts are in Redis")
        self._project(settings)
        alerts = alert_log.read(settings)
        client = connect(settings)
        open_in_redis = open_versions(client, settings)
        client.close()
        self.children.stop("projector")
        self._end_look()
        self._screen.say("Replaying the log, to see whether it gives the same alerts")
        replayed = verify(settings, other_cuts=self._plan.seed)
        read = ingested(workers, published)
        return Counted(
            published=published,
            ingested=read,
            matches=episodes.match(said.episodes, alerts.values()),
            published_until_ms=min(said.until_ms, max((worker.T_ms or 0 for worker in workers), default=0)),
            alerts=len(alerts),
            open_in_kafka={alert.alert_id: alert.version for alert in alerts.values() if alert.open},
            open_in_redis=open_in_redis,
            replayed=replayed,
            workers=workers,
            envelopes_per_s=sum(read.values()) / elapsed_s,
        )

    def live(self) -> LiveSection:
        """Measure, on topics with broker stamps of their own, how long a crisis takes to Redis at real speed."""
        self._screen.say("Live section: starting")
        settings = self._derived("broker", self._stack.state_dir / "live", "live.", "pw-live:")
        self._start_core(settings, "live-worker", "live-projector")
        self._screen.say("Live section: timing crises from broker stamp to Redis")
        section = live.measure(settings, self._plan.live_s, lambda: self._show(settings))
        self.children.stop("live-worker", "live-projector")
        self._end_look()
        return section

    def _derived(self, clock: str, state_dir: Path, topic_prefix: str, key_prefix: str) -> Settings:
        """Return the settings on our own stack."""
        ours, stack = self._settings, self._stack
        kafka = {"bootstrap_servers": stack.bootstrap_servers, "topic_prefix": topic_prefix, "replication_factor": 1}
        return ours.model_copy(
            update={
                "kafka": ours.kafka.model_copy(update=kafka),
                "redis": ours.redis.model_copy(update={"url": stack.redis_url, "key_prefix": key_prefix}),
                "stream": ours.stream.model_copy(update={"clock": clock}),
                "state_dir": state_dir,
            }
        )

    def _start_core(self, settings: Settings, worker: str, projector: str) -> None:
        self._screen.say("Creating topics")
        topics.create(settings)
        self._screen.say("Starting worker and projector")
        self.children.start(worker, "monitor", ["worker"], settings)
        self.children.start(projector, "monitor", ["projector"], settings)
        if not self._wait(lambda: _assigned(settings, self._clock) >= settings.stream.partitions, READY_S):
            raise NotReady(
                f"The worker took no partitions within {READY_S:.0f} s: see its log in {self.children.logs}."
            )
        if settings.scoring.enabled:
            self._screen.say("Loading the model")
            self._wait(lambda: _scoring(settings, self._clock), MODEL_S)

    def _publish(self, settings: Settings, truth_file: Path) -> None:
        plan = self._plan
        simulated_s = FOREVER_S if plan.seconds is None else plan.seconds * plan.speed
        options = {
            "--scenario": "demo",
            "--wearers": str(plan.wearers),
            "--speed": f"{plan.speed:g}",
            "--seed": str(plan.seed),
            "--duration": f"{simulated_s:.0f}",
            "--teams": ",".join(settings.teams),
            "--truth": str(truth_file),
        }
        arguments = [word for option in options.items() for word in option]
        self.children.start("simulator", "simulators.wearable", arguments, settings)
        simulator = self.children.release("simulator")
        told = False
        try:
            while not finished(simulator):
                self._show(settings)
                if self._ctrl_c.asked and not told:
                    told = True
                    self._screen.say("Ending; Ctrl-C again stops at once")
                    simulator.ask_to_end()
                time.sleep(LOOK_EVERY_S)
        finally:
            simulator.stop()

    def _drain(self, settings: Settings, published: Mapping[str, int]) -> list[WorkerStatus]:
        """Wait until the worker has counted everything, or nothing has moved for too long; return its last status."""
        wanted = sum(published.values())
        seen, moved_s = -1, time.monotonic()
        while True:
            self._show(settings)
            workers = read_all(settings.state_dir, self._clock.now_ms())
            now_seen = counted_records(workers, published)
            if now_seen != seen:
                seen, moved_s = now_seen, time.monotonic()
            if seen >= wanted or time.monotonic() - moved_s > DRAIN_S:
                return workers
            time.sleep(LOOK_EVERY_S)

    def _project(self, settings: Settings) -> None:
        client, log_ends = connect(settings), LogEnds(settings)
        try:
            self._wait(lambda: unapplied(client, log_ends, settings) == 0, DRAIN_S)
        finally:
            log_ends.close()
            client.close()

    def _wait(self, until: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not until():
            if time.monotonic() > deadline:
                return False
            self.children.check()
            time.sleep(0.2)
        return True

    def _show(self, settings: Settings) -> None:
        self.children.check()
        if self._lookout is None:
            self._lookout = Lookout(settings, self._clock)
        frame = self._lookout.look()
        memory = [worker.rss_mib for worker in frame.workers if worker.rss_mib is not None]
        self.peak_rss_mib = max([*memory, self.peak_rss_mib or 0.0]) or None
        self._screen.show(frame)

    def _end_look(self) -> None:
        if self._lookout is not None:
            self._lookout.close()
            self._lookout = None


def _empty(folder: Path, screen: Screen) -> None:
    """Wipe what an earlier demo left, unless one still runs there."""
    deadline = time.monotonic() + 15
    while is_locked(folder):
        screen.say("Waiting for another demo to end")
        if time.monotonic() > deadline:
            raise StackRunning(f"A demo already runs on {folder}: end it with Ctrl-C there first.")
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)


def _assigned(settings: Settings, clock: SystemClock) -> int:
    return sum(worker.assigned for worker in read_all(settings.state_dir, clock.now_ms()))


def _scoring(settings: Settings, clock: SystemClock) -> bool:
    return any(worker.model_version for worker in read_all(settings.state_dir, clock.now_ms()))
