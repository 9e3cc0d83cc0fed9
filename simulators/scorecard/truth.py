"""Events: from a truth file of a simulator, from labels, from a simulated world."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simulators.errors import OptionRefused
from simulators.kinds import Kind
from simulators.scorecard.record import Event
from simulators.truth import Truth
from stream_schemas import rfc3339

KINDS: Mapping[str, Kind] = {kind.outcome: kind for kind in Kind}
MILD_BELOW = 0.7  # severity of labels by the simulator: silent below 0.3, mild 0.4 to 0.6, clear from 0.8


class TruthMissing(OptionRefused):
    """There is no truth to compare alerts with."""


@dataclass(frozen=True, slots=True)
class Told:
    """Truth as somebody told it; `unknown` counts kinds that are none of `Kind`, as faults of transport are."""

    events: list[Event]
    unknown: Counter[str]


@dataclass(frozen=True, slots=True)
class Label:
    """One label; `end` None = it was not over, or nobody said. Epoch minutes."""

    wearer: str
    outcome: str
    onset: int
    end: int | None
    severity: float | None
    silent: bool | None


def from_truths(rows: Iterable[Truth]) -> Told:
    """Take the truth of a simulated world."""
    return _told((row.wearer, row.kind, row.onset_min, row.end_min, row.form) for row in rows)


def from_labels(labels: Iterable[Label], until: int) -> Told:
    """Take labels; one without an end lasts until *until*. Of labels of one episode the last one counts."""
    last = {(one.wearer, one.outcome, one.onset): one for one in labels}
    return _told(
        (one.wearer, one.outcome, one.onset, max(until, one.onset + 1) if one.end is None else one.end, _form(one))
        for one in last.values()
    )


def read(path: Path) -> Told:
    """Read a truth file: the JSON document or the Parquet table that a simulator's ``--truth`` wrote.

    Raises
    ------
    TruthMissing
        If it is not there, is no such file, or holds no episode.
    """
    try:
        found = _table(path) if path.suffix == ".parquet" else _document(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise TruthMissing(
            f"{path} is no truth file ({reason}): use what `python -m simulators.wearable --truth FILE` wrote."
        ) from error
    if not found.events:
        raise TruthMissing(f"{path} holds no episode of a known kind: there is nothing to compare alerts with.")
    return found


def _document(path: Path) -> Told:
    rows = json.loads(path.read_text(encoding="utf-8"))["episodes"]
    return _told((row["wearer"], row["kind"], _minute(row["onset"]), _minute(row["end"]), row["form"]) for row in rows)


def _table(path: Path) -> Told:
    columns = pq.read_table(path, columns=["wearer", "kind", "onset", "end", "form"])
    ms = {name: columns[name].cast(pa.int64()).to_pylist() for name in ("onset", "end")}
    wearers, kinds, forms = (columns[name].to_pylist() for name in ("wearer", "kind", "form"))
    return _told(
        (wearer, kind, onset // 60_000, end // 60_000, form)
        for wearer, kind, onset, end, form in zip(wearers, kinds, ms["onset"], ms["end"], forms, strict=True)
    )


def _minute(text: str) -> int:
    at_ms = rfc3339.epoch_ms(text)
    if at_ms is None:
        raise ValueError(f"{text!r} is no time")
    return at_ms // 60_000


def _told(rows: Iterable[tuple[str, str, int, int, str]]) -> Told:
    out = Told([], Counter())
    for wearer, kind, onset, end, form in rows:
        if kind in KINDS:
            out.events.append(Event(wearer, KINDS[kind], int(onset), int(end), form))
        else:
            out.unknown[kind] += 1
    return out


def _form(label: Label) -> str:
    if label.silent:
        return "silent"
    if label.severity is None:
        return ""
    return "mild" if label.severity < MILD_BELOW else "clear"
