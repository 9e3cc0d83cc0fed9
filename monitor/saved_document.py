"""What of a partition is no array, as a document: every rule, kind of event and limit in it goes by its name.

Names outlive codes: a version with other rules or kinds, fewer or in another order, reads what it knows and says what
it does not know.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.alerting.limits import Limits, as_accepted_then
from monitor.alerting.policy import Episode
from monitor.alerting.rule_book import Switch
from monitor.rule import Rule
from monitor.wearers.events import Events, Kind
from monitor.wearers.reported import Order, Report, Reported, Session
from stream_schemas.score import RiskScores
from stream_schemas.wearer import WearerProfile

RULES = [rule.name for rule in sorted(Rule)]
KINDS = [kind.name for kind in sorted(Kind)]
_CODES = np.array(sorted(Kind), np.int64)
_CARRIES: dict[Kind, Any] = {
    Kind.PROFILE: WearerProfile | None,
    Kind.SLEEP: Session,
    Kind.WEATHER: Report,
    Kind.READING: Reported,
    Kind.SCORE: RiskScores,
    Kind.COMMAND: Order,
}


class Document(msgspec.Struct, frozen=True):
    """What is no array.

    Attributes
    ----------
    wearers : ids, in the order of the rows. zones, teams : what the fields `zone` and `team` index.
    rules : which column of the `alert_` fields is which rule. kinds : which code of `waiting.kind` is which kind.
    episodes : (place, rule, episode); the code of a rule within it says nothing.
    carried : kinds and encodings of the objects that waiting events carry; each event has its index in `what`.
    switches : stamp, offset and limits (JSON) of the rules in force and to come.
    of_settings : what the newest switch of the settings named; None if there was none.
    """

    wearers: list[str]
    zones: list[str]
    teams: list[str]
    rules: list[str]
    kinds: list[str]
    episodes: list[tuple[int, str, msgspec.Raw]]
    carried: list[tuple[str, msgspec.Raw]]
    what: list[int]
    switches: list[tuple[int, int, str]] = []
    of_settings: dict[str, int | float | bool] | None = None


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Document).decode


def named(episodes: Sequence[tuple[int, Rule, Episode]]) -> list[tuple[int, str, msgspec.Raw]]:
    """Encode episodes under the names of their rules."""
    return [(place, rule.name, msgspec.Raw(encode(episode))) for place, rule, episode in episodes]


def episodes_of(document: Document) -> list[tuple[int, Rule, Episode]]:
    """Decode the episodes of the rules that there are here."""
    found = []
    for place, name, raw in document.episodes:
        if name in Rule.__members__:
            content = msgspec.msgpack.decode(raw)
            content["finding"]["rule"] = Rule[name].value
            found.append((place, Rule[name], msgspec.convert(content, Episode)))
    return found


def columns_of(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return, of the rules that are known here, their columns here and those that they have among *names*."""
    known = [name for name in names if name in Rule.__members__]
    return [Rule[name].value for name in known], [names.index(name) for name in known]


def places_of(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in `KINDS` the kinds of events are."""
    return np.searchsorted(_CODES, kind)


def kinds_of(document: Document, place: NDArray[np.int64]) -> tuple[NDArray[np.int64], Counter[str]]:
    """Return the kinds that are meant, -1 for those that there are not here, and how many of these by name.

    Raises
    ------
    IndexError
        If one has no name.
    """
    codes = [Kind[name].value if name in Kind.__members__ else -1 for name in document.kinds]
    kind = np.array(codes, np.int64)[place]
    return kind, Counter(document.kinds[at] for at in place[kind < 0].tolist())


def objects(waiting: Events) -> tuple[list[tuple[str, msgspec.Raw]], list[int]]:
    """Encode each object that events carry once: many wearers share one record of scores."""
    carried: list[tuple[str, msgspec.Raw]] = []
    index: dict[int, int] = {}
    what = []
    for kind, one in zip(waiting.kind.tolist(), waiting.what, strict=True):
        if Kind(kind) not in _CARRIES:
            what.append(-1)
            continue
        if id(one) not in index or one is None:
            index[id(one)] = len(carried)
            carried.append((Kind(kind).name, msgspec.Raw(encode(one))))
        what.append(index[id(one)])
    return carried, what


def objects_of(document: Document) -> NDArray[Any]:
    """Decode what events carry, one entry an event; None for those that carry nothing, or are of no kind known here."""
    decoded = [
        msgspec.msgpack.decode(raw, type=_CARRIES[Kind[name]]) if name in Kind.__members__ else None
        for name, raw in document.carried
    ]
    what = np.empty(len(document.what), object)
    for i, at in enumerate(document.what):
        what[i] = decoded[at] if at >= 0 else None
    return what


def switches_of(document: Document) -> tuple[list[Switch], tuple[str, ...]]:
    """Decode the switches of rules; a limit that there is not here is left out and named.

    Raises
    ------
    ValueError
        If one is no JSON object.
    """
    switches, unknown = [], set()
    for stamp, offset, text in document.switches:
        values = json.loads(text)
        unknown |= set(values) - set(Limits.model_fields)
        known = {name: value for name, value in values.items() if name in Limits.model_fields}
        switches.append((stamp, offset, as_accepted_then(json.dumps(known))))
    return switches, tuple(sorted(unknown))
