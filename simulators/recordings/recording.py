"""What every recording becomes: messages in the order of time, and a count of what could not honestly be sent."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.errors import RecordingsMissing
from stream_schemas import rfc3339, topics

MINUTE_MS = 60_000


class Record(NamedTuple):
    """One message; `at_ms` is when its last value was measured, which is the record's time."""

    at_ms: int
    topic: str
    key: str
    event: dict[str, Any]

    def value(self, shift_ms: int) -> bytes:
        """Return the JSON, with every time moved by *shift_ms*."""
        event = self.event
        if shift_ms:
            moved = {name: rfc3339.text(event[name] + shift_ms) for name in ("start", "end") if name in event}
        else:
            moved = {name: rfc3339.text(event[name]) for name in ("start", "end") if name in event}
        return msgspec.json.encode({**event, **moved})


@dataclass(slots=True)
class Recording:
    """All messages of one source. `left_out` counts what the source holds and the wire has no honest place for."""

    source: str
    zone: ZoneInfo
    records: list[Record] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def wearer(self, person: str) -> str:
        """Return the wearer id of a person."""
        return f"{self.source}-{person}"

    def add(self, at_ms: int, topic: str, person: str, name: str, device: str | None, **fields: Any) -> None:
        """Add one message; fields that are None are left away. `start` and `end` are epoch ms."""
        wearer = self.wearer(person)
        event: dict[str, Any] = {
            "schema": topics.BY_NAME[topic].schema,
            "event_id": f"{wearer}-{name}",
            "wearer_id": wearer,
        }
        if device is not None:
            event["device_id"] = f"{wearer}-{device}"
        event |= {key: value for key, value in fields.items() if value is not None}
        self.records.append(Record(at_ms, topic, wearer, event))

    def heart_rates(self, person: str, at_ms: NDArray[np.int64], bpm: NDArray[np.int64]) -> None:
        """Add samples in order of time, those of one minute in one message, gaps as they are."""
        minute = at_ms // MINUTE_MS
        first = np.flatnonzero(np.diff(minute, prepend=-1))
        for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(minute)], strict=True):
            start = int(minute[begin]) * MINUTE_MS
            self.add(
                int(at_ms[end - 1]),
                topics.HEART_RATE,
                person,
                f"h{start // MINUTE_MS}",
                "watch",
                start=start,
                offset_ms=(at_ms[begin:end] - start).tolist(),
                bpm=bpm[begin:end].tolist(),
            )

    def steps(self, person: str, minute: NDArray[np.int64], steps: NDArray[np.int64], longest: int = 15) -> None:
        """Add steps of distinct minutes in order of time, runs of consecutive minutes in one message."""
        breaks = (np.diff(minute, prepend=-1) != 1) | (minute % longest == 0)
        first = np.flatnonzero(breaks)
        for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(minute)], strict=True):
            start = int(minute[begin])
            self.add(
                (start + end - begin) * MINUTE_MS,
                topics.ACTIVITY,
                person,
                f"a{start}",
                "watch",
                start=start * MINUTE_MS,
                steps=steps[begin:end].tolist(),
            )

    def in_order(self) -> list[Record]:
        """Return all messages in the order of their times; equal times keep the order of the source."""
        return sorted(self.records, key=lambda record: record.at_ms)

    def local_ms(self, text: str, form: str = "%Y-%m-%d %H:%M:%S") -> int | None:
        """Read a local time without a zone as one in `zone`; None if it is none."""
        try:
            moment = datetime.strptime(" ".join(text.split()), form).replace(tzinfo=self.zone)
        except ValueError:
            return None
        return int(moment.timestamp() * 1000)

    def local_column(self, naive_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Read naive local epoch ms as times in `zone`, whose offset is looked up hour by hour."""
        hour, place = np.unique(naive_ms // 3_600_000, return_inverse=True)
        offsets = [
            int(datetime.fromtimestamp(h * 3600, UTC).replace(tzinfo=self.zone).utcoffset().total_seconds())  # type: ignore[union-attr]
            for h in hour.tolist()
        ]
        return np.asarray(naive_ms - np.array(offsets, dtype=np.int64)[place] * 1000, dtype=np.int64)


def folder(data: Path, name: str) -> Path:
    """Return the folder *name* in *data*, or *data* itself where it is that folder.

    Raises
    ------
    RecordingsMissing
        If neither is there.
    """
    if (data / name).is_dir():
        return data / name
    if data.name == name and data.is_dir():
        return data
    raise RecordingsMissing(f"There are no recordings in {data / name}: say with --data where they are.")


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a gzipped table.

    Raises
    ------
    RecordingsMissing
        If it cannot be read.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingsMissing(
            f"{path} cannot be read ({error}): fetch the data again or point --data elsewhere."
        ) from error
