"""wearer/1: who a wearer is to the engine. A null value (tombstone) erases the wearer."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from pydantic import Field

from stream_schemas.event import Code, Event, Identifier, Instant, matching, one_of
from stream_schemas.units import AgeYears, Bpm, DiastolicMmhg, HeightCm, SystolicMmhg, WeightKg

CONDITIONS = (
    "hypertension",
    "diabetes",
    "coronary_disease",
    "heart_failure",
    "atrial_fibrillation",
    "stroke",
    "copd",
    "asthma",
    "kidney_disease",
    "cancer",
    "obesity",
    "sleep_apnea",
    "pregnant",
    "postpartum_6w",
    "pacemaker",
    "frailty",
    "dementia",
    "depression",
    "anaemia",
    "thyroid_disease",
    "immunosuppressed",
)
"""Known conditions in the order of their bits; any other code sets bit `OTHER_BIT`."""

MEDICATIONS = (
    "beta_blocker",
    "calcium_blocker",
    "ace_inhibitor",
    "angiotensin_blocker",
    "diuretic",
    "nitrate",
    "antiarrhythmic",
    "digoxin",
    "anticoagulant",
    "insulin",
    "oral_antidiabetic",
    "steroid",
    "opioid",
    "sedative",
    "antidepressant",
    "antipsychotic",
    "anticholinergic",
    "stimulant",
    "thyroid_hormone",
    "bronchodilator",
)
"""Known medications in the order of their bits; any other code sets bit `OTHER_BIT`."""

OTHER_BIT = 31
SEXES = ("unknown", "female", "male")
TEAM = r"^[a-z0-9-]{1,40}$"
TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}$"
MAX_CODES = 64

Team = Annotated[str, Field(pattern=TEAM), matching(TEAM)]
TimeZone = Annotated[str, Field(pattern=TIME_ZONE), matching(TIME_ZONE)]
Sex = Annotated[Literal["unknown", "female", "male"], one_of(SEXES)]


def mask(codes: Iterable[str], table: tuple[str, ...]) -> int:
    """Return the bit mask of `codes` by their places in `table`; any other code sets bit `OTHER_BIT`."""
    bits = 0
    for code in codes:
        bits |= 1 << (table.index(code) if code in table else OTHER_BIT)
    return bits


class OwnLimitsEvent(Event):
    """The wearer's own alert limits, set by a clinician; they replace the team's."""

    hr_high_bpm: Bpm | None = None
    hr_low_bpm: Bpm | None = None
    systolic_high_mmhg: SystolicMmhg | None = None
    diastolic_high_mmhg: DiastolicMmhg | None = None


class WearerEvent(Event):
    """A wearer's profile, valid from `start`; each record replaces the one before it as a whole."""

    schema_: Literal["wearer/1"] = Field("wearer/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier | None = None
    start: Instant = Field(description="Valid from.")
    team: Team
    time_zone: TimeZone = Field(description="IANA name, as in Europe/Berlin. Readers that do not know it use UTC.")
    age_years: AgeYears
    sex: Sex | None = None
    height_cm: HeightCm | None = None
    weight_kg: WeightKg | None = None
    conditions: list[Code] = Field(max_length=MAX_CODES)
    medications: list[Code] = Field(max_length=MAX_CODES)
    limits: OwnLimitsEvent | None = None
    consent: bool = Field(description="Whether the wearer agrees to being watched; without it nothing is scored.")


class OwnLimits(msgspec.Struct, frozen=True):
    """The wearer's own limits, inside."""

    hr_high_bpm: Bpm | None = None
    hr_low_bpm: Bpm | None = None
    systolic_high_mmhg: SystolicMmhg | None = None
    diastolic_high_mmhg: DiastolicMmhg | None = None


class WearerProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A wearer's profile, inside; `sex` is one of `SEXES`, `start` is RFC 3339."""

    schema_: Literal["wearer/1"] = msgspec.field(default="wearer/1", name="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier | None = None
    start: str
    team: Team
    time_zone: TimeZone
    age_years: AgeYears
    sex: str | None = None
    height_cm: HeightCm | None = None
    weight_kg: WeightKg | None = None
    conditions: Annotated[list[Code], msgspec.Meta(max_length=MAX_CODES)]
    medications: Annotated[list[Code], msgspec.Meta(max_length=MAX_CODES)]
    limits: OwnLimits | None = None
    consent: bool
