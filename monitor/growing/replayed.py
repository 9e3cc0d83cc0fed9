"""The state of an old partition behind its last cut, as a recovery gives it; the old log is only read."""

from collections.abc import Mapping

from monitor.cuts import Cut
from monitor.growing.request import NotGrown
from monitor.outputs import Output, ScoreDue
from monitor.settings import Settings
from monitor.stream.core import Core, StepFailed
from monitor.stream.culprits import Hopeless
from monitor.stream.recovery import Replay, Replayed
from monitor.stream.worker import engine_of
from monitor.verifying.spans import Looked
from monitor.version import engine_version
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from monitor.wearers.store import said
from stream_schemas.topics import INPUTS

FIRST = "start a worker of this version on it, wait until it owns every partition, drain it, then grow"
_EVER = 1 << 62


class OldLog:
    """The partitions of the old log, brought to their last cuts one after the other.

    Parameters
    ----------
    old : Settings
    looked : what cuts.v1 holds of each partition.

    Attributes
    ----------
    cuts : how many were replayed, because no checkpoint stood behind them.
    owed : outputs of last cuts of which nobody knows whether they were sent.
    """

    def __init__(self, old: Settings, looked: Mapping[int, Looked]) -> None:
        self._old, self._looked = old, looked
        self._engine = engine_of(old)
        self._core = Core(self._engine, INPUTS, journal=_ignore, control=_ignore)
        self._replay = Replay(
            self._core,
            old.kafka.bootstrap_servers,
            old.kafka.topic_prefix,
            _nobody,
            Checkpoints(old.checkpoint_place, partitions=old.stream.partitions),
            version=engine_version(),
        )
        self.cuts = 0
        self.owed: list[Output] = []

    def require_ours(self) -> None:
        """Refuse a log of which a partition was never cut, or was cut last by another version, as far as is told.

        Raises
        ------
        NotGrown
        """
        for p, one in self._looked.items():
            if one.last is None:
                raise NotGrown(f"No cut is in partition {p} of the log: {FIRST}.")
            said = one.begins[-1].span if one.begins else None
            if said is not None:
                self._require_version(p, said.version)

    async def behind_last_cut(self, partition: int) -> tuple[Checkpoint, dict[str, list[int]]]:
        """Return a partition's state, and the offsets of the records that wait in it by topic.

        Raises
        ------
        NotGrown
            If log and checkpoints do not give the state that the last worker had.
        SavedStateUnusable, CheckpointsDiffer, ReadingStuck, KafkaError, OSError
            As a recovery.
        """
        p = partition
        self._core.open(p)
        try:
            replayed = (await self._replay.run({p: self._looked[p].end}))[p]
        except (StepFailed, Hopeless) as failure:
            raise NotGrown(f"A cut of partition {p} raises an error when it is replayed: {FIRST}.") from failure
        self._require_whole(p, replayed)
        self.cuts += replayed.cuts
        self.owed += replayed.outputs
        checkpoint, waiting = self._core.save(p), dict[str, list[int]]()
        for topic, offset in self._engine.acting(p, _EVER):
            waiting.setdefault(topic, []).append(offset)
        self._core.drop(p)
        return checkpoint, waiting

    def _require_whole(self, p: int, replayed: Replayed) -> None:
        position, last = self._core.position(p), self._looked[p].last
        if replayed.amendment is not None:
            raise NotGrown(f"The last cut of partition {p} raises an error and nobody has amended it yet: {FIRST}.")
        if replayed.broken or self._replay.losses or not _stands(position.seq, last):
            raise NotGrown(
                f"Log and checkpoints do not give the state of partition {p} (see the lines above; checkpoints were "
                f"looked for in {said(self._old.checkpoint_place)}): name the place that the workers use, or {FIRST}."
            )
        self._require_version(p, position.version)
        if replayed.adopted or not set(INPUTS) <= set(position.inputs):
            raise NotGrown(f"Another version of the engine, or other inputs, made the state of partition {p}: {FIRST}.")

    def _require_version(self, p: int, version: str) -> None:
        if version != engine_version():
            raise NotGrown(
                f"Version {version or '0.1'} of the engine cut partition {p} last, and this is {engine_version()}: "
                f"{FIRST}."
            )


def _stands(seq: int, last: Cut | None) -> bool:
    return last is not None and seq == last.seq


def _ignore(_: object) -> None:
    return


def _nobody(_: ScoreDue) -> None:
    return
