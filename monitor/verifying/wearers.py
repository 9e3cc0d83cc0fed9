"""Whose records were stamped below a T in use: what they decide depends on the cut, and nothing is promised of it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from numpy.typing import NDArray

from monitor.stream.records import Records
from stream_schemas.reasons import UNREADABLE
from stream_schemas.topics import ALERT_COMMANDS, CONTROL, INPUTS, RISK_SCORES

OUTSIDE = tuple(INPUTS.index(topic) for topic in (ALERT_COMMANDS, RISK_SCORES, CONTROL))
"""Inputs that answer what was decided before: they are outside the log clock, and no re-cut reads them ahead."""


class _Scores(msgspec.Struct):
    wearer_id: list[str]


_scores = msgspec.json.Decoder(_Scores).decode


@dataclass(slots=True)
class Touched:
    """Wearers of one partition, and how many records touched them; `all` where a record belongs to nobody."""

    records: int = 0
    wearers: set[str] = field(default_factory=set)
    all: bool = False

    def add(self, topic: str, records: Records, rows: NDArray[Any]) -> None:
        """Add the wearers of these rows."""
        self.records += len(rows)
        for row in rows.tolist():
            key, value = records.key[row], records.value[row]
            if topic == RISK_SCORES and value is not None:
                self._add_scored(value)
            elif key is not None:
                self.wearers.add(key.decode(errors="replace"))
            else:
                self.all = True

    def _add_scored(self, value: bytes) -> None:
        try:
            self.wearers.update(_scores(value).wearer_id)
        except UNREADABLE:
            return  # a dead letter whichever way it is cut

    def has(self, wearer_id: str) -> bool:
        """Tell whether a wearer is among them."""
        return self.all or wearer_id in self.wearers
