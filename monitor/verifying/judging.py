"""Every output that the log gives at least once, and none other.

What the topics hold is read before the replay, up to where they ended *before* the cuts did: whatever lies there was
sent for a cut that the replay sees, so it must be expected. What the replay gives and was not found is looked for
again after it, up to where the topics end *then*: workers may be at work meanwhile.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitor.cuts import Cut
from monitor.outputs import Output
from monitor.stream.reading import LogReader
from monitor.verifying.report import LISTED, Difference, Report
from monitor.verifying.sent import Name, Sent, bytes_mark, fetch
from stream_schemas.topics import DEAD_LETTER

_END_MS = 1 << 62
KEPT_BYTES = 64 * 1024 * 1024
"""So much of what was not found is kept whole, to show how it differs; of the rest only its name."""


@dataclass(frozen=True, slots=True)
class _NotFound:
    topic: str
    name: Name
    key: bytes | None
    value: bytes | None
    taken: bool  # it may lie before the start of its topic


class Judge:
    """Compares what the log gives with what was sent.

    Parameters
    ----------
    topics : of outputs, unprefixed.
    sent : partition -> what they held before the replay.
    begins : (topic, partition) -> where that topic's log begins.
    """

    def __init__(
        self, topics: tuple[str, ...], sent: Mapping[int, Sent], begins: Mapping[tuple[str, int], int]
    ) -> None:
        self._topics, self._sent, self._begins = topics, sent, begins
        self._matched: dict[int, NDArray[np.bool_]] = {p: np.zeros(len(s.marks), bool) for p, s in sent.items()}
        self._not_found: dict[int, dict[int, _NotFound]] = {p: {} for p in sent}
        self._last: dict[int, set[int]] = {}
        self._met: set[tuple[str, int]] = set()
        self._kept_bytes = 0
        self.alerts = self.dead_letters = 0

    def expect(self, cut: Cut, outputs: Sequence[Output]) -> None:
        """Take the outputs of one more cut."""
        p, last = cut.partition, set()
        for out in outputs:
            if out.topic not in self._topics:
                continue
            self.alerts += out.topic != DEAD_LETTER
            self.dead_letters += out.topic == DEAD_LETTER
            mark = bytes_mark(out.topic, out.key, out.value)
            last.add(mark)
            rows = self._sent[p].find(mark)
            self._matched[p][rows] = True
            if rows.start < rows.stop:
                self._met.add((out.topic, p))
            else:
                self._keep(p, mark, out)
        self._last[p] = last

    def _keep(self, p: int, mark: int, out: Output) -> None:
        taken = self._begins[out.topic, p] > 0 and (out.topic, p) not in self._met
        self._kept_bytes += len(out.value)
        value = out.value if self._kept_bytes <= KEPT_BYTES else None
        self._not_found[p][mark] = _NotFound(out.topic, Name.of(out.topic, out.value), out.key, value, taken)

    @property
    def searching(self) -> bool:
        """Whether anything was not found yet."""
        return any(self._not_found.values())

    async def close(
        self,
        reader: LogReader,
        prefix: str,
        later: Mapping[int, Sent],
        since_ms: Mapping[int, int],
        until_ms: Mapping[int, int],
        gaps_ms: Mapping[int, Sequence[tuple[int, int]]],
        report: Report,
    ) -> None:
        """Judge.

        Parameters
        ----------
        later : what the topics have got since.
        since_ms : partition -> broker stamp from which on everything sent must be expected.
        until_ms : partition -> broker stamp from which on nothing can be said, as the replay did not come so far.
        gaps_ms : partition -> broker stamps [begin, end) between which nothing can be said.
        """
        report.alerts_expected, report.dead_letters_expected = self.alerts, self.dead_letters
        for p, sent in self._sent.items():
            not_found = self._not_found[p]
            names = {one.name.mark(one.topic) for one in not_found.values()}
            names |= set(sent.names[self._matched[p]].tolist())
            names.discard(0)
            more = later.get(p)
            again = np.zeros(0 if more is None else len(more.marks), bool)
            if more is not None:
                again = np.isin(more.marks, sent.marks[self._matched[p]])
                for mark in [mark for mark in not_found if (rows := more.find(mark)).start < rows.stop]:
                    again[more.find(mark)] = True
                    del not_found[mark]
            letters = sent.topic == self._topics.index(DEAD_LETTER)
            report.alerts_seen += int((~letters).sum())
            report.dead_letters_seen += int(letters.sum())
            report.repeated += int(self._matched[p].sum()) - len(np.unique(sent.marks[self._matched[p]]))
            gaps = [*gaps_ms.get(p, ()), *([(until_ms[p], _END_MS)] if p in until_ms else [])]
            found = [*self._others(sent, self._matched[p], names, since_ms[p], gaps, report)]
            if more is not None:
                found += self._others_later(p, more, again, names)
            await self._tell(reader, prefix, p, found, report)

    def _others(
        self,
        sent: Sent,
        matched: NDArray[np.bool_],
        names: set[int],
        since_ms: int,
        gaps_ms: Sequence[tuple[int, int]],
        report: Report,
    ) -> Iterable["_Other"]:
        """Yield what was sent and is not expected, each value once."""
        before: set[int] = set(sent.marks[~matched & (sent.stamp_ms < since_ms)].tolist())
        report.earlier += len(before)
        seen = set(before)
        for row in np.flatnonzero(~matched).tolist():
            mark, name = int(sent.marks[row]), int(sent.names[row])
            if mark in seen:
                continue
            seen.add(mark)
            if any(begin <= sent.stamp_ms[row] < end for begin, end in gaps_ms):
                report.unjudged += 1
            else:
                yield _Other(self._topics[sent.topic[row]], int(sent.offset[row]), name, name in names)

    def _others_later(self, p: int, more: Sent, again: NDArray[np.bool_], names: set[int]) -> Iterable["_Other"]:
        """Yield what came since under an expected name, with other bytes; new names are of cuts not replayed."""
        seen: set[int] = set(self._sent[p].marks.tolist())
        for row in np.flatnonzero(~again).tolist():
            mark, name = int(more.marks[row]), int(more.names[row])
            if mark not in seen and name in names:
                seen.add(mark)
                yield _Other(self._topics[more.topic[row]], int(more.offset[row]), name, True)

    async def _tell(self, reader: LogReader, prefix: str, p: int, others: Sequence["_Other"], report: Report) -> None:
        not_found = self._not_found[p]
        by_name = {one.name.mark(one.topic): mark for mark, one in not_found.items()}
        for other in others:
            kind = "different" if other.expected else "unexpected"
            report.different += other.expected
            report.unexpected += not other.expected
            wanted = not_found.pop(by_name.pop(other.name), None) if other.name in by_name else None
            if sum(one.kind == kind for one in report.differences) >= LISTED:
                continue
            key, value = await fetch(reader, prefix, other.topic, p, other.offset)
            if other.expected and wanted is None:
                wanted = await self._found_elsewhere(reader, prefix, p, other)
            name = Name.of(other.topic, value)
            told = Difference("unexpected", other.topic, p, other.offset, name.what, name.version, (), None, value)
            if other.expected:
                expected = wanted.value if wanted is not None else None
                fields = differing(expected, value)
                if wanted is not None and wanted.key != key:
                    fields = ("(key)", *fields)
                told = replace(told, kind="different", fields=fields, expected=expected)
            report.add(told)
        for mark, one in not_found.items():
            if mark in self._last.get(p, ()):
                report.outstanding += 1
            elif one.taken:
                report.expired += 1
            else:
                report.missing += 1
                report.add(Difference("missing", one.topic, p, None, one.name.what, one.name.version, (), one.value))

    async def _found_elsewhere(self, reader: LogReader, prefix: str, p: int, other: "_Other") -> _NotFound | None:
        """Return the expected value of a name: it was sent as well."""
        row = self.row_of(p, other.name)
        if row is None:
            return None
        topic = self._topics[self._sent[p].topic[row]]
        key, value = await fetch(reader, prefix, topic, p, int(self._sent[p].offset[row]))
        return _NotFound(topic, Name.of(topic, value), key, value, taken=False)

    def row_of(self, p: int, name: int) -> int | None:
        """Return a row of what was sent in a partition that has this name and was expected."""
        rows = np.flatnonzero(self._matched[p] & (self._sent[p].names == np.uint64(name)))
        return int(rows[0]) if len(rows) else None

    async def sent_under(self, reader: LogReader, prefix: str, p: int, name: int) -> tuple[str, int, bytes] | None:
        """Return topic, offset and value of what was expected and sent under a name."""
        row = self.row_of(p, name)
        if row is None:
            return None
        topic, offset = self._topics[self._sent[p].topic[row]], int(self._sent[p].offset[row])
        _, value = await fetch(reader, prefix, topic, p, offset)
        return (topic, offset, value) if value is not None else None


@dataclass(frozen=True, slots=True)
class _Other:
    """Something that was sent and is not expected; `expected` tells whether its name is."""

    topic: str
    offset: int
    name: int
    expected: bool


def differing(one: bytes | None, other: bytes | None, *, but_for: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the top-level fields in which two values differ; `(bytes)` where both say the same in other bytes."""
    if one is None or other is None:
        return ()
    try:
        a, b = json.loads(one), json.loads(other)
    except ValueError:
        return ("(bytes)",)
    if not isinstance(a, dict) or not isinstance(b, dict):
        return ("(bytes)",)
    missing = object()
    fields = sorted(name for name in {*a, *b} - {*but_for} if a.get(name, missing) != b.get(name, missing))
    return tuple(fields) or ("(bytes)",)
