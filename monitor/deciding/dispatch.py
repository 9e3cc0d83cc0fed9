"""What each kind of event and timer decides: the place where slots, rules and policy meet."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.deciding.minutes import MinuteDecisions
from monitor.deciding.records import RecordDecisions
from monitor.deciding.standing import Standing
from monitor.wearers.events import Events, Kind
from monitor.wearers.fields import DECIDE, LEAVE, REPEAT, SILENCE
from monitor.wearers.rounds import OF_MINUTES

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
        of_minutes = np.isin(these.kind, OF_MINUTES)
        took = np.ones(len(these), np.bool_)
        others = these if not of_minutes.any() else these.take(~of_minutes)
        for kind in np.unique(others.kind):
            of_kind = others.take(others.kind == kind)
            self._departures.seen(of_kind.row, of_kind.stamp_ms)
            self._handlers[Kind(kind)](of_kind)
        if len(others) < len(these):
            minutes = these.take(of_minutes) if len(others) else these
            took[of_minutes] = acted = self._minutes.take(minutes)
            self._departures.seen(minutes.row[acted], minutes.stamp_ms[acted])  # of a row's stamps the last one stays
        return took

    def on_timer(self, timer: int, row: Ints, at_ms: Ints) -> None:
        """Handle timers of one kind, of distinct rows, at the times at which they fire."""
        self._timers[timer](row, at_ms)
