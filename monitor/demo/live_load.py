"""The load of the live section: many watches, and a cuff with bad news every fifth of a second."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from kafka import KafkaProducer
from kafka.producer.future import FutureRecordMetadata

from monitor.clock import SystemClock
from monitor.settings import Settings

ENVELOPES_PER_S = 300
ENVELOPE_S = 5
"""A watch sends this many seconds at once, so there are ENVELOPES_PER_S * ENVELOPE_S wearers."""
CRISIS_EVERY_S = 0.2
WARM_UP_S = 5.0
"""No crisis before: everybody has just appeared, and the model scores all of them for the first time."""
_TICK_S = 0.02
_VIEW_EVERY_S = 1.0
_ACKNOWLEDGED_S = 10.0
_encode = msgspec.json.Encoder().encode


class LiveLoad:
    """Publishes with the present time; the crises' broker stamps can be asked for afterwards."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._wearers = [f"live-{number:04d}" for number in range(ENVELOPES_PER_S * ENVELOPE_S)]
        self._sent = 0
        self._crises: dict[str, FutureRecordMetadata] = {}
        self._producer = KafkaProducer(
            bootstrap_servers=settings.kafka.bootstrap_servers.split(","), acks="all", linger_ms=0
        )

    def introduce_wearers(self) -> None:
        """Publish everybody's profile, so that each has a team and adult limits."""
        for number, wearer in enumerate(self._wearers):
            team = self._settings.teams[number % len(self._settings.teams)]
            profile = {
                "team": team,
                "time_zone": "UTC",
                "age_years": 50,
                "conditions": [],
                "medications": [],
                "consent": True,
            }
            self._send("context.wearer.v1", "wearer/1", wearer, self._clock.now_ms(), profile)
        self._producer.flush()

    def publish(self, seconds: float, meanwhile: Callable[[], None]) -> int:
        """Publish at an even rate; return the number of heart-rate envelopes."""
        began = shown = time.monotonic()
        warm_s = min(WARM_UP_S, seconds / 2)
        envelopes = crises = 0
        while (elapsed := time.monotonic() - began) < seconds:
            while envelopes < elapsed * ENVELOPES_PER_S:
                self._heart_rate(self._wearers[envelopes % len(self._wearers)])
                envelopes += 1
            while crises < (elapsed - warm_s) / CRISIS_EVERY_S and crises < len(self._wearers):
                self._crisis(self._wearers[crises])
                crises += 1
            if time.monotonic() - shown >= _VIEW_EVERY_S:
                meanwhile()
                shown = time.monotonic()
            time.sleep(_TICK_S)
        self._producer.flush()
        return envelopes

    def crisis_stamps_ms(self) -> dict[str, int]:
        """Return the broker's stamp of each crisis by wearer, epoch milliseconds."""
        return {wearer: int(future.get(_ACKNOWLEDGED_S).timestamp) for wearer, future in self._crises.items()}

    def close(self) -> None:
        """End the connection."""
        self._producer.close()

    def _heart_rate(self, wearer: str) -> None:
        values = {
            "offset_ms": [1000 * second for second in range(ENVELOPE_S)],
            "bpm": [64 + (self._sent + second) % 9 for second in range(ENVELOPE_S)],
            "context": "at_rest",
        }
        start_ms = self._clock.now_ms() - 1000 * ENVELOPE_S
        self._send("vitals.heart-rate.v1", "heart-rate/1", wearer, start_ms, values)

    def _crisis(self, wearer: str) -> None:
        values = {
            "systolic_mmhg": 224,
            "diastolic_mmhg": 126,
            "pulse_bpm": 88,
            "measurement_method": "cuff_oscillometric",
        }
        self._crises[wearer] = self._send(
            "vitals.blood-pressure.v1", "blood-pressure/1", wearer, self._clock.now_ms(), values
        )

    def _send(
        self, topic: str, schema: str, wearer: str, start_ms: int, values: dict[str, Any]
    ) -> FutureRecordMetadata:
        self._sent += 1
        start = datetime.fromtimestamp(start_ms / 1000, UTC).isoformat(timespec="milliseconds")
        event = {
            "schema": schema,
            "event_id": f"live-{self._sent}",
            "wearer_id": wearer,
            "device_id": f"{wearer}-watch",
            "start": start,
            **values,
        }
        return self._producer.send(self._settings.kafka.topic_prefix + topic, key=wearer.encode(), value=_encode(event))
