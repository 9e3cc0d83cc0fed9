"""Which alarm answers which event, and what the alarms are that answer none."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulators.kinds import CONFOUNDERS, TECHNICAL, Kind
from simulators.scorecard.answers import RULES, WINDOWS, answering, is_condition, is_judged, is_technical
from simulators.scorecard.record import Alarm, Event, Record, worn_share

LEAST_WORN = 0.5  # of an event's window: what nobody could have seen says nothing about the monitor


class Standing(IntEnum):
    """What an alarm is.

    ANSWER: an event that its rule answers. BESIDE: the wearer has something else that its rule is not there for.
    CONFOUNDED: nothing but a confounder. FALSE: nothing at all. UNJUDGED: truth knows nothing of what the rule looks
    for. TECHNICAL: about the data.
    """

    ANSWER = 0
    BESIDE = 1
    CONFOUNDED = 2
    FALSE = 3
    UNJUDGED = 4
    TECHNICAL = 5


@dataclass(frozen=True, slots=True)
class Met:
    """One event and what became of it.

    Attributes
    ----------
    begin, end : its window, both inclusive. eligible : worn for half of the window or more; always of the data's own.
    first : epoch minute of the first answering alarm in the window; None = missed. rules : those that answered.
    """

    event: Event
    begin: int
    end: int
    eligible: bool
    first: int | None
    rules: tuple[str, ...]


def window(event: Event) -> tuple[int, int]:
    """Return the first and the last minute at which an alarm finds an event.

    >>> window(Event("w", Kind.BRADYCARDIA, 100, 130))
    (85, 220)
    """
    reach = WINDOWS[event.kind]
    return event.onset - reach.before, min(event.onset + reach.after, event.end + reach.grace)


def lasting(event: Event) -> tuple[int, int]:
    """Return the first and the last minute at which an alarm is about an event; `window` may end before that."""
    reach = WINDOWS[event.kind]
    return event.onset - reach.before, event.end + reach.grace


def by_wearer(alarms: Iterable[Alarm], rules: Sequence[str] | None = None) -> dict[str, NDArray[np.int64]]:
    """Return the minutes at which alarms were raised, by wearer, in order; of some *rules* only."""
    found: dict[str, list[int]] = defaultdict(list)
    for alarm in alarms:
        if rules is None or alarm.rule in rules:
            found[alarm.wearer].append(alarm.raised)
    return {wearer: np.sort(np.array(times, np.int64)) for wearer, times in found.items()}


def met(record: Record) -> list[Met]:
    """Look for the answer to every event, confounders included (which nothing answers)."""
    of_rule: dict[tuple[str, str], NDArray[np.int64]] = {}
    for rule in {alarm.rule for alarm in record.alarms}:
        for wearer, times in by_wearer(record.alarms, [rule]).items():
            of_rule[rule, wearer] = times
    out = []
    for event in record.events:
        begin, end = window(event)
        eligible = event.kind in TECHNICAL or worn_share(record.worn.get(event.wearer), begin, end) >= LEAST_WORN
        first: dict[str, int] = {}
        for rule in answering(event.kind):
            if (rule, event.wearer) not in of_rule:
                continue
            times = of_rule[rule, event.wearer]
            at = int(np.searchsorted(times, begin))
            if at < len(times) and times[at] <= end:
                first[rule] = int(times[at])
        out.append(Met(event, begin, end, eligible, min(first.values(), default=None), tuple(sorted(first))))
    return out


@dataclass(frozen=True, slots=True)
class Judged:
    """One alarm and what it is; `confounder` names the kinds it met where it is CONFOUNDED."""

    alarm: Alarm
    standing: Standing
    confounders: tuple[Kind, ...] = ()


def judged(record: Record) -> list[Judged]:
    """Say of every alarm what it is."""
    around: dict[str, list[tuple[int, int, Kind]]] = defaultdict(list)
    for event in record.events:
        around[event.wearer].append((*lasting(event), event.kind))
    return [_judged(alarm, around.get(alarm.wearer, [])) for alarm in record.alarms]


def _judged(alarm: Alarm, around: Sequence[tuple[int, int, Kind]]) -> Judged:
    if is_technical(alarm.rule):
        return Judged(alarm, Standing.TECHNICAL)
    if not is_judged(alarm.rule):
        return Judged(alarm, Standing.UNJUDGED)
    now = {kind for begin, end, kind in around if begin <= alarm.raised <= end}
    if alarm.rule in RULES and now.intersection(RULES[alarm.rule].kinds):
        return Judged(alarm, Standing.ANSWER)
    if any(is_condition(kind) for kind in now):
        return Judged(alarm, Standing.BESIDE)
    confounders = tuple(sorted(now.intersection(CONFOUNDERS)))
    return Judged(alarm, Standing.CONFOUNDED if confounders else Standing.FALSE, confounders)
