"""The stack, looked at again and again: status files, Redis and the ends of Kafka's logs, as one frame."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.clock import Clock, SystemClock
from monitor.console.frame import Frame, OpenAlerts, TopicLine, WorkerStatus
from monitor.console.log_ends import LogEnds
from monitor.console.open_alerts import connect, read_open
from monitor.console.projection import unapplied
from monitor.console.status_files import folder, read_all
from monitor.console.wording import count, duration
from monitor.console.worker_health import STALE_S, troubles
from monitor.errors import BrokerUnreachable, RedisUnreachable
from monitor.settings import Settings
from stream_schemas.topics import INPUTS

FORGOTTEN_S = 86_400.0
"""The status of a worker that has been gone for a day is history, not news."""
RATE_WINDOW_S = 5.0
BEHIND_S = 10.0
"""More unread records than are read in this many seconds: alerts come late, and the view says so."""

MUCH_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class _Seen:
    at_s: float
    totals: Mapping[str, int]
    T_ms: int | None


class Lookout:
    """Looks at a stack; a part that does not answer becomes a notice, and what it said last stays, with its age."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._redis = connect(settings)
        self._log_ends = LogEnds(settings)
        self._alerts: OpenAlerts | None = None
        self._alerts_read_s = time.monotonic()
        self._waited = 0
        """Alert versions on their way to Redis at the last look; the same way twice in a row is no accident."""
        self._seen: deque[_Seen] = deque()

    def look(self) -> Frame:
        """Take one look; waits a few seconds at most for a part that does not answer."""
        workers = read_all(self._settings.state_dir, self._clock.now_ms())
        workers = [worker for worker in workers if worker.age_s < FORGOTTEN_S]
        notices = self._read_alerts()
        notices += self._projector_notices()
        totals, worker_notices = self._totals(workers)
        notices += worker_notices
        known_T = [worker.T_ms for worker in workers if worker.T_ms is not None and worker.age_s < STALE_S]
        seen = _Seen(time.monotonic(), totals, min(known_T) if known_T else None)
        topics, speed = self._rates(seen)
        frame = Frame(
            T_ms=seen.T_ms,
            log_clock=self._settings.stream.clock == "log",
            speed=speed,
            topics=topics,
            alerts=self._alerts,
            alerts_age_s=time.monotonic() - self._alerts_read_s,
            workers=workers,
            notices=notices,
        )
        behind = _behind(frame)
        return frame if behind is None else replace(frame, notices=[*frame.notices, behind])

    def close(self) -> None:
        """End the connections."""
        self._log_ends.close()
        self._redis.close()

    def _read_alerts(self) -> list[str]:
        try:
            self._alerts = read_open(self._redis, self._settings)
        except RedisUnreachable as error:
            age = duration(time.monotonic() - self._alerts_read_s)
            return [str(error) if self._alerts is None else f"Alerts are {age} old. {error}"]
        self._alerts_read_s = time.monotonic()
        return []

    def _projector_notices(self) -> list[str]:
        """Say so if alerts in Kafka have not reached Redis: a dead projector must not look like a quiet ward."""
        try:
            waiting = unapplied(self._redis, self._log_ends, self._settings)
        except RedisUnreachable:
            return []
        except BrokerUnreachable as error:
            return [str(error)]
        stuck, self._waited = waiting > 0 and self._waited > 0, waiting
        if stuck or waiting > MUCH_WAITING:
            return [f"{count(waiting)} alert versions wait for Redis: is `python -m monitor projector` running?"]
        return []

    def _totals(self, workers: list[WorkerStatus]) -> tuple[dict[str, int], list[str]]:
        if not workers:
            where = folder(self._settings.state_dir)
            notice = f"No worker status in {where}: events are what Kafka holds; is a worker running there?"
            try:
                return self._log_ends.totals(INPUTS), [notice]
            except BrokerUnreachable:
                return {}, [notice]
        found = troubles(workers, self._settings, self._clock.now_ms())
        notices = [f"{trouble.found}." for trouble in found if trouble.urgent]
        totals = dict.fromkeys(INPUTS, 0)
        for worker in workers:
            for topic, number in worker.ingested.items():
                totals[topic] = totals.get(topic, 0) + number
        return totals, notices

    def _rates(self, seen: _Seen) -> tuple[list[TopicLine], float | None]:
        while self._seen and seen.at_s - self._seen[0].at_s > RATE_WINDOW_S:
            self._seen.popleft()
        first = self._seen[0] if self._seen else None
        self._seen.append(seen)
        if first is None or seen.at_s - first.at_s < 0.5:
            return [TopicLine(topic, total, None) for topic, total in seen.totals.items()] or _nobody_says(), None
        elapsed_s = seen.at_s - first.at_s
        lines = []
        for topic, total in seen.totals.items():
            more = total - first.totals.get(topic, total)
            lines.append(TopicLine(topic, total, more / elapsed_s if more >= 0 else None))
        speed = None if seen.T_ms is None or first.T_ms is None else (seen.T_ms - first.T_ms) / 1000 / elapsed_s
        return lines or _nobody_says(), speed


def _nobody_says() -> list[TopicLine]:
    return [TopicLine(topic, None, None) for topic in INPUTS]


def _behind(frame: Frame) -> str | None:
    lag, per_s = frame.lag_records, frame.per_s
    if lag is None or not per_s or lag < BEHIND_S * per_s:
        return None
    return f"Alerts come late: {count(lag)} records behind, about {duration(lag / per_s)}."
