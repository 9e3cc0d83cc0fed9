"""From the broker's stamp of a severe reading to its alert in Redis, at 1,000 envelopes a second, live."""

import threading
import time
from itertools import count

import numpy as np
from kafka import KafkaProducer

from benchmarks.broker import Bench, running, status, wait_for
from benchmarks.figure import Figure, Target
from monitor.clock import SystemClock
from monitor.console.open_alerts import AlertWake, connect
from monitor.settings import Settings
from simulators import envelopes
from simulators.fleet import offered
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import BLOOD_PRESSURE, HEART_RATE, WEARER

RATE_PER_S = 1_000
WEARERS = 10_000
ENVELOPE_S = WEARERS // RATE_PER_S
"""Every watch sends as many seconds at once, so that the fleet gives RATE_PER_S."""
PROBE_EVERY = 100
"""Envelopes between two severe readings: ten probes a second."""
SAMPLES = ",".join(envelopes.SECOND_OFFSETS[:ENVELOPE_S])
START_S = 60.0
PATIENCE_S = 15.0
GROUPS = 3


class TimeToRedis:
    """One worker, one projector, one live load; every probe is one reading of a wearer of its own."""

    def __init__(self, bench: Bench, seconds: float = 30.0, warm_up_s: float = 25.0) -> None:
        self._bench, self._seconds, self._warm_up_s = bench, seconds, warm_up_s
        self._latency_ms: list[float] = []
        self._offered_per_s = 0.0
        self._scores = 0

    def prepare(self) -> None:
        """Nothing; a round begins with fresh topics."""

    def round(self) -> None:
        """Run live and collect the probes' latencies, in the order of their stamps."""
        settings = self._bench.settings("latency", scoring={"device": "cpu"})
        listener = _Listener(settings)
        with (
            running(self._bench.start("worker", "monitor", ["worker"], settings)) as worker,
            running(self._bench.start("projector", "monitor", ["projector"], settings)) as projector,
        ):
            everything = list(range(settings.stream.partitions))
            wait_for(
                "The worker's start",
                lambda: True if (status(settings) or {}).get("assigned") == everything else None,
                START_S,
                worker,
                projector,
            )
            try:
                stamps = self._publish(settings)
                wait_for(
                    "The alerts of all probes",
                    lambda: True if stamps.keys() <= listener.readable_ms.keys() else None,
                    PATIENCE_S,
                    worker,
                    projector,
                )
            finally:
                listener.stop()
            self._scores = (status(settings) or {}).get("scores", 0)
        self._latency_ms += [listener.readable_ms[wearer] - stamp for wearer, stamp in stamps.items()]

    def figures(self) -> list[Figure]:
        """Return percentiles; their spread is that of the run's thirds."""
        thirds = np.array_split(np.array(self._latency_ms), GROUPS)
        note = (
            f"Live, broker clock, worker + projector + broker + Valkey on this machine: {RATE_PER_S:,} envelopes"
            f" a second offered ({self._offered_per_s:,.0f} reached) by {WEARERS:,} wearers, {ENVELOPE_S} samples each,"
            f" {len(self._latency_ms)} severe cuff readings as probes after {self._warm_up_s:.0f} s, the risk model on"
            f" ({self._scores:,} scores); from the broker's stamp to the projector's notice, when the alert is readable"
        )
        made = []
        for percent, target in ((50, None), (95, None), (99, Target("at most", 500))):
            whole = float(np.percentile(self._latency_ms, percent))
            parts = sorted(float(np.percentile(third, percent)) for third in thirds)
            # the middle value is the whole run's, so that it is the median of what is listed
            rounds = (min(parts[0], whole), whole, max(parts[-1], whole))
            made.append(Figure(f"latency-p{percent}", "ms", rounds, f"{note}.", target))
        return made

    def _publish(self, settings: Settings) -> dict[str, int]:
        producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers.split(","), acks="all", linger_ms=0)
        prefix, clock = settings.kafka.topic_prefix, SystemClock()
        probes: dict[str, object] = {}
        try:
            for name in [f"live-{number:05d}" for number in range(WEARERS)]:
                producer.send(prefix + WEARER, key=name.encode(), value=_profile(name, clock.now_ms()))
            producer.flush()
            began = time.monotonic()
            sent = 0
            for number in offered(count(), RATE_PER_S):
                now_s = time.monotonic() - began
                if now_s >= self._warm_up_s + self._seconds:
                    break
                name = f"live-{number % WEARERS:05d}"
                producer.send(prefix + HEART_RATE, key=name.encode(), value=_watch(name, number, clock.now_ms()))
                sent += 1
                if now_s >= self._warm_up_s and number % PROBE_EVERY == 0:
                    ill = f"probe-{number:07d}"
                    probes[ill] = producer.send(
                        prefix + BLOOD_PRESSURE, key=ill.encode(), value=_cuff(ill, clock.now_ms())
                    )
            self._offered_per_s = sent / (time.monotonic() - began)
            producer.flush()
            return {ill: int(future.get(10).timestamp) for ill, future in probes.items()}  # type: ignore[attr-defined]
        finally:
            producer.close()


class _Listener:
    """Notes on a thread when each wearer's first BP_SEVERE alert could be read."""

    def __init__(self, settings: Settings) -> None:
        self.readable_ms: dict[str, int] = {}
        self._stop = threading.Event()
        self._wake = AlertWake(connect(settings, timeout_s=5.0), settings)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        clock = SystemClock()
        try:
            while not self._stop.is_set():
                alert = self._wake.next(0.2)
                if alert is not None and alert.rule == "BP_SEVERE":
                    self.readable_ms.setdefault(alert.wearer_id, clock.now_ms())
        finally:
            self._wake.close()


def _watch(name: str, number: int, now_ms: int) -> bytes:
    bpm = [64 + (number + second) % 9 for second in range(ENVELOPE_S)]
    return envelopes.heart_rate(name, f"h{number}", now_ms - 1000 * ENVELOPE_S, SAMPLES, bpm, context="unknown")


def _cuff(name: str, now_ms: int) -> bytes:
    return (
        f'{{"schema":"blood-pressure/1","event_id":"{name}","wearer_id":"{name}","device_id":"cuff",'
        f'"start":"{rfc3339(now_ms)}","systolic_mmhg":224,"diastolic_mmhg":126,'
        '"measurement_method":"cuff_oscillometric"}'
    ).encode()


def _profile(name: str, now_ms: int) -> bytes:
    return (
        f'{{"schema":"wearer/1","event_id":"{name}-p","wearer_id":"{name}","start":"{rfc3339(now_ms)}","team":"north",'
        '"time_zone":"UTC","age_years":50,"conditions":[],"medications":[],"consent":true}'
    ).encode()
