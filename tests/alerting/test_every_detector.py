"""What holds for every detector: it says why it cannot judge, and nobody's result depends on who is beside."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.alerting.af_burden_rule import af_burden
from monitor.alerting.evidence import Evidence
from monitor.alerting.limits import Limits
from monitor.alerting.night_signal import night_signal
from monitor.alerting.personal_cusum import personal_cusum
from monitor.alerting.poor_recovery import poor_recovery
from monitor.alerting.sleep_debt import sleep_debt
from monitor.alerting.sub_health import sub_health
from monitor.alerting.trend_dev import DaySignals, trend_dev

Floats = NDArray[np.float64]
Detector = Callable[[Floats], Evidence]

LIMITS = Limits(
    night_signal_above_bpm=2,
    night_signal_clear_bpm=1,
    night_signal_nights=2,
    personal_cusum_sum=2,
    personal_cusum_clear_sum=1,
    trend_dev_z=1.5,
    trend_dev_clear_z=1,
    poor_recovery_above_bpm=1,
    poor_recovery_clear_bpm=0.5,
    poor_recovery_hard_times_usual=0.5,
    sleep_debt_h=5,
    sleep_debt_clear_h=2,
    sub_health_share=0.5,
)  # fmt: skip - low limits, so that noise raises


def unknown(values: Floats) -> Floats:
    return np.full(len(values), np.nan)


def days(values: Floats) -> NDArray[np.int64]:
    return np.full(len(values), 20_000)


def signals(values: Floats) -> DaySignals:
    return DaySignals(values, values * 100, values * 7, values * 2, values / 100)


DETECTORS: dict[str, Detector] = {
    "night signal": lambda values: night_signal(values, days(values), LIMITS),
    "personal cusum": lambda values: personal_cusum(values, days(values), LIMITS),
    "trend dev": lambda values: trend_dev(signals(values), days(values), LIMITS),
    "poor recovery": lambda values: poor_recovery(values, values, values, unknown(values), days(values), LIMITS),
    "sleep debt": lambda values: sleep_debt(values * 6, unknown(values), days(values), LIMITS),
    "sub health": lambda values: sub_health(signals(values), values, unknown(values), days(values), LIMITS),
    "af burden": lambda values: af_burden(values / 4.3, ~np.isnan(values), days(values), LIMITS),
}

every = pytest.mark.parametrize("detect", DETECTORS.values(), ids=DETECTORS)


def noise(n: int, width: int, share_known: float = 0.95) -> Floats:
    rng = np.random.default_rng(width + n)
    values = 60 + 4 * rng.standard_normal((n, width))
    return np.where(rng.random((n, width)) < share_known, values, np.nan)


def columns(found: Evidence) -> list[list[float]]:
    assert found.lacked is not None
    names = ("raised", "cleared", "assessable", "value", "limit", "samples", "start_minute", "lacked", "priority")
    return [getattr(found, name).astype(float).tolist() for name in names]


@every
@pytest.mark.parametrize("width", [0, 1, 2, 28, 60])
def test_nobody_and_nothing_known_raise_nothing_and_say_why(detect: Detector, width: int) -> None:
    assert len(detect(np.zeros((0, width))).raised) == 0
    found = detect(np.full((3, width), np.nan))

    assert not found.raised.any()
    assert not found.cleared.any()
    assert not found.assessable.any()
    assert found.lacked is not None
    assert (found.lacked > 0).all()


@every
def test_a_single_sample_after_a_year_of_gaps_is_not_assessable(detect: Detector) -> None:
    year = np.full((1, 365), np.nan)
    year[0, -1] = 60.0

    assert not detect(year).assessable[0]


@every
def test_days_that_are_all_alike_raise_no_warning_and_are_not_raised_and_cleared_at_once(detect: Detector) -> None:
    found = detect(np.full((2, 60), 60.0))

    assert not (found.raised & found.cleared).any()


@every
def test_what_is_raised_was_assessable_and_what_was_not_says_why(detect: Detector) -> None:
    found = detect(noise(400, 28))

    assert not (found.raised & ~found.assessable).any()
    assert not (found.raised & found.cleared).any()
    assert found.lacked is not None
    assert (found.lacked[~found.assessable] > 0).all()
    assert not np.isnan(found.value[found.raised]).any()
    assert not np.isnan(found.limit[found.raised]).any()


@every
def test_a_wearers_result_does_not_depend_on_who_is_beside(detect: Detector) -> None:
    values = noise(40, 28)
    together = columns(detect(values))

    alone = [columns(detect(values[k : k + 1])) for k in range(40)]

    np.testing.assert_array_equal(together, np.array(alone)[:, :, 0].T)
