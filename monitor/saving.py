"""A partition's state into values and back: its rows, late minutes, episodes, and what still waits for T.

Rows are named by their place in the checkpoint; a restored partition has other rows than the one that was saved. A
field that the saved state does not know is zero, which means "nothing yet" everywhere; one that this code does not
know, or knows otherwise, makes it unusable.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.alerting.policy import Episode
from monitor.alerting.rule_book import Switch
from monitor.deciding.standing import Standing
from monitor.saved import Saved, SavedStateUnusable
from monitor.wearers.events import NUMBERS, Events, Kind, Samples, build
from monitor.wearers.fields import FIELDS
from monitor.wearers.reported import Order, Report, Reported, Session
from monitor.wearers.shelf import Shelf
from monitor.wearers.waiting import Waiting
from stream_schemas.score import RiskScores
from stream_schemas.wearer import WearerProfile

_CARRIES: dict[Kind, Any] = {
    Kind.PROFILE: WearerProfile | None,
    Kind.SLEEP: Session,
    Kind.WEATHER: Report,
    Kind.READING: Reported,
    Kind.SCORE: RiskScores,
    Kind.COMMAND: Order,
}
_LATE, _WAITING, _FIELD = "late.", "waiting.", "wearer."


class _Document(msgspec.Struct, frozen=True):
    """What is no array.

    Attributes
    ----------
    wearers : ids, in the order of the rows. zones, teams : what the fields `zone` and `team` index.
    episodes : (place, rule, episode).
    carried : kinds and encodings of the objects that waiting events carry; each event has its index in `what`.
    switches : stamp, offset and limits (JSON) of the rules in force and to come.
    """

    wearers: list[str]
    zones: list[str]
    teams: list[str]
    episodes: list[tuple[int, Rule, Episode]]
    carried: list[tuple[Kind, msgspec.Raw]]
    what: list[int]
    switches: list[tuple[int, int, str]] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Document).decode


def save(standing: Standing, shelf: Shelf, waiting: Waiting, switches: Sequence[Switch], partition: int) -> Saved:
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
    arrays[_WAITING + "second"], arrays[_WAITING + "value"] = ours.samples.second, ours.samples.value
    carried, what = _objects(ours)
    document = _Document(
        wearers=[state.wearer_of[row] for row in rows.tolist()],
        zones=standing.profiles.zones,
        teams=list(standing.board.teams),
        episodes=standing.board.of_rows(place),
        carried=carried,
        what=what,
        switches=[(stamp, offset, limits.model_dump_json()) for stamp, offset, limits in switches],
    )
    return shelf.lend(Saved({name: np.ascontiguousarray(array) for name, array in arrays.items()}, _encode(document)))


def restore(standing: Standing, partition: int, saved: Saved) -> tuple[Events, list[Switch]]:
    """Add the rows of a saved partition to those that are there; return its waiting events and switches of rules.

    Raises
    ------
    SavedStateUnusable
        If it was saved by code that keeps something else. Nothing was changed then.
    """
    try:
        document = _decode(saved.document)
        switches = [(stamp, offset, Limits.model_validate_json(text)) for stamp, offset, text in document.switches]
    except (msgspec.DecodeError, ValidationError) as error:
        raise SavedStateUnusable(
            f"A saved state cannot be read ({error}): another version of Pulsewarden wrote it."
        ) from error
    _compare(saved.arrays, len(document.wearers))
    arrays, state = saved.arrays, standing.state
    waiting = _waiting(arrays, document)
    rows = state.add_many(document.wearers, partition)
    chosen = _run(rows)
    for field in FIELDS:
        if (column := arrays.get(_FIELD + field.name)) is not None:
            state.column(field.name)[chosen] = column
    state.zone[chosen] = standing.profiles.places(document.zones)[state.zone[chosen]]
    teams = standing.profiles.team_of
    state.team[chosen] = np.array([teams.get(team, 0) for team in document.teams], np.uint8)[state.team[chosen]]

    late = arrays[_LATE + "row"]
    if len(late):
        found = standing.late.places(rows[late], arrays[_LATE + "minute"], arrays[_LATE + "touched_ms"])
        standing.late.seconds[found] = arrays[_LATE + "seconds"]
    for place, rule, episode in document.episodes:
        standing.board.episodes[int(rows[place]), rule] = episode
    return replace(waiting, row=rows[waiting.row]), switches


def _run(rows: NDArray[np.int64]) -> Any:
    """Index rows that follow each other by a slice: it copies whole pages."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _objects(waiting: Events) -> tuple[list[tuple[Kind, msgspec.Raw]], list[int]]:
    """Encode each object once: many wearers share one record of scores."""
    carried: list[tuple[Kind, msgspec.Raw]] = []
    index: dict[int, int] = {}
    what = []
    for kind, one in zip(waiting.kind.tolist(), waiting.what, strict=True):
        if Kind(kind) not in _CARRIES:
            what.append(-1)
            continue
        if id(one) not in index or one is None:
            index[id(one)] = len(carried)
            carried.append((Kind(kind), msgspec.Raw(_encode(one))))
        what.append(index[id(one)])
    return carried, what


def _waiting(arrays: dict[str, NDArray[Any]], document: _Document) -> Events:
    objects = [msgspec.msgpack.decode(raw, type=_CARRIES[kind]) for kind, raw in document.carried]
    what = np.empty(len(document.what), object)
    for i, at in enumerate(document.what):
        what[i] = objects[at] if at >= 0 else None
    samples = Samples(arrays[_WAITING + "second"], arrays[_WAITING + "value"])
    return build({**{name: arrays[_WAITING + name] for name in NUMBERS}, "what": what}, samples)


def _compare(arrays: dict[str, NDArray[Any]], wearers: int) -> None:
    known = {_FIELD + field.name: (np.dtype(field.dtype), (wearers, *field.shape)) for field in FIELDS}
    for name, array in arrays.items():
        if name.startswith(_FIELD) and known.get(name) != (array.dtype, array.shape):
            raise SavedStateUnusable(
                f"A saved state holds {name} as {array.dtype} {array.shape[1:]}, which this version does not know: "
                "start the version that wrote it, or remove the checkpoints to replay the log."
            )
    missing = _ALWAYS - set(arrays)
    if missing:
        raise SavedStateUnusable(f"A saved state lacks {sorted(missing)}: remove the checkpoints to replay the log.")


_ALWAYS: frozenset[str] = frozenset(
    [_LATE + name for name in ("row", "minute", "touched_ms", "seconds")]
    + [_WAITING + name for name in (*NUMBERS, "second", "value")]
)
