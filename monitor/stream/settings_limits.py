"""Limits of the settings: a change of them is a switch in the log, so that every replay knows when it began to count.

A worker that takes a partition over compares its settings with what the partition has heard of settings before, and
writes what differs into its control.v1. What an operator has switched, and the settings did not change, stays.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from monitor.clock import Clock, SystemClock
from monitor.outputs import Output
from monitor.rules_in_force import written
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.core import Engine
from stream_schemas.codec import encode
from stream_schemas.control import Control
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import CONTROL

log = structlog.get_logger()


class SettingsLimits:
    """Tells partitions of the limits that a worker's settings name.

    Parameters
    ----------
    settings : Settings
    engine : Engine
    sink : KafkaSink
    limits : those of the settings that differ from the packaged ones.
    clock : for the record's `at`; what acts is the record's stamp.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        sink: KafkaSink,
        limits: Mapping[str, Any],
        clock: Clock | None = None,
    ) -> None:
        self._within_s = settings.stream.cut_timeout_s
        self._engine, self._sink, self._limits = engine, sink, dict(limits)
        self._clock = clock or SystemClock()

    async def tell(self, partitions: Iterable[int]) -> None:
        """Write a switch for each of these partitions whose state has heard of other settings.

        Raises
        ------
        TimeoutError, KafkaError
            If it is not acknowledged: nobody knows whether it is written, and telling it again changes nothing.
        """
        behind = {p: changes for p in partitions if (changes := self._engine.limits_behind(p, self._limits))}
        at = rfc3339(self._clock.now_ms())
        acks = []
        for p, changes in behind.items():
            content = "".join(f"{name} = {written(value)}\n" for name, value in changes.items())
            control = Control(kind="rules", content=content, origin="settings", at=at)
            acks += await self._sink.send([Output(CONTROL, p, None, encode(control))])
        if acks:
            log.warning("limits of the settings differ from before: a switch is written", partitions=list(behind))
            async with asyncio.timeout(self._within_s):
                await asyncio.gather(*acks)
