"""The daily detectors over days of real people: a detector is a line here."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data.episodes import Burden, judged
from benchmarks.real_data.people_days import DayWindows
from monitor.alerting.evidence import Evidence
from monitor.alerting.limits import Limits
from monitor.alerting.night_signal import night_signal
from monitor.alerting.personal_cusum import personal_cusum
from monitor.alerting.poor_recovery import poor_recovery
from monitor.alerting.sleep_debt import sleep_debt
from monitor.alerting.sub_health import sub_health
from monitor.alerting.trend_dev import DaySignals, trend_dev

Judge = Callable[[DayWindows, Limits], Evidence]


def _signals(days: DayWindows) -> DaySignals:
    night, sleep = days.at("night_bpm"), days.at("sleep_min")
    return DaySignals(night, days.before("steps"), sleep, days.before("systolic_mmhg"), days.before("irregular_share"))


def _recovery(days: DayWindows, limits: Limits) -> Evidence:
    unseen = np.full(len(days.day), np.nan)  # no fall after effort is measured in days
    night, rest, active = days.at("night_bpm"), days.before("resting_bpm"), days.before("active_min")
    return poor_recovery(night, rest, active, unseen, days.day, limits)


DETECTORS: dict[str, Judge] = {
    "NIGHT_SIGNAL": lambda days, limits: night_signal(days.at("night_bpm"), days.day, limits),
    "PERSONAL_CUSUM": lambda days, limits: personal_cusum(days.at("night_bpm"), days.day, limits),
    "TREND_DEV": lambda days, limits: trend_dev(_signals(days), days.day, limits),
    "POOR_RECOVERY": _recovery,
    "SLEEP_DEBT": lambda days, limits: sleep_debt(days.at("sleep_min"), days.age_years, days.day, limits),
    "SUB_HEALTH": lambda days, limits: sub_health(
        _signals(days), days.before("diastolic_mmhg"), days.age_years, days.day, limits
    ),
}


def is_on(name: str, limits: Limits) -> bool:
    """Tell whether the limits let a detector speak."""
    return bool(getattr(limits, f"{name.lower()}_on", True))


def burdens(
    days: DayWindows, limits: Limits, names: Sequence[str] = (), asked: NDArray[np.bool_] | None = None
) -> list[Burden]:
    """Count what each daily detector that is on raised; all of them unless named.

    asked : (N,) days on which a monitor would have judged; all unless told.
    """
    wanted = [name for name in (names or DETECTORS) if is_on(name, limits)]
    return [judged(name, DETECTORS[name](days, limits), days.person, asked) for name in wanted]
