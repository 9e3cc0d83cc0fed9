"""Outputs of a step while they are collected, each with what orders it: placement and input order must not."""

from dataclasses import dataclass, field

import msgspec

from monitor.alerting.board import Told
from monitor.inputs import Removed
from monitor.outputs import Output
from stream_schemas.dead_letter import dead_letter
from stream_schemas.reasons import Rejected
from stream_schemas.topics import DEAD_LETTER, alerts_topic

_json = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Sending:
    """Dead letters and alerts of one step."""

    refused: list[tuple[tuple[str, int], Output]] = field(default_factory=list)
    told: list[tuple[tuple[int, str, int], Output]] = field(default_factory=list)

    def refuse(self, one: Removed, rejected: Rejected) -> None:
        """Add the dead letter of a record."""
        letter = dead_letter(
            rejected,
            topic=one.topic,
            partition=one.partition,
            offset=one.offset,
            received_at_ms=one.received_at_ms,
            key=one.key,
            value=one.value,
        )
        self.refused.append(((one.topic, one.offset), Output(DEAD_LETTER, one.partition, one.key, _json(letter))))

    def tell(self, told: Told, partition: int) -> None:
        """Add a version of an alert."""
        output = Output(alerts_topic(told.alert.team), partition, told.alert.alert_id.encode(), _json(told.alert))
        self.told.append(((told.stamp_ms, told.alert.wearer_id, int(told.rule)), output))

    def by_partition(self) -> dict[int, list[Output]]:
        """Dead letters by origin, then alerts by stamp, wearer and rule; versions of one alert keep their order."""
        outputs: dict[int, list[Output]] = {}
        refused = [output for _, output in sorted(self.refused, key=lambda one: one[0])]
        told = [output for _, output in sorted(self.told, key=lambda one: one[0])]
        for output in refused + told:
            outputs.setdefault(output.partition, []).append(output)
        return outputs
