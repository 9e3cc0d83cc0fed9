"""Quantities on the wire: each range and unit stated once, for pydantic and msgspec alike.

An alias such as `Bpm` carries two annotations made from one `Range`: pydantic reads its own, msgspec its own, and both
are told to refuse strings, booleans, NaN and infinity. Names of fields end in the unit.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta
from pydantic import Field


@dataclass(frozen=True, slots=True)
class Range:
    """What a quantity may be; anything else is refused, never clamped.

    Attributes
    ----------
    low, high : both allowed.
    unit : UCUM code.
    """

    low: int | float
    high: int | float
    unit: str

    def field(self) -> Any:
        """Return pydantic's annotation."""
        return Field(strict=True, ge=self.low, le=self.high, json_schema_extra={"unit": self.unit})

    def meta(self) -> Meta:
        """Return msgspec's annotation."""
        return Meta(ge=self.low, le=self.high)


BPM = Range(20, 300, "/min")
RR_MS = Range(200, 3000, "ms")
OFFSET_MS = Range(0, 86_399_999, "ms")
SYSTOLIC_MMHG = Range(40, 300, "mm[Hg]")
DIASTOLIC_MMHG = Range(20, 200, "mm[Hg]")
STEPS = Range(0, 400, "{steps}/min")
ENERGY_KCAL = Range(0, 20_000, "kcal")
STAGE_START_S = Range(0, 86_399, "s")
SLEEP_MIN = Range(0, 1440, "min")
CELSIUS = Range(-90, 60, "Cel")
HUMIDITY_PCT = Range(0, 100, "%")
WIND_MPS = Range(0, 120, "m/s")
PM25_UGM3 = Range(0, 2000, "ug/m3")
FORECAST_OFFSET_H = Range(0, 240, "h")
AGE_YEARS = Range(0, 120, "a")
HEIGHT_CM = Range(20, 280, "cm")
WEIGHT_KG = Range(0.2, 700, "kg")
SHARE = Range(0, 1, "1")
SCORE_PCT = Range(0, 100, "{score}")
REVISION = Range(0, 2**31 - 1, "1")
EPOCH_MS = Range(0, 253_402_300_799_999, "ms")  # up to the year 9999
OFFSET = Range(0, 2**63 - 1, "1")
BIT_MASK = Range(0, 2**32 - 1, "1")

Bpm = Annotated[int, BPM.field(), BPM.meta()]
RrMs = Annotated[int, RR_MS.field(), RR_MS.meta()]
OffsetMs = Annotated[int, OFFSET_MS.field(), OFFSET_MS.meta()]
SystolicMmhg = Annotated[int, SYSTOLIC_MMHG.field(), SYSTOLIC_MMHG.meta()]
DiastolicMmhg = Annotated[int, DIASTOLIC_MMHG.field(), DIASTOLIC_MMHG.meta()]
Steps = Annotated[int, STEPS.field(), STEPS.meta()]
EnergyKcal = Annotated[float, ENERGY_KCAL.field(), ENERGY_KCAL.meta()]
StageStartS = Annotated[int, STAGE_START_S.field(), STAGE_START_S.meta()]
SleepMin = Annotated[float, SLEEP_MIN.field(), SLEEP_MIN.meta()]
Celsius = Annotated[float, CELSIUS.field(), CELSIUS.meta()]
HumidityPct = Annotated[float, HUMIDITY_PCT.field(), HUMIDITY_PCT.meta()]
WindMps = Annotated[float, WIND_MPS.field(), WIND_MPS.meta()]
Pm25Ugm3 = Annotated[float, PM25_UGM3.field(), PM25_UGM3.meta()]
ForecastOffsetH = Annotated[int, FORECAST_OFFSET_H.field(), FORECAST_OFFSET_H.meta()]
AgeYears = Annotated[float, AGE_YEARS.field(), AGE_YEARS.meta()]
HeightCm = Annotated[float, HEIGHT_CM.field(), HEIGHT_CM.meta()]
WeightKg = Annotated[float, WEIGHT_KG.field(), WEIGHT_KG.meta()]
Share = Annotated[float, SHARE.field(), SHARE.meta()]
ScorePct = Annotated[int, SCORE_PCT.field(), SCORE_PCT.meta()]
Revision = Annotated[int, REVISION.field(), REVISION.meta()]
EpochMs = Annotated[int, EPOCH_MS.field(), EPOCH_MS.meta()]
Offset = Annotated[int, OFFSET.field(), OFFSET.meta()]
BitMask = Annotated[int, BIT_MASK.field(), BIT_MASK.meta()]
