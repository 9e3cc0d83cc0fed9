"""The simulator's truth file: what it published, and what really happened to its wearers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.demo.episodes import Episode
from monitor.errors import PulsewardenError


class TruthMissing(PulsewardenError):
    """The simulator left no truth file, so nothing can be counted."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the simulator says of itself.

    Attributes
    ----------
    events_published : mapping of str to int
        By topic, without a prefix.
    until_ms : int
        Simulated time up to which it published, epoch milliseconds.
    """

    seed: int
    episodes: Sequence[Episode]
    events_published: Mapping[str, int]
    until_ms: int


def read(path: Path) -> Truth:
    """Read a truth file.

    Raises
    ------
    TruthMissing
        If there is none: the simulator was killed before it could write it.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise TruthMissing(f"The simulator wrote no {path}: see its log beside it, then run the demo again.") from error
    return Truth(
        seed=int(document["seed"]),
        episodes=[_episode(item) for item in document["episodes"]],
        events_published={str(topic): int(number) for topic, number in document["events_published"].items()},
        until_ms=_epoch_ms(document["end"]),
    )


def _episode(item: Mapping[str, Any]) -> Episode:
    onset_ms = _epoch_ms(item["onset"])
    end = item.get("end")
    return Episode(
        wearer=item["wearer"],
        kind=item["kind"],
        onset_ms=onset_ms,
        end_ms=onset_ms if end is None else _epoch_ms(end),
        severity=item.get("severity"),
        silent=bool(item.get("silent")),
    )


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
