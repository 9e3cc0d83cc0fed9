"""What the recorded cuts gave against what other cuts of the same records give: all but `raised_at`."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import msgspec

from monitor.cuts import Cut
from monitor.outputs import Output
from monitor.stream.reading import LogReader
from monitor.verifying.following import Followed
from monitor.verifying.judging import Judge, differing
from monitor.verifying.report import LISTED, Difference, OtherCuts, Report
from monitor.verifying.sent import Name
from stream_schemas.topics import DEAD_LETTER

BUT_FOR = "raised_at"


class Comparison:
    """One pass over some spans: first `remember` what the recorded cuts give, then `compare`, then `close`.

    Parameters
    ----------
    topics : of outputs, unprefixed.
    others : OtherCuts
        Takes the counts.
    """

    def __init__(self, topics: tuple[str, ...], others: OtherCuts) -> None:
        self._topics, self._others = topics, others
        self._names: dict[int, set[int]] = {}
        self._values: dict[int, set[int]] = {}  # an erased wearer's alerts may have one name and two contents
        self._unlike: list[tuple[int, Name, Output, int, bool]] = []
        self._given: dict[int, set[int]] = {}

    def remember(self, cut: Cut, outputs: Sequence[Output]) -> None:
        """Take what a recorded cut gave."""
        names, values = self._recorded(cut.partition)
        for out in outputs:
            if out.topic in self._topics:
                mark = Name.of(out.topic, out.value).mark(out.topic)
                names.add(mark)
                values.add(_mark(mark, out))
                self._others.compared += 1

    def compare(self, cut: Cut, outputs: Sequence[Output]) -> None:
        """Take what another cut gave."""
        names, values = self._recorded(cut.partition)
        given = self._given.setdefault(cut.partition, set())
        for out in outputs:
            if out.topic not in self._topics:
                continue
            name = Name.of(out.topic, out.value)
            mark = name.mark(out.topic)
            given.add(mark)
            if _mark(mark, out) not in values:
                self._unlike.append((cut.partition, name, out, mark, mark in names))

    def _recorded(self, p: int) -> tuple[set[int], set[int]]:
        return self._names.setdefault(p, set()), self._values.setdefault(p, set())

    async def close(
        self, reader: LogReader, prefix: str, judge: Judge, followed: Mapping[int, Followed], report: Report
    ) -> None:
        """Count and list what differs."""
        for p, name, out, mark, known in self._unlike:
            room = self._room(report)
            sent = await judge.sent_under(reader, prefix, p, mark) if known and room else None
            expected = sent[2] if sent is not None else None
            fields = differing(expected, out.value, but_for=(BUT_FOR,))
            offset = sent[1] if sent is not None else None
            found = Difference("other_cuts", out.topic, p, offset, name.what, name.version, fields, expected, out.value)
            self._count(found, followed[p], name.wearer_id or _text(out.key), report)
        for p, names in self._names.items():
            for mark in names - self._given.get(p, set()):
                sent = await judge.sent_under(reader, prefix, p, mark) if self._room(report) else None
                topic, offset, value = sent if sent is not None else (self._topics[0], None, None)
                name = Name.of(topic, value)
                fields = ("(only by the recorded cuts)",)
                found = Difference("other_cuts", topic, p, offset, name.what, name.version, fields, value, None)
                self._count(found, followed[p], name.wearer_id, report)

    def _room(self, report: Report) -> bool:
        return sum(one.kind == "other_cuts" for one in report.differences) < LISTED

    def _count(self, found: Difference, followed: Followed, wearer_id: str | None, report: Report) -> None:
        if followed.touched.all or (wearer_id is not None and followed.touched.has(wearer_id)):
            self._others.not_promised += 1
        else:
            self._others.different += 1
            report.add(found)


def _mark(name: int, out: Output) -> int:
    """Return a hash of what is compared."""
    value = out.value
    if out.topic != DEAD_LETTER:
        document = msgspec.json.decode(value)
        document.pop(BUT_FOR, None)
        value = msgspec.json.encode(document)
    head = name.to_bytes(8, "little")
    return int.from_bytes(blake2b(head + value, digest_size=8).digest(), "little")


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode(errors="replace")
