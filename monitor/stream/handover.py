"""Handing a partition over from one version of the engine to another: the first cut of a new span.

The state that a version goes on from is kept as a checkpoint before the cut that begins its span is written, and the
cut names it: whoever recovers or verifies the span begins there. Open alerts are made to agree with what was told.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog

from monitor.cuts import Cut, Position, Span
from monitor.errors import StoreUnreachable
from monitor.outputs import Output
from monitor.settings import Settings
from monitor.stream.core import Core
from monitor.stream.cut_log import CutLog
from monitor.stream.reading import LogReader
from monitor.stream.recovery import Replayed
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.alert import Alert
from stream_schemas.reasons import UNREADABLE
from stream_schemas.topics import DEAD_LETTER, alerts_topic

EARLIER_MS = 60_000
"""What was told is read from so long before the state agreed with it: clocks of brokers differ."""

_alert = msgspec.json.Decoder(Alert).decode

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Told:
    alerts: list[Alert]
    letters: set[tuple[str, int]]


class Handover:
    """Hands partitions over.

    Parameters
    ----------
    settings : Settings
    core : Core
    cut_log : CutLog
    checkpoints : Checkpoints
    version : str
        Of this engine.
    limits : mapping
        Those of the settings that differ from the packaged ones.
    """

    def __init__(
        self,
        settings: Settings,
        core: Core,
        cut_log: CutLog,
        checkpoints: Checkpoints,
        *,
        version: str,
        limits: Mapping[str, Any],
    ) -> None:
        self._settings, self._core, self._cut_log, self._checkpoints = settings, core, cut_log, checkpoints
        self._version, self._limits = version, limits

    def inputs(self, position: Position) -> tuple[str, ...]:
        """Return the inputs that a span of ours names: our own, then those that the log has and nobody reads now."""
        return (*self._core.inputs, *(topic for topic in position.inputs if topic not in self._core.inputs))

    def needed(self, position: Position, replayed: Replayed) -> bool:
        """Tell whether what comes next begins a new span."""
        return replayed.adopted or position.version != self._version or position.inputs != self.inputs(position)

    async def begin(self, partition: int, epoch: int, at: int, replayed: Replayed, starts: Mapping[str, int]) -> Cut:
        """Keep the state, write the first cut of a span at an offset of cuts.v1, and return it.

        Parameters
        ----------
        starts : where the inputs begin that are new.

        Raises
        ------
        Overtaken
            If another worker claims in between.
        """
        position = self._core.position(partition)
        cut = self._cut(partition, epoch, at, position, starts)
        told = await self._told(partition, replayed.since_ms)
        letters = [out for out in replayed.letters() if _origin(out) not in told.letters]
        step = self._core.hand_over(cut, told.alerts, replayed.known, letters, self._limits)
        replayed.outputs = list(step.outputs.get(partition, ()))
        kept = await self._keep(partition, replayed.outputs)
        if not kept and cut.span is not None:
            cut = replace(cut, span=replace(cut.span, origin=""))
        await self._cut_log.begin(cut)
        log.warning(
            "a new span begins: another version, or other inputs, wrote what is before it",
            partition=partition,
            before=position.version or "0.1",
            version=self._version,
            adopted_cuts=replayed.adopted,
            told=len(replayed.outputs),
        )
        return cut

    def _cut(self, partition: int, epoch: int, at: int, position: Position, starts: Mapping[str, int]) -> Cut:
        inputs, reached, stamps = self.inputs(position), position.reached(), position.stamps()
        name = f"{epoch:012d}-{at:012d}"
        return Cut(
            partition=partition,
            at=at,
            epoch=epoch,
            seq=position.seq + 1,
            T=position.T,
            next=tuple(reached[topic] if topic in reached else starts[topic] for topic in inputs),
            stamp=tuple(stamps.get(topic, 0) for topic in inputs),
            digest=0,
            span=Span(self._version, inputs, name),
        )

    async def _keep(self, partition: int, outputs: Sequence[Output]) -> bool:
        checkpoint = replace(self._core.save(partition), outputs=tuple(outputs))
        try:
            await asyncio.to_thread(self._checkpoints.write, checkpoint, pinned=True)
        except (OSError, StoreUnreachable) as failure:
            log.error(
                "the state at the beginning of a span was not kept: nobody can verify it",
                partition=partition,
                why=str(failure),
            )
            return False
        return True

    async def _told(self, partition: int, since_ms: int) -> _Told:
        """Read what was told of a partition since a time of the brokers."""
        prefix = self._settings.kafka.topic_prefix
        topics = [alerts_topic(team) for team in self._settings.teams]
        tps = {(prefix + topic, partition): topic for topic in (*topics, DEAD_LETTER)}
        async with LogReader(self._settings.kafka.bootstrap_servers) as reader:
            begins = await reader.at_time(list(tps), max(0, since_ms - EARLIER_MS))
            ends = await reader.ends(list(tps))
            reader.begin(begins)
            read = await reader.upto(ends)
        alerts = []
        for tp, topic in tps.items():
            if topic != DEAD_LETTER:
                alerts += [alert for value in read[tp].value if (alert := _read(value)) is not None]
        letters = {
            _origin(Output(DEAD_LETTER, partition, None, value or b""))
            for value in read[prefix + DEAD_LETTER, partition].value
        }
        return _Told(alerts, letters)


def _read(value: bytes | None) -> Alert | None:
    try:
        return None if value is None else _alert(value)
    except UNREADABLE:
        return None  # nothing that a worker wrote


def _origin(letter: Output) -> tuple[str, int]:
    """Return which record a dead letter is of."""
    try:
        document = json.loads(letter.value)
        return str(document["origin_topic"]), int(document["origin_offset"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", -1
