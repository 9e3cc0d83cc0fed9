"""Recovery: from a claim to the state that the log gives: a checkpoint, then the valid cuts up to the claim.

A replay of cuts that this version of the engine wrote must give the digests that they carry, and it gives again the
outputs of the last one, which may not have been sent. Where another version wrote them, the recorded outputs stand, and
the partition has to be handed over (`monitor.stream.handover`). A step that raises is replayed alone, and without the
records that make it raise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from monitor.cuts import NO_VERSION, Cut, Position
from monitor.inputs import Removed
from monitor.outputs import Output, ScoreDue, Step
from monitor.stream.beginnings import Beginning, Beginnings
from monitor.stream.core import Core, Inputs, StepFailed, due_in
from monitor.stream.culprits import Culprits
from monitor.stream.reading import LogReader
from monitor.stream.replaying import Replayer
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import DEAD_LETTER

REPLAYS_AGAIN = 3
"""How often a replay is tried again that raises where the same version did not raise before."""

log = structlog.get_logger()


@dataclass(slots=True)
class Replayed:
    """What the replay of one partition leaves to do.

    Attributes
    ----------
    outputs : of the last valid cut. Those of every cut before it were acknowledged before the next cut was appended.
    cuts, records : what was replayed.
    adopted : another version wrote some of the cuts, or the replay gave other digests: the recorded outputs stand.
    since_ms, known : as of when, and with which open alerts, the state was known to agree with what was told.
    broken : the cuts have a hole, so that the partition begins anew.
    amendment : the last cut with the records and wearers without which it passes, where the log does not say so yet.
    """

    outputs: list[Output] = field(default_factory=list)
    cuts: int = 0
    records: int = 0
    adopted: bool = False
    since_ms: int = 0
    known: Mapping[str, int] = field(default_factory=dict)
    broken: bool = False
    amendment: Cut | None = None

    def letters(self) -> list[Output]:
        """Return the dead letters among the outputs."""
        return [output for output in self.outputs if output.topic == DEAD_LETTER]


class Keeper(Protocol):
    """What keeps the rows that a replay decides."""

    def begin(self, partition: int, epoch: int, beginning: Beginning) -> None:
        """Know where a partition begins, before its first step."""

    async def relieve(self) -> None:
        """Write down what a long replay has gathered, now and then."""


class Replay:
    """Brings partitions of a core to where the log stands below their claims.

    Parameters
    ----------
    core : Core
    bootstrap_servers, topic_prefix : str
    score : callable
        Takes the wearers that the last step of a partition called due, before the next step.
    checkpoints : Checkpoints, optional
        Without them every replay begins at cut 0.
    keeper : Keeper, optional
    version : str
        Of the engine.

    Attributes
    ----------
    losses : partitions that had to begin anew because the log no longer held what their state needed.
    differing : partitions whose replay gave other digests than the same version had written: a broken promise.
    """

    def __init__(
        self,
        core: Core,
        bootstrap_servers: str,
        topic_prefix: str,
        score: Callable[[ScoreDue], None],
        checkpoints: Checkpoints | None = None,
        keeper: Keeper | None = None,
        version: str = NO_VERSION,
    ) -> None:
        self._core, self._bootstrap, self._prefix, self._score = core, bootstrap_servers, topic_prefix, score
        self._beginnings = Beginnings(core, topic_prefix, checkpoints)
        self._keeper, self._version = keeper, version
        self._done = 0
        self._running: list[Replayer] = []
        self.losses = self.differing = 0

    @property
    def progress(self) -> int:
        """Count what the runs have done; it grows as long as they go on."""
        return self._done + sum(one.progress for one in self._running) + self._beginnings.progress

    async def run(self, claims: Mapping[int, int]) -> dict[int, Replayed]:
        """Replay every valid cut below the claims; *claims* is partition -> offset of the claim.

        Raises
        ------
        StepFailed
            If a step of several partitions raises: replay each of them alone.
        SavedStateUnusable
            If a checkpoint does not fit the engine and the log alone does not give the state.
        ReadingStuck, KafkaError, OSError
            If the log or the checkpoints cannot be read; nothing is lost by trying again.
        """
        if len(claims) > 1:
            return (await self._run(claims, _Watcher(self._core, self._version, self._score, self._keeper))).replayed
        ((p, _),) = claims.items()
        amended: dict[int, Cut] = {}
        again = REPLAYS_AGAIN
        while True:
            watcher = _Watcher(self._core, self._version, self._score, self._keeper, amended)
            try:
                return (await self._run(claims, watcher)).replayed
            except StepFailed as failure:
                if watcher.passed_before and again:
                    again -= 1
                    log.error("a step raised that did not before: it is replayed again", partition=p, cut=watcher.seq)
                    continue
                log.error("a step raised: what makes it raise is looked for", partition=p, error=kind_of(failure.error))
            cut = await self._amend(claims, _Watcher(self._core, self._version, _nobody, None, amended, watcher.seq))
            amended[cut.seq] = cut

    async def _run(self, claims: Mapping[int, int], watcher: "_Watcher") -> "_Watcher":
        async with LogReader(self._bootstrap) as cut_log, LogReader(self._bootstrap) as input_log:
            found = await self._beginnings.find(cut_log, input_log, claims)
            watcher.begin(found)
            self.losses += sum(one.lost for one in found.values())
            if self._keeper is not None:
                for p, one in found.items():
                    self._keeper.begin(p, claims[p], one)
            await self._replay(self._replayer(cut_log, input_log, found, watcher), found)
            self.differing += len(watcher.differing)
        return watcher

    async def _amend(self, claims: Mapping[int, int], watcher: "_Watcher") -> Cut:
        """Replay up to the cut that raises, and find out without what it passes."""
        async with LogReader(self._bootstrap) as cut_log, LogReader(self._bootstrap) as input_log:
            found = await self._beginnings.find(cut_log, input_log, claims)
            watcher.begin(found)
            replayer = self._replayer(cut_log, input_log, found, watcher)
            try:
                await self._replay(replayer, found)
            except _Halted as halted:
                cut = halted.cut
                before = self._core.save(cut.partition)
                return await Culprits(self._core, before, cut, replayer.between(cut)).find()
        raise RuntimeError("a step raised, and its cut is not in the log any more")

    def _replayer(
        self, cut_log: LogReader, input_log: LogReader, found: Mapping[int, Beginning], watcher: "_Watcher"
    ) -> Replayer:
        return Replayer(
            self._core,
            cut_log,
            input_log,
            bootstrap_servers=self._bootstrap,
            topic_prefix=self._prefix,
            watcher=watcher,
            begins={p: one.begins for p, one in found.items()},
        )

    async def _replay(self, replayer: Replayer, found: Mapping[int, Beginning]) -> None:
        self._running.append(replayer)
        try:
            await replayer.run({p: one.cuts for p, one in found.items()})
        finally:
            self._running.remove(replayer)
            self._done += replayer.progress

    async def input_starts(self, partitions: list[int]) -> dict[int, dict[str, int]]:
        """Return, per partition and input, where its log begins."""
        async with LogReader(self._bootstrap) as reader:
            return await self._beginnings.input_starts(reader, partitions)


class _Watcher:
    """Judges the replay of a recovery.

    Parameters
    ----------
    amended : of a partition that is replayed alone: cut number -> the cut as it passes.
    halt_at : the number of the cut before which to halt.

    Attributes
    ----------
    seq : number of the cut that is being applied. passed_before : whether the same version has applied it, as the cut
        behind it tells: what raises now is then not in the log.
    """

    def __init__(
        self,
        core: Core,
        version: str,
        score: Callable[[ScoreDue], None],
        keeper: Keeper | None,
        amended: Mapping[int, Cut] | None = None,
        halt_at: int | None = None,
    ) -> None:
        self._core, self._version, self._score, self._keeper = core, version, score, keeper
        self._amended, self._halt_at = amended or {}, halt_at
        self._last: set[int] = set()
        self.replayed: dict[int, Replayed] = {}
        self.differing: set[int] = set()
        self.seq, self.passed_before = -1, False

    def begin(self, found: Mapping[int, Beginning]) -> None:
        """Know where the partitions begin."""
        self.replayed = {
            p: Replayed(outputs=list(one.outputs), since_ms=one.stamp_ms, known=dict(one.known or {}))
            for p, one in found.items()
        }

    def admits(self, cut: Cut) -> bool:  # noqa: ARG002
        """Read what every cut names: it was read before."""
        return True

    def follows(self, cut: Cut, position: Position, behind: Cut | None, records: Inputs) -> Cut | None:  # noqa: ARG002
        """Adopt what another version has written; say so where the same version has written something else."""
        p, replayed = cut.partition, self.replayed[cut.partition]
        self.seq = cut.seq
        if self._halt_at == cut.seq:
            raise _Halted(cut)
        if behind is None:
            self._last.add(p)
        if replayed.broken or _is_missing(cut, position):
            replayed.broken = True
            return None
        version = position.version if cut.span is None else cut.span.version
        self.passed_before = behind is not None and version == self._version
        if version != self._version or (cut.span is not None and cut.span.origin is not None):
            replayed.adopted = True
        elif cut.digest != position.digest and not replayed.adopted and cut.span is None:
            log.error(
                "the replay differs from what the log says was sent: what was sent stands",
                partition=p,
                cut=cut.seq,
                offset=cut.at,
            )
            self.differing.add(p)
            replayed.adopted = True
        if (amended := self._amended.get(cut.seq)) is None:
            return cut
        if behind is None:
            replayed.amendment = amended
        else:  # whoever wrote what follows it could apply it
            replayed.adopted = True
        return replace(cut, without=amended.without, without_wearers=amended.without_wearers)

    def took_out(self, removed: Sequence[Removed]) -> None:
        """Say nothing: whoever left them out has said so."""

    def applied(self, cuts: Sequence[Cut], records: Mapping[int, Inputs], step: Step) -> None:
        """Keep the outputs of the last cut, and let the wearers that it calls due be scored."""
        if (due := due_in(step.due, self._last)) is not None:
            self._score(due)
        for cut in cuts:
            replayed = self.replayed[cut.partition]
            replayed.outputs = list(step.outputs.get(cut.partition, ()))
            replayed.cuts += 1
            replayed.records += sum(map(len, records[cut.partition].values()))

    async def relieve(self) -> None:
        """Let the journal's rows be written now and then."""
        if self._keeper is not None:
            await self._keeper.relieve()


def _is_missing(cut: Cut, position: Position) -> bool:
    """Tell whether something is missing between a position and a cut that counts."""
    inputs = position.inputs if cut.span is None else cut.span.inputs
    return cut.seq != position.seq + 1 or cut.T < position.T or len(cut.next) != len(inputs)


class _Halted(Exception):
    """The replay has come to the cut before which it was to halt."""

    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self.cut = cut


def _nobody(_: ScoreDue) -> None:
    """Let nobody be scored."""


def kind_of(error: BaseException) -> str:
    """Name an error without what it says, which may be of a wearer."""
    return type(error).__name__
