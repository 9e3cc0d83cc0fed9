"""What verify found, said in plain sentences."""

from collections.abc import Iterator

from monitor.verifying.report import Difference, Report, Unjudged, readable

LINES = 40


def sentences(report: Report) -> Iterator[str]:
    """Say what was compared, then what was found."""
    yield (
        f"Replayed {report.records:,} records in {report.replayed_cuts:,} cuts of {len(report.begun)} partitions in "
        f"{report.seconds:.1f} s; cuts.v1 holds {report.cuts:,} cuts that count, {report.void_cuts:,} that do not, "
        f"and {report.claims:,} claims."
    )
    yield from _beginnings(report)
    yield (
        f"The log gives {report.alerts_expected:,} alert versions and {report.dead_letters_expected:,} dead letters; "
        f"the topics hold {report.alerts_seen:,} and {report.dead_letters_seen:,}, of which {report.repeated:,} are "
        "identical repetitions."
    )
    counts = {"missing": report.missing, "different": report.different, "unexpected": report.unexpected}
    if any(counts.values()):
        yield "Not as the log says: " + ", ".join(f"{n:,} {kind}" for kind, n in counts.items()) + "."
    else:
        yield _all_there(report)
    if report.not_following:
        yield f"{_many(len(report.not_following), 'cut')} do not follow from the log before them:"
        for one in report.not_following[:LINES]:
            yield f"  partition {one.partition}, cut {one.seq} at offset {one.offset}: {one.why}."
    yield from _notes(report)
    yield from _other_cuts(report)


def _all_there(report: Report) -> str:
    """Claim no more than was looked at: what retention took or nobody has sent yet was not found."""
    expected = report.alerts_expected + report.dead_letters_expected
    found = expected - report.expired - report.outstanding
    if not expected:
        return "The log gives no output here, and no other is there."
    if found == expected:
        return "Every output is there, byte for byte, and no other."
    return f"{found:,} of {_many(expected, 'output')} were found, byte for byte; of the others see below."


def _beginnings(report: Report) -> Iterator[str]:
    at_checkpoint = [one.partition for one in report.begun if one.how == "checkpoint"]
    later = [one.partition for one in report.begun if one.how == "later"]
    if at_checkpoint:
        yield f"Begun at a checkpoint, not at the log's start: partitions {_list(at_checkpoint)}."
    if later:
        yield f"Begun behind the log's start, where a worker had to begin anew: partitions {_list(later)}."
    if report.records_lost:
        yield f"{_many(report.records_lost, 'record')} that older cuts name are no longer in the log."
    for (version, why), ones in sorted(_by_reason(report).items()):
        partitions = sorted({one.partition for one in ones})
        yield (
            f"Not judged: {_many(len(ones), 'stretch', 'es')} of cuts in partitions {_list(partitions)}, engine "
            f"version {version or '0.1'} ({why}). What was sent there stands."
        )
    if report.unverified:
        yield f"Nothing can be said of partitions {_list(report.unverified)}: neither log nor checkpoints reach back."


def _notes(report: Report) -> Iterator[str]:
    notes = (
        (report.outstanding, "outputs of a last cut have not been sent yet; whoever takes the partition sends them."),
        (report.expired, "outputs lie before the start of their topic: retention took them, or somebody did."),
        (report.earlier, "outputs are older than the beginning of the replay and were not judged."),
        (report.unjudged, "outputs lie behind a cut that could not be followed and were not judged."),
        (report.below_T, "records were stamped below a T that was already used."),
    )
    for n, what in notes:
        if n:
            yield f"{n:,} {what}"


def _other_cuts(report: Report) -> Iterator[str]:
    others = report.other_cuts
    if others is None:
        return
    yield (
        f"Other cuts (seed {others.seed}): {others.cuts:,} cuts of the same records, {others.compared:,} outputs "
        f"compared but for raised_at: {others.different:,} different."
    )
    if others.below_T:
        yield (
            f"{_many(others.below_T, 'record')} were stamped below a T in use when they were read. What they decide "
            f"depends on the cut, so nothing is promised of their wearers; {others.not_promised:,} of these outputs "
            "differ."
        )
    elif others.not_promised:
        yield f"{others.not_promised:,} outputs of wearers of whom nothing is promised differ."


def lines(report: Report, *, show: bool) -> Iterator[str]:
    """List the differences; the values, which are of wearers, only if asked."""
    for one in report.differences[:LINES]:
        yield _line(one)
        if show:
            for what, value in (("log", one.expected), ("topic", one.found)):
                if value is not None:
                    yield f"    {what}: {readable(value)}"
    counted = sum((report.missing, report.different, report.unexpected))
    counted += report.other_cuts.different if report.other_cuts is not None else 0
    if counted > LINES:
        yield f"and {counted - min(LINES, len(report.differences)):,} more."


def _line(one: Difference) -> str:
    where = f"{one.topic} partition {one.partition}" + (f" offset {one.offset}" if one.offset is not None else "")
    what = "not an alert" if one.what is None else f"{one.what} version {one.version}"
    if one.topic.startswith("dead-letter"):
        what = one.what or "not a dead letter"
    fields = f": {', '.join(one.fields)}" if one.fields else ""
    return f"  {one.kind.replace('_', ' '):10} {where}, {what}{fields}"


def _by_reason(report: Report) -> dict[tuple[str, str], list[Unjudged]]:
    found: dict[tuple[str, str], list[Unjudged]] = {}
    for one in report.not_judged:
        found.setdefault((one.version, one.why), []).append(one)
    return found


def _many(n: int, what: str, many: str = "s") -> str:
    return f"{n:,} {what}" + ("" if n == 1 else many)


def _list(partitions: list[int]) -> str:
    return ", ".join(map(str, partitions))
