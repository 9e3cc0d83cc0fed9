"""The slow, obvious twin of the blood-pressure rules: the last sixteen readings as a list."""

from dataclasses import dataclass, field

from monitor.alerting.limits import Limits
from tests.reference.slow_policy import MINUTE_MS, Found, found

HOUR_MS = 60 * MINUTE_MS
HELD = 16
CUFFS = ("cuff_oscillometric", "cuff_auscultatory")


@dataclass(frozen=True)
class SlowReading:
    """A reading as it came."""

    event_id: str
    time_ms: int
    systolic: int
    diastolic: int
    method: str
    device_id: str

    @property
    def words(self) -> str:
        return f"{self.systolic}/{self.diastolic} mmHg"


@dataclass
class SlowPressure:
    """Readings of one wearer, and what is severe for whom."""

    held: list[SlowReading] = field(default_factory=list)
    conditions: tuple[str, ...] = ()
    own_systolic: int = 0
    own_diastolic: int = 0

    def write(self, reading: SlowReading) -> bool:
        """Keep the newest sixteen; False if the reading is one of them, or older than all of them."""
        if any(one.event_id == reading.event_id for one in self.held):
            return False
        if len(self.held) == HELD and reading.time_ms < self.held[0].time_ms:
            return False
        self.held = sorted([*self.held, reading], key=lambda one: (one.time_ms, one.systolic, one.diastolic))[-HELD:]
        return True

    def after(self, reading: SlowReading) -> list[SlowReading]:
        """What a reading that came late may confirm: those of a cuff that were taken later."""
        return [one for one in self.held if one.method in CUFFS and one.time_ms > reading.time_ms]

    def severe_from(self, limits: Limits) -> tuple[int, int]:
        """The wearer's own limits first, then those of pregnancy and the weeks after, then the default."""
        systolic, diastolic = limits.bp_severe_systolic_mmhg, limits.bp_severe_diastolic_mmhg
        if {"pregnant", "postpartum_6w"} & set(self.conditions):
            systolic, diastolic = limits.bp_pregnant_systolic_mmhg, limits.bp_pregnant_diastolic_mmhg
        return self.own_systolic or systolic, self.own_diastolic or diastolic

    def judge(self, reading: SlowReading, stamp_ms: int, limits: Limits) -> list[Found]:
        """What one reading of a cuff says."""
        late = stamp_ms - reading.time_ms > limits.bp_clinical_window_h * HOUR_MS
        earlier = [one for one in self.held if one.method in CUFFS and one.time_ms < reading.time_ms]
        severe = self._severe(reading, earlier, limits, late)
        return [severe] if "pregnant" in self.conditions else [severe, self._low(reading, earlier, limits, late)]

    def _severe(self, reading: SlowReading, earlier: list[SlowReading], limits: Limits, late: bool) -> Found:
        systolic, diastolic = self.severe_from(limits)
        within_ms = limits.bp_confirm_within_min * MINUTE_MS
        before = [
            one
            for one in earlier
            if reading.time_ms - one.time_ms <= within_ms and (one.systolic >= systolic or one.diastolic >= diastolic)
        ]
        raised = reading.systolic >= systolic or reading.diastolic >= diastolic
        sure = bool(before) or reading.systolic >= limits.bp_severe_urgent_systolic_mmhg
        by_diastolic = reading.systolic < systolic and reading.diastolic >= diastolic
        return found(
            "BP_SEVERE",
            raised=raised,
            cleared=reading.systolic < min(systolic - 5, limits.bp_severe_clear_systolic_mmhg)
            and reading.diastolic < min(diastolic - 5, limits.bp_severe_clear_diastolic_mmhg),
            event_ms=reading.time_ms,
            start_ms=before[0].time_ms if before else reading.time_ms,
            priority="low" if late else "high" if sure else "medium",
            metric="diastolic" if by_diastolic else "systolic",
            value=reading.diastolic if by_diastolic else reading.systolic,
            unit="mmHg",
            op=">=",
            limit=diastolic if by_diastolic else systolic,
            window_s=limits.bp_confirm_within_min * 60,
            samples=1 + len(before),
            unverified=not sure,
            late=late,
            device_id=reading.device_id,
        )

    @staticmethod
    def _low(reading: SlowReading, earlier: list[SlowReading], limits: Limits, late: bool) -> Found:
        """Low only together with the reading before it, of the last 24 h."""
        within_ms = limits.bp_clinical_window_h * HOUR_MS
        before = [one for one in earlier if reading.time_ms - one.time_ms <= within_ms][-1:]
        lowered = [one for one in before if one.systolic <= limits.bp_low_systolic_mmhg]
        return found(
            "BP_LOW",
            raised=reading.systolic <= limits.bp_low_systolic_mmhg and bool(lowered),
            cleared=reading.systolic >= limits.bp_low_clear_systolic_mmhg,
            event_ms=reading.time_ms,
            start_ms=lowered[0].time_ms if lowered else reading.time_ms,
            priority="low" if late else "medium",
            metric="systolic",
            value=reading.systolic,
            unit="mmHg",
            op="<=",
            limit=limits.bp_low_systolic_mmhg,
            window_s=limits.bp_clinical_window_h * 3600,
            samples=1 + len(lowered),
            late=late,
            device_id=reading.device_id,
        )
