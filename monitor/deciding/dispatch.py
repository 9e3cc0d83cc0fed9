"""What each kind of event and timer decides: the place where slots, rules and policy meet."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.deciding.minutes import MinuteDecisions
from monitor.deciding.records import RecordDecisions
from monitor.deciding.standing import Standing
from monitor.wearers.events import Events, Kind
from monitor.wearers.fields import DECIDE, LEAVE, REPEAT, SILENCE

Ints = NDArray[np.int64]


class Decisions:
    """Hands events and timers to what decides them."""

    def __init__(self, standing: Standing) -> None:
        self._departures = standing.departures
        minutes = MinuteDecisions(standing)
        records = RecordDecisions(standing, minutes)
        self._handlers: dict[Kind, Callable[[Events], None]] = {
            Kind.PROFILE: records.profile,
            Kind.HEART_RATE: minutes.heart_rate,
            Kind.ACTIVITY: minutes.activity,
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

    def on_events(self, kind: Kind, these: Events) -> None:
        """Handle events of one kind, of distinct rows."""
        self._departures.seen(these.row, these.stamp_ms)
        self._handlers[kind](these)

    def on_timer(self, timer: int, row: Ints, at_ms: Ints) -> None:
        """Handle timers of one kind, of distinct rows, at the times at which they fire."""
        self._timers[timer](row, at_ms)
