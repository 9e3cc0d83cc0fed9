"""A short section at real speed: how long a crisis takes from the broker's stamp to being readable in Redis.

Watches of many wearers send five seconds of heart rate every five seconds; now and then a cuff of one of them reads a
severe pressure. The broker stamps the reading when it has it; the projector's channel tells when the alert can be read.
Both clocks are this machine's.
"""

import threading
import time
from collections.abc import Callable, KeysView
from dataclasses import dataclass, field

from monitor.clock import SystemClock
from monitor.console.open_alerts import AlertWake, connect
from monitor.demo.live_load import LiveLoad
from monitor.demo.report import LiveSection
from monitor.settings import Settings

PATIENCE_S = 10.0
"""How long the last alert may take before it counts as missing."""


def measure(settings: Settings, seconds: float, meanwhile: Callable[[], None]) -> LiveSection:
    """Publish for some seconds at real speed and time every crisis.

    Parameters
    ----------
    settings : Settings
        Of a running worker and projector with broker stamps.
    seconds : float
        How long to publish.
    meanwhile : callable
        Called about every second: the view, and the look after the children.
    """
    load = LiveLoad(settings)
    listener = _Listener(settings)
    listener.start()
    try:
        load.introduce_wearers()
        began = time.monotonic()
        sent = load.publish(seconds, meanwhile)
        elapsed_s = time.monotonic() - began
        stamps = load.crisis_stamps_ms()
        listener.wait_for(stamps.keys(), PATIENCE_S)
    finally:
        listener.stop()
        load.close()
    heard = listener.readable_ms
    latencies = [float(heard[wearer] - stamp) for wearer, stamp in stamps.items() if wearer in heard]
    return LiveSection(latencies_ms=latencies, crises=len(stamps), envelopes_per_s=sent / elapsed_s)


@dataclass(slots=True)
class _Listener:
    """Notes, on a thread of its own, when each wearer's first BP_SEVERE alert could be read."""

    settings: Settings
    readable_ms: dict[str, int] = field(default_factory=dict)
    _enough: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        wake = AlertWake(connect(self.settings, timeout_s=5.0), self.settings)
        self._thread = threading.Thread(target=self._listen, args=(wake,), name="crisis-listener", daemon=True)
        self._thread.start()

    def wait_for(self, wearers: KeysView[str], timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: wearers <= self.readable_ms.keys(), timeout_s)

    def stop(self) -> None:
        self._enough.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self, wake: AlertWake) -> None:
        clock = SystemClock()
        try:
            while not self._enough.is_set():
                alert = wake.next(0.5)
                if alert is None or alert.rule != "BP_SEVERE":
                    continue
                with self._changed:
                    self.readable_ms.setdefault(alert.wearer_id, clock.now_ms())
                    self._changed.notify_all()
        finally:
            wake.close()
