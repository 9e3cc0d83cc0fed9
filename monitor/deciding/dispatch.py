"""What each kind of event and timer decides: the place where slots, rules and policy meet."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.deciding.minutes import MinuteDecisions
from monitor.deciding.records import RecordDecisions
from monitor.deciding.standing import Standing
from monitor.wearers.events import Events, Kind
from monitor.wearers.fields import DECIDE, LEAVE, REPEAT, SILENCE
from monitor.wearers.rounds import of_minutes

Ints = NDArray[np.int64]


class Decisions:
    """Hands events and timers to what decides them."""

    def __init__(self, standing: Standing) -> None:
        self._departures = standing.departures
        minutes = MinuteDecisions(standing)
        records = RecordDecisions(standing, minutes)
        self._minutes = minutes
        self._handlers: dict[Kind, Callable[[Events], None]] = {
            Kind.PROFILE: records.profile,
            Kind.SLEEP: records.sleep,
            Kind.WEATHER: records.weather,
            Kind.READING: records.reading,
            Kind.SCORE: records.score,
            Kind.COMMAND: records.command,
        }
        self._timers: dict[int, Callable[[Ints, Ints], None]] = {
            DECIDE: minutes.decide,
            SILENCE: minutes.silence,
            REPEAT: records.repeat,
            LEAVE: standing.departures.leave,
        }

    def on_events(self, these: Events) -> NDArray[np.bool_]:
        """Handle the next event of each row, and heart rate and activity behind it; return which were taken."""
        alike = int(these.kind[0])
        if alike in self._handlers and (these.kind == alike).all():
            return self._others(Kind(alike), these)
        minutes = of_minutes(these)
        if minutes.all():
            return self._of_minutes(these)
        took = np.ones(len(these), np.bool_)
        for kind in np.unique(these.kind[~minutes]).tolist():
            self._others(Kind(kind), these.take(these.kind == kind))
        if minutes.any():
            took[minutes] = self._of_minutes(these.take(minutes))
        return took

    def _others(self, kind: Kind, these: Events) -> NDArray[np.bool_]:
        self._departures.seen(these.row, these.stamp_ms)
        self._handlers[kind](these)
        return np.ones(len(these), np.bool_)

    def _of_minutes(self, these: Events) -> NDArray[np.bool_]:
        took = self._minutes.take(these)
        self._departures.seen(these.row[took], these.stamp_ms[took])  # of a row's stamps the last one stays
        return took

    def on_timer(self, timer: int, row: Ints, at_ms: Ints) -> None:
        """Handle timers of one kind, of distinct rows, at the times at which they fire."""
        self._timers[timer](row, at_ms)
