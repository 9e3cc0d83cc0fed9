"""The judgement of one run: a row of the table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from monitor.errors import PulsewardenError
from monitor.verifying import Report, verify
from tests.faults.agreement import Agreement, agreement
from tests.faults.history import Told, check, silences
from tests.faults.records import ends, read, read_all
from tests.faults.run import Run
from tests.faults.story import HEART_RATE


@dataclass
class Row:
    """What came of a run.

    Attributes
    ----------
    events : records in the input topics. alerts_expected : alerts that the story asks for.
    lost : alerts of the story, or outputs of the log, that are nowhere. doubled : alerts raised twice for one episode,
    or one (id, version) with two contents. different : outputs that neither the log nor the story explains.
    recovery_s : from a fault to every partition stepped again; median over the run's faults, None without any.
    repeated : records that repeat an earlier one byte for byte. outputs : what the log gives, dead letters included.
    stale : records that an owner sent after its successor's claim. faults : how often something was broken. below_T :
    records stamped below a T that was used; without them the same records under random cuts give the same alerts.
    healthy_still_s : how long a partition that nothing was broken for stood still, at most; None if none was.
    told_within_s : from a reading that something was broken for to its alert, at most; None where that is no question.
    wrong_team : alerts that went to a team that the wearer had left by then; told, where below_T counts as many.
    skipped : why it was not run at all.
    """

    fault: str
    seed: int
    events: int = 0
    alerts_expected: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    recovery_s: float | None = None
    repeated: int = 0
    outputs: int = 0
    stale: int = 0
    void_cuts: int = 0
    below_T: int = 0
    faults: int = 0
    seconds: float = 0.0
    healthy_still_s: float | None = None
    told_within_s: float | None = None
    wrong_team: int = 0
    skipped: str = ""
    why: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether nothing is lost, doubled, different or otherwise wrong."""
        return not (self.lost or self.doubled or self.different or self.why)

    @property
    def findings(self) -> int:
        """Count what was lost, doubled or different."""
        return self.lost + self.doubled + self.different

    def document(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return asdict(self)


def judge(run: Run, fault: str) -> Row:
    """Judge a run that has settled and whose workers are gone."""
    settings, watch = run.settings, run.watch
    row = Row(fault, run.seed, faults=run.faults)
    row.events = sum(ends(settings).values())
    found = read_all(settings)
    deliveries = [(HEART_RATE, told.stamp_ms, told.value) for told in read(settings, HEART_RATE)]
    must, may = silences(deliveries, watch.T_ms())
    if not run.silences_count:
        must, may = [], [(one.name, "NO_DATA") for one in run.story.wearers]
    history = check(found.alerts, run.story.expected() + run.expected + must, may)
    equal = Agreement()
    try:
        report = verify(settings, other_cuts=run.seed)
        equal = agreement(settings, found, run.seed)
        row.different += len(report.not_following)
        row.why += opinions(report, equal)
    except PulsewardenError as problem:
        row.different += 1
        row.why.append(str(problem))
    row.alerts_expected, row.outputs = history.expected, equal.expected
    row.lost = history.lost + equal.missing
    row.doubled = history.doubled
    row.different += history.different + equal.different
    row.repeated, row.stale = equal.repeated, stale(found.alerts, watch_claims(run))
    row.void_cuts = sum(one.void for one in watch.of.values())
    row.healthy_still_s = run.healthy_still_s()
    row.why += history.why + run.notes
    if not run.may_crash:
        row.why += run.children.crashed if run.may_end else run.children.ended
    row.why += [f"the gateways could not publish: {failure}" for failure in run.driver.failures[:2]]
    if equal.missing or equal.different:
        row.why.append(f"the log gives {equal.missing} outputs that are nowhere; {equal.different} are not the log's")
    if equal.others and not equal.below_T:
        row.different += equal.others
        row.why.append(f"under other cuts {equal.others} outputs differ in more than raised_at")
    row.below_T = equal.below_T
    took = [watch.recovery_s(mark, run.ended_ms) for mark in run.marks]
    known = [seconds for seconds in took if seconds is not None]
    if len(known) < len(took):
        row.why.append("not every partition stepped again after a fault")
    row.recovery_s = round(median(known), 2) if known else None
    return row


def opinions(report: Report, equal: Agreement) -> list[str]:
    """Compare what `monitor verify` found with what the checker's own replay did; the two share no code but the engine.

    Returns
    -------
    list of str
        A sentence for each disagreement, and for what verify alone looks at.
    """
    sentences = [f"verify: cut {cut.seq} of partition {cut.partition} does not follow" for cut in report.not_following]
    if report.unverified:
        sentences.append(f"verify could not replay partitions {report.unverified}")
    if report.expired:
        sentences.append(f"verify takes {report.expired} outputs for expired, and nobody deleted any")
    both = {
        "outputs of the log": (report.alerts_expected + report.dead_letters_expected, equal.expected),
        "missing": (report.missing + report.outstanding, equal.missing),
        "not the log's": (report.different + report.unexpected, equal.different),
        "repeated": (report.repeated, equal.repeated),
        "records below T": (report.below_T, equal.below_T),
    }
    sentences += [f"verify counts {a} {what}, the checker {b}" for what, (a, b) in both.items() if a != b]
    if (others := report.other_cuts) is not None and bool(others.different) != bool(equal.others and not equal.below_T):
        sentences.append(
            f"verify finds {others.different} outputs otherwise under other cuts, the checker {equal.others}"
        )
    return sentences


def watch_claims(run: Run) -> dict[int, list[tuple[int, str]]]:
    """Return, per partition, (broker stamp, worker) of the claims."""
    return {p: [(stamp_ms, who) for stamp_ms, _, who in run.watch.of[p].claims] for p in run.watch.partitions}


def stale(rows: Sequence[Told], claims: dict[int, list[tuple[int, str]]]) -> int:
    """Count the records that a worker sent after another had claimed the partition."""
    count = 0
    for row in rows:
        owner = next((who for stamp_ms, who in reversed(claims[row.partition]) if stamp_ms <= row.stamp_ms), "")
        count += bool(row.sender) and row.sender.partition("/")[0] != owner
    return count
