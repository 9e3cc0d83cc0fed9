"""What a fault is, and how it is run: one story, one nemesis, one judgement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.ground import Ground, Place
from tests.faults.row import Row, judge
from tests.faults.run import Run, RunFailed, Say
from tests.faults.story import Plot, Story

MINUTES_AT_LEAST = 60
LITTLE_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which things go wrong.

    Attributes
    ----------
    what : one sentence for the table.
    act : what the nemesis does while the story is published; it returns when it has done enough.
    seconds : of publishing, in the long run of twenty minutes; `least_s` in the shortest.
    workers, options : how many are started, and how (`tests.faults.worker`).
    settings, plot : values of their own. transactional : the gateways publish in transactions.
    own_servers : kills or freezes a server, so it needs some of its own.
    judge_more : further judgement, adds to the row.
    must_fail : a protection is switched off: a row without a finding is the failure.
    may_end, may_crash : workers may end by themselves with a sentence, or in any way; the supervisor starts them again.
    place : it needs three brokers, and this is where the copies are.
    healthy_within_s : partitions that nothing is broken for may stand still for so long.
    needs : says what is missing on this machine, if anything: then it is skipped.
    """

    name: str
    what: str
    act: Callable[[Run], None]
    seconds: float = 40.0
    least_s: float = 25.0
    workers: int = 1
    options: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    plot: Mapping[str, Any] = field(default_factory=dict)
    transactional: bool = False
    own_servers: bool = False
    may_end: bool = False
    may_crash: bool = False
    place: Place | None = None
    healthy_within_s: float | None = None
    needs: Callable[[], str] | None = None
    before: Callable[[Run], None] | None = None
    judge_more: Callable[[Run, Row], None] | None = None
    must_fail: bool = False
    run_alone: "Callable[[Fault, Ground, int, float, Say], Row] | None" = None

    def length_s(self, share: float) -> float:
        """Return the seconds of publishing for a share of the long run."""
        return max(self.least_s, self.seconds * share)

    def run(self, ground: Ground, seed: int, share: float, say: Say) -> Row:
        """Run it and judge."""
        if self.needs is not None and (missing := self.needs()):
            return Row(self.name, seed, skipped=missing)
        if self.run_alone is not None:
            return self.run_alone(self, ground, seed, share, say)
        seconds = self.length_s(share)
        plot = {"seconds": seconds, "minutes": max(MINUTES_AT_LEAST, round(seconds / 2)), **self.plot}
        if self.place is not None:
            ground = ground.three()
        settings = ground.settings(self.name, self.place, **{k: dict(v) for k, v in self.settings.items()})
        run = Run(ground, settings, Story(Plot(seed, **plot)), seed, say, self.options, self.transactional)
        run.may_end, run.may_crash = self.may_end, self.may_crash
        if self.must_fail:
            run.patience_s = LITTLE_PATIENCE_S  # it may well never settle
        row = Row(self.name, seed)
        try:
            if self.before is not None:
                self.before(run)
            self._go(run)
            row = self._judge(run)
        except (RunFailed, AssertionError) as failure:
            if self.must_fail or self.may_crash or self.place is not None:  # what is there is judged
                run.children.end()
                if ground.cluster is not None:
                    ground.cluster.mend()
                row = self._judge(run)
            row.faults = run.faults
            row.why += [str(failure), *run.children.ended[-3:]]
            say(run.children.logs()[-3000:])
        finally:
            run.close()
            ground.forget(settings)
        return row

    def _judge(self, run: Run) -> Row:
        row = judge(run, self.name)
        if self.judge_more is not None:
            self.judge_more(run, row)
        stood, bound = row.healthy_still_s, self.healthy_within_s
        if stood is not None and bound is not None and stood > bound:
            row.why.append(f"partitions that nothing was broken for stood still for {stood} s, more than {bound:.0f} s")
        return row

    def _go(self, run: Run) -> None:
        run.begin(self.workers)
        self.act(run)
        run.settle()
        run.children.stop()


def logs_say(*sentences: str) -> Callable[[Run, Row], None]:
    """Return a further judgement: the workers' logs must hold these sentences."""

    def judge_more(run: Run, row: Row) -> None:
        logs = run.children.logs()
        row.why += [f"no log says {sentence!r}" for sentence in sentences if sentence not in logs]

    return judge_more


def named(faults: Sequence[Fault], name: str) -> Fault:
    """Return the fault of a name."""
    return next(fault for fault in faults if fault.name == name)
