"""One wearer who sends more than all others together: what a partition bears of one key."""

import time
from collections.abc import Callable, Iterator

from benchmarks.figure import Figure, Target, rate
from benchmarks.in_process import MINUTE_MS, TEAMS, Log, Message
from monitor.alerting.limits import Limits
from monitor.engine import Engine
from simulators import envelopes
from stream_schemas.topics import ACTIVITY, HEART_RATE

START_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
NOW_MS = START_MS + 1440 * MINUTE_MS
RECORDS, OF_A_STEP = 16_000, 4_000
HALF_A_DAY_MIN = 720
A_SECOND = 2_000
"""Records that are received within a second."""
NAME = "one"
KEY = NAME.encode()


def half_a_day_again(records: int) -> Iterator[Message]:
    """The minutes of the last twelve hours, heart rate and steps by turns, again and again."""
    for k in range(records):
        number, is_steps = divmod(k, 2)
        begin_ms = NOW_MS - (HALF_A_DAY_MIN - number % HALF_A_DAY_MIN) * MINUTE_MS
        stamp_ms = NOW_MS + 1000 * k // A_SECOND
        if is_steps:
            yield ACTIVITY, KEY, envelopes.activity(NAME, f"a{k}", begin_ms, [0]), stamp_ms
        else:
            bpm = [60 + (number + second // 7) % 20 for second in range(60)]
            yield HEART_RATE, KEY, envelopes.heart_rate(NAME, f"h{k}", begin_ms, envelopes.EVERY_SECOND, bpm), stamp_ms


def second_by_second(records: int) -> Iterator[Message]:
    """The last hours, a sample a record, late."""
    for k in range(records):
        at_ms = NOW_MS - (records - k) * 1000
        yield (
            HEART_RATE,
            KEY,
            envelopes.heart_rate(NAME, f"s{k}", at_ms, "0", [60 + k % 20]),
            NOW_MS + 1000 * k // A_SECOND,
        )


class OneWearer:
    """A wearer who is live, and then sends thousands of records at once; each round on an engine of its own."""

    def __init__(self, records: int = RECORDS) -> None:
        self._records = records
        self._minutes: list[tuple[float, float]] = []
        self._seconds: list[tuple[float, float]] = []
        self.decided = 0

    def prepare(self) -> None:
        """Nothing; each round begins anew."""

    def round(self) -> None:
        """Measure both kinds."""
        self._minutes.append((self._records, self._cpu_s(half_a_day_again)))
        self._seconds.append((self._records, self._cpu_s(second_by_second)))

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        how = (
            f"In process, {self._records:,} records of one wearer, {A_SECOND:,} received within a second, through"
            f" `Engine.step` with {OF_A_STEP:,} a step; process CPU time"
        )
        target = Target("at least", 10_000)
        return [
            rate(
                "one-wearer",
                self._minutes,
                "records/s of one core",
                f"{how}: the minutes of half a day, heart rate (60 samples) and steps by turns, again and again.",
                target,
            ),
            rate(
                "one-wearer-seconds",
                self._seconds,
                "records/s of one core",
                f"{how}: heart rate of the last hours, a sample a record.",
                target,
            ),
        ]

    def _cpu_s(self, send: Callable[[int], Iterator[Message]]) -> float:
        engine = Engine(Limits(), partitions=1, teams=TEAMS)
        engine.open(0)
        log = Log(engine, 1)
        bpm = [70] * 60
        live = envelopes.heart_rate(NAME, "live", NOW_MS - MINUTE_MS, envelopes.EVERY_SECOND, bpm)
        log.step(NOW_MS + 1, [(HEART_RATE, KEY, live, NOW_MS)])
        messages = list(send(self._records))
        began = time.process_time()
        for first in range(0, len(messages), OF_A_STEP):
            part = messages[first : first + OF_A_STEP]
            step = log.step(part[-1][3] + 1, part)
            if step.dead_letters:
                raise RuntimeError(f"The load is not valid: {dict(step.dead_letters)}.")
        step = log.step(messages[-1][3] + 2 * MINUTE_MS, [])
        took = time.process_time() - began
        self.decided += len(step.journal["minutes"]["minute"])
        return took
