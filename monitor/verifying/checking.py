"""Verify, from the beginning to the end; it reads only, so workers may be at work meanwhile."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from monitor.cuts import Cut
from monitor.errors import PulsewardenError, StoreUnreachable, TopicsDiffer
from monitor.outputs import Output
from monitor.settings import Settings
from monitor.stream.core import Engine
from monitor.stream.reading import LogReader, ReadingStuck
from monitor.topics import check, listing
from monitor.verifying.comparing import Comparison
from monitor.verifying.following import Followed, Following
from monitor.verifying.judging import Judge
from monitor.verifying.recutting import Recutting
from monitor.verifying.report import Begun, How, OtherCuts, Report
from monitor.verifying.sent import collect
from monitor.verifying.spans import Looked, Plan, Planner, Span, look, stamp_of_cut
from monitor.version import engine_version
from stream_schemas.topics import DEAD_LETTER, INPUTS, alerts_topic

NEVER_MS = 1 << 62

Progress = Callable[[str, int, int], None]
"""Takes what is being done, how many records of it are done, and how many there are."""


class NothingToVerify(PulsewardenError):
    """No worker has cut this log yet."""


class LogUnreadable(PulsewardenError):
    """Kafka did not give what verify needed."""


def verify(
    settings: Settings,
    *,
    from_checkpoint: bool = False,
    other_cuts: int | None = None,
    new_engine: Callable[[Settings], Engine] | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> Report:
    """Replay the log in this process and compare what it gives with what was sent.

    Parameters
    ----------
    settings : Settings
        Those of the workers: limits, teams and clock decide alerts.
    from_checkpoint : bool
        Begin at the oldest checkpoint that the log can carry on from. Where the start of the log is gone, a partition
        begins there anyway.
    other_cuts : int, optional
        A seed: cut the same records at random as well, and compare all but `raised_at`.
    new_engine : callable, optional
        Another engine than a worker's, for tests.
    progress : Progress

    Raises
    ------
    BrokerUnreachable, TopicsDiffer
        If there is no Kafka, or the topics are missing or of another partition count.
    NothingToVerify
        If no cut is there, or none of them can be replayed.
    LogUnreadable, StoreUnreachable, CheckpointsDiffer, SavedStateUnusable
        If log or checkpoints cannot be read or do not fit.
    """
    began = time.monotonic()
    _require(settings)
    try:
        report = asyncio.run(_Run(settings, other_cuts, new_engine or _worker_engine, progress).run(from_checkpoint))
    except OffsetOutOfRangeError as error:
        raise LogUnreadable("Retention removed records that verify was about to read: run it again.") from error
    except (KafkaError, ReadingStuck) as error:
        raise LogUnreadable(
            f"Kafka did not give what verify needed ({error}): see to the broker, run again."
        ) from error
    except OSError as error:
        raise StoreUnreachable(
            f"The checkpoints in {settings.checkpoint_place} cannot be read ({error}): make them readable."
        ) from error
    report.seconds = round(time.monotonic() - began, 3)
    return report


def _worker_engine(settings: Settings) -> Engine:
    from monitor.stream.worker import engine_of  # it brings Faust, which takes a moment to import

    return engine_of(settings)


def _require(settings: Settings) -> None:
    """Refuse topics that are missing or of another count; how long they are kept is no matter here."""
    if any(row.partitions != settings.stream.partitions for row in listing(settings)):
        raise TopicsDiffer(check(settings)[0])


class _Run:
    def __init__(
        self, settings: Settings, seed: int | None, new_engine: Callable[[Settings], Engine], progress: Progress
    ) -> None:
        self._settings, self._seed, self._new_engine, self._progress = settings, seed, new_engine, progress
        self._prefix, self._partitions = settings.kafka.topic_prefix, settings.stream.partitions
        self._topics = (*(alerts_topic(team) for team in settings.teams), DEAD_LETTER)
        self._report = Report(self._partitions)

    async def run(self, from_checkpoint: bool) -> Report:
        bootstrap = self._settings.kafka.bootstrap_servers
        async with LogReader(bootstrap) as cut_log, LogReader(bootstrap) as log:
            begins, ends = await self._bounds(log, self._topics)
            looked = await look(cut_log, self._prefix, self._partitions)
            if all(one.first is None for one in looked.values()):
                raise NothingToVerify(
                    f"No cut is in {self._prefix}cuts.v1: start a worker, or name the log of one with "
                    "PULSEWARDEN_KAFKA__TOPIC_PREFIX."
                )
            held, input_ends = await self._bounds(log, INPUTS)
            plans = await self._plan(cut_log, looked, held, from_checkpoint=from_checkpoint)
            self._progress("Reading alerts", 0, 0)
            judge = Judge(self._topics, await collect(log, self._topics, self._prefix, begins, ends), begins)
            passes = _passes(plans)
            ends_of = {(p, INPUTS.index(topic)): end for (topic, p), end in input_ends.items()}
            comparisons, followed = await self._follow(cut_log, log, passes, ends_of, judge)
            _, now = await self._bounds(log, self._topics)
            later = await collect(log, self._topics, self._prefix, ends, now)
            since = {p: await self._since(cut_log, looked[p], plans[p]) for p in looked}
            until = await self._until(cut_log, looked, plans, followed)
            gaps = await self._gaps(cut_log, looked)
            await judge.close(log, self._prefix, later, since, until, gaps, self._report)
            self._report.not_following.sort(key=lambda one: (one.partition, one.offset))
            if self._seed is not None:
                await self._recut(log, comparisons, followed, judge)
        return self._report

    async def _bounds(
        self, log: LogReader, topics: Sequence[str]
    ) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
        """Return where topics begin and end now, by unprefixed topic and partition."""
        names = {(self._prefix + topic, p): (topic, p) for topic in topics for p in range(self._partitions)}
        begins = await log.starts(list(names))
        ends = await log.ends(list(names))
        return {names[tp]: at for tp, at in begins.items()}, {names[tp]: at for tp, at in ends.items()}

    async def _plan(
        self,
        cut_log: LogReader,
        looked: Mapping[int, Looked],
        held: Mapping[tuple[str, int], int],
        *,
        from_checkpoint: bool,
    ) -> dict[int, Plan]:
        begins = {p: tuple(held[topic, p] for topic in INPUTS) for p in looked}
        planner = Planner(self._settings, cut_log, begins, from_checkpoint=from_checkpoint, version=engine_version())
        plans, report = {}, self._report
        for p, one in looked.items():
            plan = plans[p] = await planner.plan(one)
            report.cuts += one.cuts
            report.void_cuts += one.void_cuts
            report.claims += one.claims
            report.foreign += one.foreign
            report.records_lost += plan.records_lost
            report.not_judged += plan.unjudged
            if plan.spans:
                first = plan.spans[0]
                how: How = "checkpoint" if first.saved is not None else "start" if plan.from_start else "later"
                at = first.begin.at if first.saved is not None else first.at
                report.begun.append(Begun(p, how, at, max(0, first.begin.seq)))
            elif one.first is not None:
                report.unverified.append(p)
        if not report.begun and report.not_judged:
            versions = ", ".join(sorted({one.version or "0.1" for one in report.not_judged}))
            raise NothingToVerify(
                f"Nothing of the log can be judged: version {versions} of the engine wrote it, and this is "
                f"{engine_version()}. Run verify with the version that wrote it."
            )
        if not report.begun:
            raise NothingToVerify(
                f"Nothing of the log can be replayed: retention took {report.records_lost} records that the first "
                "cuts name, and no checkpoint fits. Keep the inputs at least as long as it takes to run verify."
            )
        return plans

    async def _follow(
        self,
        cut_log: LogReader,
        log: LogReader,
        passes: Sequence[Sequence[Span]],
        ends: Mapping[tuple[int, int], int],
        judge: Judge,
    ) -> tuple[list[Comparison], list[dict[int, Followed]]]:
        """Follow the recorded cuts; return what is needed to cut otherwise."""
        report, engine = self._report, self._new_engine(self._settings)
        if self._seed is not None:
            report.other_cuts = OtherCuts(self._seed)
        comparisons: list[Comparison] = []
        followed: list[dict[int, Followed]] = []
        total = sum(
            max(0, sum(ends[p, i] for i in range(len(INPUTS))) - sum(own[0].begin.next or ()))
            for p in range(self._partitions)
            if (own := [span for part in passes for span in part if span.partition == p])
        )
        for spans in passes:
            comparison = Comparison(self._topics, report.other_cuts) if report.other_cuts is not None else None

            def tell(cut: Cut, outputs: Sequence[Output], comparison: Comparison | None = comparison) -> None:
                judge.expect(cut, outputs)
                if comparison is not None:
                    comparison.remember(cut, outputs)

            following = Following(self._settings, engine, cut_log, log, tell, self._counter("Replaying", total))
            done = await following.run(spans, ends)
            for p in done:
                engine.drop(p)
            report.replayed_cuts += following.cuts
            report.records += following.records
            report.below_T += following.below_T
            report.not_following += following.not_following
            followed.append(done)
            if comparison is not None:
                comparisons.append(comparison)
        return comparisons, followed

    async def _recut(
        self,
        log: LogReader,
        comparisons: Sequence[Comparison],
        followed: Sequence[Mapping[int, Followed]],
        judge: Judge,
    ) -> None:
        others = self._report.other_cuts
        if others is None:
            return
        engine = self._new_engine(self._settings)
        count = self._counter("Cutting otherwise", self._report.records)
        for i, (comparison, done) in enumerate(zip(comparisons, followed, strict=True)):
            others.below_T += sum(one.touched.records for one in done.values())
            recutting = Recutting(self._settings, engine, log, comparison.compare, count)
            await recutting.run(done, f"{others.seed}/{i}")
            others.cuts += recutting.cuts
            for p in done:
                engine.drop(p)
            await comparison.close(log, self._prefix, judge, done, self._report)

    async def _since(self, cut_log: LogReader, looked: Looked, plan: Plan) -> int:
        """Return the broker's stamp from which on all that was sent must be expected."""
        if plan.from_start or looked.first is None:
            return 0
        if not plan.spans:
            return NEVER_MS
        stamp = await stamp_of_cut(cut_log, self._prefix, looked, plan.spans[0].at)
        return NEVER_MS if stamp is None else stamp

    async def _until(
        self,
        cut_log: LogReader,
        looked: Mapping[int, Looked],
        plans: Mapping[int, Plan],
        followed: Sequence[Mapping[int, Followed]],
    ) -> dict[int, int]:
        """Return, for partitions that were left, the broker's stamp of the cut at which they were."""
        until = {p: 0 for p, one in looked.items() if one.first is not None and not plans[p].spans}
        for done in followed:
            for p, one in done.items():
                if one.stopped is not None and p not in until:
                    until[p] = await stamp_of_cut(cut_log, self._prefix, looked[p], one.stopped) or 0
        return until

    async def _gaps(self, cut_log: LogReader, looked: Mapping[int, Looked]) -> dict[int, list[tuple[int, int]]]:
        """Return, per partition, between which stamps of the broker nothing that was sent can be judged."""
        gaps: dict[int, list[tuple[int, int]]] = {}
        for one in self._report.not_judged:
            begin = await stamp_of_cut(cut_log, self._prefix, looked[one.partition], one.at)
            end = await stamp_of_cut(cut_log, self._prefix, looked[one.partition], one.end)
            gaps.setdefault(one.partition, []).append((begin or 0, NEVER_MS if end is None else end))
        return gaps

    def _counter(self, what: str, total: int) -> Callable[[int], None]:
        done = 0

        def count(records: int) -> None:
            nonlocal done
            done += records
            self._progress(what, done, max(total, done))

        return count


def _passes(plans: Mapping[int, Plan]) -> list[list[Span]]:
    """Put the first spans of all partitions together, then their second ones, and so on."""
    longest = max(len(plan.spans) for plan in plans.values())
    return [[plan.spans[i] for plan in plans.values() if i < len(plan.spans)] for i in range(longest)]
