"""A partition's state into values and back: its rows, late minutes, episodes, and what still waits for T.

Rows are named by their place in the checkpoint; a restored partition has other rows than the one that was saved. A
field or rule that the saved state does not know is zero, which means "nothing yet" everywhere. What this code does not
know is left out, and whoever restores is told (`Dropped`); a field that it knows otherwise makes the state unusable.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.policy import Episode
from monitor.alerting.rule_book import RuleBook, Switch
from monitor.deciding.standing import Standing
from monitor.rule import Rule
from monitor.saved import Dropped, Saved, SavedStateUnusable
from monitor.saved_document import (
    KINDS,
    RULES,
    Document,
    columns_of,
    decode,
    encode,
    episodes_of,
    kinds_of,
    named,
    objects,
    objects_of,
    places_of,
    switches_of,
)
from monitor.wearers.events import NUMBERS, Events, Samples, build
from monitor.wearers.fields import FIELDS
from monitor.wearers.shelf import Shelf
from monitor.wearers.waiting import Waiting

_LATE, _WAITING, _FIELD = "late.", "waiting.", "wearer."
_ALWAYS: frozenset[str] = frozenset(
    [_LATE + name for name in ("row", "minute", "touched_ms", "seconds")]
    + [_WAITING + name for name in (*NUMBERS, "second", "value")]
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What of a saved state is not in the rows: events that wait, and what was left out."""

    waiting: Events
    dropped: Dropped


@dataclass(frozen=True, slots=True)
class _Read:
    """A saved state, understood: nothing of it is in the rows yet; `waiting.row` is a place."""

    document: Document
    arrays: dict[str, NDArray[Any]]
    episodes: list[tuple[int, Rule, Episode]]
    waiting: Events
    switches: list[Switch]
    dropped: Dropped


def save(standing: Standing, shelf: Shelf, waiting: Waiting, rules: RuleBook, partition: int) -> Saved:
    """Copy all that is known of a partition, its rows onto the shelf."""
    state = standing.state
    rows = state.of_partition(partition)
    place = np.full(state.used, -1, np.int64)
    place[rows] = np.arange(len(rows))
    arrays = {_FIELD + name: column for name, column in shelf.copy(state, rows).items()}

    late = standing.late
    held = late.of_rows(rows)
    arrays[_LATE + "row"] = place[late.row[held]]
    arrays[_LATE + "minute"] = late.minute[held].astype(np.int64)
    arrays[_LATE + "touched_ms"], arrays[_LATE + "seconds"] = late.touched_ms[held], late.seconds[held]

    ours = waiting.of_rows(place >= 0)
    for name in NUMBERS:
        arrays[_WAITING + name] = getattr(ours, name)
    arrays[_WAITING + "row"] = place[ours.row] if len(ours) else ours.row
    arrays[_WAITING + "kind"] = places_of(ours.kind)
    arrays[_WAITING + "second"], arrays[_WAITING + "value"] = ours.samples.second, ours.samples.value
    carried, what = objects(ours)
    document = Document(
        wearers=[state.wearer_of[row] for row in rows.tolist()],
        zones=standing.profiles.zones,
        teams=list(standing.board.teams),
        rules=RULES,
        kinds=KINDS,
        episodes=named(standing.board.of_rows(place)),
        carried=carried,
        what=what,
        switches=[(stamp, offset, limits.model_dump_json()) for stamp, offset, limits in rules.of(partition)],
        of_settings=rules.of_settings(partition),
    )
    return shelf.lend(Saved({name: np.ascontiguousarray(array) for name, array in arrays.items()}, encode(document)))


def restore(standing: Standing, rules: RuleBook, partition: int, saved: Saved) -> Restored:
    """Add the rows of a saved partition to those that are there, and its rules to the book.

    Raises
    ------
    SavedStateUnusable
        If it was saved by code that keeps something else. Nothing was changed then.
    """
    read = _understood(saved)
    document, arrays, state = read.document, read.arrays, standing.state
    rows = state.add_many(document.wearers, partition)
    _fill(standing, rows, arrays, document.rules)
    state.zone[rows] = standing.profiles.places(document.zones)[state.zone[rows]]
    teams = standing.profiles.team_of
    state.team[rows] = np.array([teams.get(team, 0) for team in document.teams], np.uint8)[state.team[rows]]

    late = arrays[_LATE + "row"]
    if len(late):
        found = standing.late.places(rows[late], arrays[_LATE + "minute"], arrays[_LATE + "touched_ms"])
        standing.late.seconds[found] = arrays[_LATE + "seconds"]
    for place, rule, episode in read.episodes:
        standing.board.episodes[int(rows[place]), rule] = episode
    rules.restore(partition, read.switches, document.of_settings)
    return Restored(replace(read.waiting, row=rows[read.waiting.row]), read.dropped)


def _fill(standing: Standing, rows: NDArray[np.int64], arrays: dict[str, NDArray[Any]], rules: list[str]) -> None:
    """Put the fields into the rows, those of rules by the rules' names."""
    chosen, (ours, theirs) = _run(rows), columns_of(rules)
    for field in FIELDS:
        column, kept = standing.state.column(field.name), arrays.get(_FIELD + field.name)
        if kept is None:
            continue
        if field.by_rule and rules != RULES:
            column[rows[:, None], ours] = kept[:, theirs]
        else:
            column[chosen] = kept


def _run(rows: NDArray[np.int64]) -> Any:
    """Index rows that follow each other by a slice: it copies whole pages."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _understood(saved: Saved) -> _Read:
    try:
        document = decode(saved.document)
        unknown = _compare(saved.arrays, len(document.wearers), len(document.rules))
        switches, limits = switches_of(document)
        waiting, kinds = _waiting(saved.arrays, document)
        episodes = episodes_of(document)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SavedStateUnusable(
            f"A saved state cannot be read ({error}): another version of Pulsewarden wrote it."
        ) from error
    dropped = Dropped(unknown, _rules_unknown(saved.arrays, document.rules), dict(kinds), limits)
    return _Read(document, saved.arrays, episodes, waiting, switches, dropped)


def _waiting(arrays: dict[str, NDArray[Any]], document: Document) -> tuple[Events, Counter[str]]:
    """Return the events of the kinds that there are here, and count the others."""
    kind, unknown = kinds_of(document, arrays[_WAITING + "kind"])
    samples = Samples(arrays[_WAITING + "second"], arrays[_WAITING + "value"])
    columns = {name: arrays[_WAITING + name] for name in NUMBERS}
    events = build({**columns, "kind": kind, "what": objects_of(document)}, samples)
    return (events.take(kind >= 0).compact() if unknown else events), unknown


def _rules_unknown(arrays: dict[str, NDArray[Any]], names: list[str]) -> dict[str, int]:
    """Count, of each rule that there is not here, the wearers of whom something is held."""
    of_rules = [kept for field in FIELDS if field.by_rule and (kept := arrays.get(_FIELD + field.name)) is not None]
    found = {}
    for at, name in enumerate(names):
        if name not in Rule.__members__:
            found[name] = int(np.any([kept[:, at] != 0 for kept in of_rules], axis=0).sum())
    return {name: wearers for name, wearers in found.items() if wearers}


def _compare(arrays: dict[str, NDArray[Any]], wearers: int, rules: int) -> tuple[str, ...]:
    """See to it that what is known here is as it is here; return the names of what is not known and not all zero."""
    known = {_FIELD + f.name: (np.dtype(f.dtype), (wearers, *((rules,) if f.by_rule else f.shape))) for f in FIELDS}
    unknown = []
    for name, array in arrays.items():
        if name in known and known[name] != (array.dtype, array.shape):
            raise SavedStateUnusable(
                f"A saved state holds {name} as {array.dtype} {array.shape[1:]}, and this version otherwise: "
                "start the version that wrote it, or remove the checkpoints to replay the log."
            )
        if name not in known and name not in _ALWAYS and array.any():
            unknown.append(name)
    missing = _ALWAYS - set(arrays)
    if missing:
        raise SavedStateUnusable(f"A saved state lacks {sorted(missing)}: remove the checkpoints to replay the log.")
    return tuple(sorted(unknown))
