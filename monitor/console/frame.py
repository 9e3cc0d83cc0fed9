"""One look at a running stack, as plain data: what the view draws and the tests build by hand.

What is not known is None, never zero: a nurse must be able to tell "no open alerts" from "nobody could ask".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PRIORITIES = ("high", "medium", "low", "technical")
"""Worst first; also the order in which alerts are shown."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One open alert, as much of it as a line can show.

    Attributes
    ----------
    event_time_ms, raised_at_ms : int
        Epoch milliseconds: when the episode began, and when the alert was raised (log time).
    value, limit : float or None
        The measured value and the limit it broke, in `unit`; None where the rule has none.
    """

    alert_id: str
    version: int
    wearer_id: str
    team: str
    kind: str
    rule: str
    priority: str
    condition: str
    workflow: str
    event_time_ms: int
    raised_at_ms: int
    metric: str = ""
    value: float | None = None
    limit: float | None = None
    op: str = ""
    unit: str = ""
    text: str = ""
    unverified: bool = False
    late: bool = False
    escalation_level: int = 0

    @property
    def unseen(self) -> bool:
        """Whether nobody has acknowledged it yet."""
        return self.workflow == "unacked"


def worst_first(alerts: Sequence[AlertLine]) -> tuple[AlertLine, ...]:
    """Order alerts for a person: by priority, unacknowledged first, then newest first."""

    def place(alert: AlertLine) -> tuple[int, bool, int, str]:
        rank = PRIORITIES.index(alert.priority) if alert.priority in PRIORITIES else len(PRIORITIES)
        return rank, not alert.unseen, -alert.raised_at_ms, alert.alert_id

    return tuple(sorted(alerts, key=place))


@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """The open alerts in Redis at one moment; `total` may exceed the lines that were read."""

    lines: tuple[AlertLine, ...]
    total: int

    def count(self, priority: str, *, unseen: bool = False) -> int:
        """Return how many of the lines have a priority, or how many of those nobody has acknowledged."""
        return sum(line.priority == priority and (line.unseen or not unseen) for line in self.lines)


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What one worker last said of itself (one file in ``state_dir/status``).

    Attributes
    ----------
    age_s : float
        Seconds since the worker wrote it.
    ingested : mapping of str to int
        Events by topic since the worker started.
    dead_letters : mapping of str to int
        Dead letters by reason.
    T_ms : int or None
        The log time it has decided up to in the partition that is furthest behind, epoch milliseconds; None before
        its first cut.
    T_held_by : str or None
        The input that holds that T back, if the worker says so.
    left_out : mapping of str to int
        Inputs that some of its partitions go on without, and how many do.
    partitions : int or None
        Partitions of the log.
    unowned : mapping of str to str
        Partitions that were given to it and that it does not own, each with the reason.
    quarantined : int
        Records that were set aside because their application raised.
    clock_ahead : mapping of str to float
        Brokers whose clock is ahead, and by how many seconds.
    versions : str or None
        Version of the engine that decides.
    oldest_checkpoint_s : float or None
        Age of the partition's checkpoint that is oldest.
    checkpoints_failing : int
        Attempts in a row that wrote none.
    """

    worker_id: str
    age_s: float
    ingested: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    envelopes_per_s: float = 0.0
    T_ms: int | None = None
    lag_records: int | None = None
    below_T: int = 0
    late: int = 0
    scores: int = 0
    model_version: str | None = None
    device: str | None = None
    rss_mib: float | None = None
    assigned: int = 0
    owned: frozenset[int] = frozenset()
    T_held_by: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    partitions: int | None = None
    unowned: Mapping[str, str] = field(default_factory=dict)
    quarantined: int = 0
    clock_ahead: Mapping[str, float] = field(default_factory=dict)
    versions: str | None = None
    oldest_checkpoint_s: float | None = None
    checkpoints_failing: int = 0


@dataclass(frozen=True, slots=True)
class TopicLine:
    """Events of one input topic: so far (None if nobody says), and a second (None until two looks were taken)."""

    topic: str
    total: int | None
    per_s: float | None


def total(topics: Sequence[TopicLine]) -> int | None:
    """Return the events of all topics; None if nobody says."""
    known = [topic.total for topic in topics if topic.total is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Frame:
    """One look at the stack.

    Attributes
    ----------
    T_ms : int or None
        Log time, epoch milliseconds: the slowest worker's.
    log_clock : bool
        True when the records' own times are the clock (simulation, replay).
    speed : float or None
        Log seconds in a second, measured between two looks.
    alerts : OpenAlerts or None
        None when Redis has not answered yet.
    alerts_age_s : float
        Seconds since `alerts` was read; grows while Redis does not answer.
    workers : sequence of WorkerStatus
        Empty when no status file was found.
    notices : sequence of str
        Sentences about what is wrong with this look, worst first.
    """

    T_ms: int | None
    log_clock: bool
    speed: float | None
    topics: Sequence[TopicLine]
    alerts: OpenAlerts | None
    alerts_age_s: float
    workers: Sequence[WorkerStatus]
    notices: Sequence[str] = ()

    @property
    def stale(self) -> bool:
        """Whether anything shown is older than it should be."""
        return bool(self.notices)

    @property
    def dead_letters(self) -> dict[str, int]:
        """Dead letters of all workers by reason, most first."""
        total: dict[str, int] = {}
        for worker in self.workers:
            for reason, count in worker.dead_letters.items():
                total[reason] = total.get(reason, 0) + count
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def lag_records(self) -> int | None:
        """Records that Kafka holds and no worker has read yet; None when no worker says."""
        known = [worker.lag_records for worker in self.workers if worker.lag_records is not None]
        return sum(known) if known else None

    @property
    def ingested(self) -> int | None:
        """Events read so far, all topics; None if nobody says."""
        return total(self.topics)

    @property
    def per_s(self) -> float | None:
        """Events a second, all topics; None until two looks have been taken."""
        known = [line.per_s for line in self.topics if line.per_s is not None]
        return sum(known) if known else None
