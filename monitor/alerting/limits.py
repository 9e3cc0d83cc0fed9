"""Starter limits of the alert rules: adults, every one with unit and source, every one a setting.

A care team's clinical owner decides them; nothing below claims a diagnosis. Wearers under 16 or pregnant have the
defaults off (BP_SEVERE excepted, which has a limit of its own for pregnancy) and are "not assessable" without
limits of their own.
"""

from pydantic import BaseModel, ConfigDict, Field

APPLE = "Apple Watch heart-rate notifications: 10 min of apparent rest, 120 and 40 bpm by default"
NEWS2 = "RCP 2017, NEWS2: pulse <= 40 and >= 131, systolic <= 90 and >= 220 score 3"
AHA_2025 = (
    "AHA/ACC 2025 guideline: severe at > 180 and/or > 120 mmHg, repeat after at least 1-2 min; >= on the safe side"
)
ACOG = "ACOG: severe-range pressure in pregnancy and to 6 weeks after birth, 160/110 mmHg"
NWS = "NWS heat index: danger from 103 F (39.4 C); caution from 90 F (32 C)"
OURS = "design decision of this project, to be confirmed by the team's clinical owner"


class Limits(BaseModel):
    """All limits of the rules; units are in the names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hr_window_min: int = Field(10, ge=1, le=60, description=f"minutes a heart-rate rule looks back; {APPLE}")
    hr_min_samples: int = Field(5, ge=1, description=f"samples in the window; slower devices need 3 in a row; {OURS}")
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
    day_begins_h: int = Field(
        8, ge=0, le=23, description=f"local hour from which unknown sleep counts as awake; {OURS}"
    )
    day_ends_h: int = Field(
        22, ge=0, le=23, description=f"local hour from which unknown sleep counts as asleep; {OURS}"
    )
    rest_max_steps: int = Field(0, ge=0, description=f"steps in the window that still count as rest; {OURS}")
    rest_min_known: float = Field(0.5, gt=0, le=1, description=f"share of the window with activity data; {OURS}")

    bp_severe_systolic_mmhg: int = Field(180, description=AHA_2025)
    bp_severe_diastolic_mmhg: int = Field(120, description=AHA_2025)
    bp_severe_clear_systolic_mmhg: int = Field(175, description=OURS)
    bp_severe_clear_diastolic_mmhg: int = Field(115, description=OURS)
    bp_severe_urgent_systolic_mmhg: int = Field(220, description=NEWS2)
    bp_pregnant_systolic_mmhg: int = Field(160, description=ACOG)
    bp_pregnant_diastolic_mmhg: int = Field(110, description=ACOG)
    bp_confirm_within_min: int = Field(60, ge=1, description=f"a second severe reading confirms; {OURS}")
    bp_repeat_within_min: int = Field(15, ge=1, description=f"no repeat in this time escalates; {AHA_2025}")
    bp_low_systolic_mmhg: int = Field(90, description=NEWS2)
    bp_low_clear_systolic_mmhg: int = Field(95, description=OURS)
    bp_clinical_window_h: int = Field(24, ge=1, description=f"late readings keep their priority for this long; {OURS}")

    heat_index_c: float = Field(39.4, description=NWS)
    heat_index_vulnerable_c: float = Field(32.0, description=NWS)
    heat_clear_c: float = Field(37.0, description=OURS)
    heat_vulnerable_clear_c: float = Field(30.0, description=OURS)
    heat_hr_bpm: int = Field(91, description="RCP 2017, NEWS2: pulse from 91 scores 1")
    heat_hr_above_usual_bpm: int = Field(15, description=OURS)
    heat_vulnerable_age_years: int = Field(65, description="WHO heat-health guidance: older adults from 65")
    weather_valid_h: int = Field(3, ge=1, description=f"a weather report holds for this long; {OURS}")

    risk_consecutive: int = Field(2, ge=1, description=f"scores in a row at or above the limit; {OURS}")
    risk_clear_margin: float = Field(0.1, gt=0, lt=1, description=f"probability below the limit that clears; {OURS}")
    risk_clear_min: int = Field(10, ge=0, description=f"minutes below before it clears; {OURS}")
    risk_min_coverage: float = Field(
        0.3, ge=0, le=1, description=f"share of the model's inputs that must be there; {OURS}"
    )

    no_data_cadences: int = Field(4, ge=2, description=f"missed deliveries, of the device's measured cadence; {OURS}")
    no_data_floor_min: int = Field(5, ge=1, description=f"never sooner than this; {OURS}")
    no_data_grace_min: int = Field(60, ge=1, description=f"until a cadence is measured (5 deliveries); {OURS}")

    future_min: int = Field(5, ge=0, description=f"events later than their received time plus this are refused; {OURS}")
    settle_s: float = Field(2.0, ge=0, le=600, description=f"a complete minute is decided after this; {OURS}")
    late_after_s: float = Field(
        120.0, ge=0, description=f"samples older than this when received are a late upload; {OURS}"
    )
    late_settle_s: float = Field(
        10.0, ge=0, le=600, description=f"a late upload is decided when it paused so long; {OURS}"
    )
    late_settle_most_s: float = Field(60.0, ge=0, le=600, description=f"or when it has lasted so long; {OURS}")


def table() -> str:
    """Every limit with its default and source, as a Markdown table."""
    rows = [f"| {name} | {field.default} | {field.description} |" for name, field in Limits.model_fields.items()]
    return "\n".join(["| limit | default | source |", "|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
