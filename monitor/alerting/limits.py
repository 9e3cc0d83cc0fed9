"""Starter limits of the alert rules: adults, every one with unit and source, every one a setting.

A care team's clinical owner decides them; nothing below claims a diagnosis. Wearers under 16 or pregnant have the
defaults off (BP_SEVERE excepted, which has a limit of its own for pregnancy) and are "not assessable" without
limits of their own.
"""

import difflib
import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from monitor.alerting.limit_order import out_of_order

APPLE = "Apple Watch heart-rate notifications: 10 min of apparent rest, 120 and 40 bpm by default"
NEWS2 = "RCP 2017, NEWS2: pulse <= 40 and >= 131, systolic <= 90 and >= 220 score 3"
AHA_2025 = (
    "AHA/ACC 2025 guideline: severe at > 180 and/or > 120 mmHg, repeat after at least 1-2 min; >= on the safe side"
)
ACOG = "ACOG: severe-range pressure in pregnancy and to 6 weeks after birth, 160/110 mmHg"
NWS = "NWS heat index: danger from 103 F (39.4 C); caution from 90 F (32 C)"
ALAVI = "Alavi et al. 2022 (Nat Med 28:175), NightSignal"
PAGE = "Page 1954 (Biometrika 41:100); NIST/SEMATECH handbook 6.3.2.3"
LUBITZ = "Lubitz et al. 2022 (Circulation 146:1415), Fitbit Heart Study: 11 windows of 5 min in a row, 30 min"
ESH_2021 = "Parati et al. 2021 (J Hypertens 39:1742), ESH home monitoring: 135/85 mmHg, 3 to 7 days"
COLE = "Cole et al. 1999 (N Engl J Med 341:1351): a fall of 12 bpm or less in the first minute is abnormal"
NSF_2015 = "Hirshkowitz et al. 2015 (Sleep Health 1:40): 7-9 h, from 65 years 7-8 h"
TUDOR = "Tudor-Locke and Bassett 2004 (Sports Med 34:1): below 5000 steps a day sedentary, below 7500 low active"
HUANG = "Huang et al. 2020 (J Am Coll Cardiol 75:991): SD of the sleep duration above 90 and above 120 min"
OURS = "design decision of this project, to be confirmed by the team's clinical owner"


class Limits(BaseModel):
    """All limits of the rules; units are in the names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    hr_window_min: int = Field(10, ge=1, le=60, description=f"minutes a heart-rate rule looks back; {APPLE}")
    hr_min_samples: int = Field(
        5, ge=1, le=3600, description=f"samples in the window; slower devices need 3 in a row; {OURS}"
    )
    hr_high_rest_bpm: int = Field(120, ge=60, le=240, description=APPLE)
    hr_high_rest_urgent_bpm: int = Field(131, ge=60, le=240, description=NEWS2)
    hr_high_rest_clear_bpm: int = Field(115, ge=60, le=240, description=OURS)
    hr_low_awake_bpm: int = Field(40, ge=20, le=80, description=f"{APPLE}; {NEWS2}")
    hr_low_awake_clear_bpm: int = Field(45, ge=20, le=90, description=OURS)
    hr_low_asleep_bpm: int = Field(30, ge=20, le=80, description=OURS)
    hr_low_asleep_clear_bpm: int = Field(35, ge=20, le=90, description=OURS)
    hr_low_urgent_bpm: int = Field(
        30, ge=20, le=80, description=f"at or below this while awake the priority is high; {OURS}"
    )
    hr_unverified_below_bpm: int = Field(25, ge=20, le=40, description=f"20-24 bpm counts, as unverified; {OURS}")
    hr_min_quality: float = Field(
        0.5,
        ge=0,
        le=1,
        description=f"quality of heart rate below which rules that are no fixed limit begin no alert; 0 = off; {OURS}",
    )
    day_begins_h: int = Field(
        8, ge=0, le=23, description=f"local hour from which unknown sleep counts as awake; {OURS}"
    )
    day_ends_h: int = Field(
        22, ge=0, le=23, description=f"local hour from which unknown sleep counts as asleep; {OURS}"
    )
    rest_max_steps: int = Field(0, ge=0, le=10_000, description=f"steps in the window that still count as rest; {OURS}")
    rest_min_known: float = Field(0.5, gt=0, le=1, description=f"share of the window with activity data; {OURS}")

    bp_severe_systolic_mmhg: int = Field(180, ge=120, le=280, description=AHA_2025)
    bp_severe_diastolic_mmhg: int = Field(120, ge=70, le=180, description=AHA_2025)
    bp_severe_clear_systolic_mmhg: int = Field(175, ge=100, le=280, description=OURS)
    bp_severe_clear_diastolic_mmhg: int = Field(115, ge=60, le=180, description=OURS)
    bp_severe_urgent_systolic_mmhg: int = Field(220, ge=120, le=300, description=NEWS2)
    bp_pregnant_systolic_mmhg: int = Field(160, ge=120, le=280, description=ACOG)
    bp_pregnant_diastolic_mmhg: int = Field(110, ge=70, le=180, description=ACOG)
    bp_confirm_within_min: int = Field(60, ge=1, le=1440, description=f"a second severe reading confirms; {OURS}")
    bp_repeat_within_min: int = Field(15, ge=1, le=1440, description=f"no repeat in this time escalates; {AHA_2025}")
    bp_low_systolic_mmhg: int = Field(90, ge=50, le=120, description=NEWS2)
    bp_low_clear_systolic_mmhg: int = Field(95, ge=50, le=130, description=OURS)
    bp_clinical_window_h: int = Field(
        24, ge=1, le=168, description=f"late readings keep their priority for this long; {OURS}"
    )

    heat_index_c: float = Field(39.4, ge=25, le=60, description=NWS)
    heat_index_vulnerable_c: float = Field(32.0, ge=20, le=60, description=NWS)
    heat_clear_c: float = Field(37.0, ge=15, le=60, description=OURS)
    heat_vulnerable_clear_c: float = Field(30.0, ge=15, le=60, description=OURS)
    heat_hr_bpm: int = Field(91, ge=50, le=200, description="RCP 2017, NEWS2: pulse from 91 scores 1")
    heat_hr_above_usual_bpm: int = Field(15, ge=0, le=100, description=OURS)
    heat_vulnerable_age_years: int = Field(
        65, ge=16, le=120, description="WHO heat-health guidance: older adults from 65"
    )
    weather_valid_h: int = Field(3, ge=1, le=24, description=f"a weather report holds for this long; {OURS}")

    risk_consecutive: int = Field(2, ge=1, le=100, description=f"scores in a row at or above the limit; {OURS}")
    risk_clear_margin: float = Field(0.1, gt=0, lt=1, description=f"probability below the limit that clears; {OURS}")
    risk_clear_min: int = Field(10, ge=0, le=10_080, description=f"minutes below before it clears; {OURS}")
    risk_min_coverage: float = Field(
        0.3, ge=0, le=1, description=f"share of the model's inputs that must be there; {OURS}"
    )

    no_data_cadences: int = Field(
        4, ge=2, le=1000, description=f"missed deliveries, of the device's measured cadence; {OURS}"
    )
    no_data_floor_min: int = Field(5, ge=1, le=525_600, description=f"never sooner than this; {OURS}")
    no_data_grace_min: int = Field(
        60, ge=1, le=525_600, description=f"until a cadence is measured (5 deliveries); {OURS}"
    )

    future_min: int = Field(
        5, ge=0, le=1440, description=f"events later than their received time plus this are refused; {OURS}"
    )
    settle_s: float = Field(2.0, ge=0, le=600, description=f"a complete minute is decided after this; {OURS}")
    late_after_s: float = Field(
        120.0, ge=0, le=604_800, description=f"samples older than this when received are a late upload; {OURS}"
    )
    late_settle_s: float = Field(
        10.0, ge=0, le=600, description=f"a late upload is decided when it paused so long; {OURS}"
    )
    late_settle_most_s: float = Field(60.0, ge=0, le=600, description=f"or when it has lasted so long; {OURS}")

    news2_parts_on: bool = Field(True, description=f"judge NEWS2_PARTS; {OURS}")
    news2_parts_sum: int = Field(
        5, ge=1, le=6, description="points of pulse and systolic pressure; RCP 2017, NEWS2: urgent response from 5"
    )
    news2_parts_clear_sum: int = Field(3, ge=0, le=5, description=f"points below which it clears; {OURS}")
    news2_parts_bp_valid_min: int = Field(60, ge=1, le=1440, description=f"minutes a cuff reading stands; {OURS}")

    night_signal_on: bool = Field(True, description=f"judge NIGHT_SIGNAL; {OURS}")
    night_signal_above_bpm: float = Field(
        5.0,
        gt=0,
        le=60,
        description=f"nightly rate above the median; {ALAVI}: 4; 5 for the alert budget, docs/detectors.md",
    )
    night_signal_clear_bpm: float = Field(
        3.0, ge=0, le=60, description=f"below this above the median; {ALAVI}: yellow from 3"
    )
    night_signal_nights: int = Field(
        3, ge=1, le=7, description=f"nights in a row; {ALAVI}: 2; 3 for the alert budget, docs/detectors.md"
    )
    night_signal_min_nights: int = Field(14, ge=1, le=26, description=f"earlier nights that must be known; {OURS}")

    personal_cusum_on: bool = Field(True, description=f"judge PERSONAL_CUSUM; {OURS}")
    personal_cusum_sum: float = Field(
        10.0,
        gt=0,
        le=1000,
        description=f"sum of a week's z above 0.5 that raises; {PAGE}: 4 to 5; 10 for the alert budget",
    )
    personal_cusum_clear_sum: float = Field(1.0, ge=0, le=1000, description=f"sum below which it clears; {OURS}")
    personal_cusum_min_nights: int = Field(
        14, ge=10, le=21, description=f"nights of the 21 before the week that must be known; {OURS}"
    )

    af_burden_on: bool = Field(True, description=f"judge AF_BURDEN; {OURS}")
    af_burden_run_min: int = Field(30, ge=5, le=1440, description=f"minutes at rest, all irregular; {LUBITZ}")
    af_burden_clear_min: int = Field(30, ge=5, le=1440, description=f"regular minutes that clear; {OURS}")

    bp_trend_on: bool = Field(True, description=f"judge BP_TREND; {OURS}")
    bp_trend_systolic_mmhg: int = Field(135, ge=100, le=220, description=ESH_2021)
    bp_trend_diastolic_mmhg: int = Field(85, ge=60, le=140, description=ESH_2021)
    bp_trend_clear_mmhg: int = Field(5, ge=1, le=50, description=f"mmHg below both limits that clear; {OURS}")
    bp_trend_min_days: int = Field(3, ge=1, le=7, description=f"of 7 days, with a reading; {ESH_2021}")
    bp_trend_min_readings: int = Field(6, ge=6, le=16, description=f"cuff readings in the mean; {OURS}")

    trend_dev_on: bool = Field(True, description=f"judge TREND_DEV; {OURS}")
    trend_dev_z: float = Field(4.0, gt=0, le=100, description=f"robust z of today that counts; {OURS}")
    trend_dev_clear_z: float = Field(2.5, gt=0, le=100, description=f"robust z below which it clears; {OURS}")
    trend_dev_days: int = Field(14, ge=7, le=27, description=f"days before today to compare with; {OURS}")
    trend_dev_min_days: int = Field(10, ge=5, le=27, description=f"of them known; {OURS}")
    trend_dev_signals: int = Field(2, ge=1, le=5, description=f"signals that must agree; {OURS}")

    poor_recovery_on: bool = Field(True, description=f"judge POOR_RECOVERY; {OURS}")
    poor_recovery_above_bpm: float = Field(
        5.0, gt=0, le=60, description=f"nightly rate above the own median after a hard day; {OURS}"
    )
    poor_recovery_clear_bpm: float = Field(
        3.0, ge=0, le=60, description=f"below this above the own median it clears; {OURS}"
    )
    poor_recovery_resting_above_bpm: float = Field(
        4.0, gt=0, le=60, description=f"resting rate above the own median that agrees; {OURS}"
    )
    poor_recovery_hrr_bpm: float = Field(12.0, ge=0, le=100, description=COLE)
    poor_recovery_hard_min: int = Field(
        30, ge=1, le=1440, description=f"active minutes of a hard day; WHO 2020: 150 a week is 30 on 5 days; {OURS}"
    )
    poor_recovery_hard_times_usual: float = Field(
        2.0, gt=0, le=100, description=f"and this many times the own median; {OURS}"
    )
    poor_recovery_min_days: int = Field(14, ge=3, le=27, description=f"earlier days that must be known; {OURS}")

    sleep_debt_on: bool = Field(True, description=f"judge SLEEP_DEBT; {OURS}")
    sleep_debt_h: float = Field(21.0, gt=0, le=336, description=f"hours short over 14 nights: 1.5 a night; {OURS}")
    sleep_debt_clear_h: float = Field(14.0, ge=0, le=336, description=f"hours below which it clears; {OURS}")
    sleep_debt_nights: int = Field(
        14, ge=7, le=28, description="nights of the sum; Van Dongen et al. 2003 (Sleep 26:117)"
    )
    sleep_debt_min_nights: int = Field(10, ge=4, le=28, description=f"of them known; {OURS}")
    sleep_need_least_h: float = Field(7.0, gt=0, le=24, description=NSF_2015)
    sleep_need_most_h: float = Field(9.0, gt=0, le=24, description=NSF_2015)
    sleep_need_most_older_h: float = Field(8.0, gt=0, le=24, description=NSF_2015)
    sleep_older_age_years: int = Field(65, ge=16, le=120, description=NSF_2015)

    sub_health_on: bool = Field(True, description=f"judge SUB_HEALTH; {OURS}")
    sub_health_share: float = Field(0.7, gt=0, le=1, description=f"points of the known parts over the most; {OURS}")
    sub_health_clear_share: float = Field(0.4, ge=0, le=1, description=f"share below which it clears; {OURS}")
    sub_health_min_parts: int = Field(3, ge=1, le=5, description=f"parts that must be known; {OURS}")
    sub_health_steps: int = Field(
        7500, ge=0, le=100_000, description=f"steps a day below which activity has a point; {TUDOR}"
    )
    sub_health_few_steps: int = Field(
        5000, ge=0, le=100_000, description=f"steps a day below which it has two; {TUDOR}"
    )
    sub_health_resting_up_bpm: float = Field(
        3.0, gt=0, le=60, description=f"last 7 days' resting rate above that of the 21 before: a point; {OURS}"
    )
    sub_health_resting_far_up_bpm: float = Field(5.0, gt=0, le=60, description=f"the same: two points; {OURS}")
    sub_health_sleep_sd_min: float = Field(
        90.0, gt=0, le=1440, description=f"SD above which irregularity has a point; {HUANG}"
    )
    sub_health_sleep_wide_sd_min: float = Field(120.0, gt=0, le=1440, description=f"SD above which it has two; {HUANG}")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        sentence = out_of_order(self.model_dump())
        if sentence is not None:
            raise PydanticCustomError("limits_out_of_order", "{sentence}", {"sentence": sentence})
        return self


def as_accepted_then(text: str) -> Limits:
    """Read limits that a version accepted when it wrote them: what this one refuses by now was in force all the same.

    Raises
    ------
    ValueError
        If the text is no JSON object.

    >>> as_accepted_then('{"hr_high_rest_bpm": 110}').hr_high_rest_clear_bpm
    115
    """
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"limits are {type(values).__name__}, not an object")
    return Limits.model_construct(**values)


def refusal(first: ErrorDetails) -> str:
    """Return why limits are refused, as a sentence without a full stop, from the first error that pydantic found.

    >>> from pydantic import ValidationError
    >>> try:
    ...     Limits(hr_high=130)
    ... except ValidationError as error:
    ...     refusal(error.errors()[0])
    'hr_high is no limit; did you mean hr_high_rest_bpm?'
    """
    name = str(first["loc"][-1]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Limits.model_fields, n=1, cutoff=0.5)
        return f"{name} is no limit" + (f"; did you mean {near[0]}?" if near else "")
    return f"{name}: {first['msg']}" if name in Limits.model_fields else first["msg"]


def changed(limits: Limits) -> dict[str, Any]:
    """Return the limits that differ from the packaged ones.

    >>> changed(Limits(hr_low_awake_bpm=42))
    {'hr_low_awake_bpm': 42}
    """
    packaged = Limits()
    return {name: value for name, value in limits.model_dump().items() if value != getattr(packaged, name)}


def table() -> str:
    """Every limit with its default and source, as a Markdown table."""
    rows = [f"| {name} | {field.default} | {field.description} |" for name, field in Limits.model_fields.items()]
    return "\n".join(["| limit | default | source |", "|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
