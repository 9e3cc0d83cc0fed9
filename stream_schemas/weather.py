"""weather/1: the weather at the wearer's place, sent by the phone, so that no location leaves it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import Event, Identifier, Instant, length_mismatch
from stream_schemas.units import Celsius, ForecastOffsetH, HumidityPct, Pm25Ugm3, WindMps

MAX_HOURS = 241


class WeatherEvent(Event):
    """Weather at `start`, and the forecast as columns: hour `forecast_offset_h[i]` after `start`, all three or none."""

    schema_: Literal["weather/1"] = Field("weather/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier | None = None
    start: Instant
    temperature_c: Celsius
    humidity_pct: HumidityPct
    wind_mps: WindMps | None = None
    pm25_ugm3: Pm25Ugm3 | None = None
    forecast_offset_h: list[ForecastOffsetH] | None = Field(None, max_length=MAX_HOURS)
    forecast_temperature_c: list[Celsius] | None = Field(None, max_length=MAX_HOURS)
    forecast_humidity_pct: list[HumidityPct] | None = Field(None, max_length=MAX_HOURS)

    @model_validator(mode="after")
    def _forecast_whole(self) -> Self:
        columns = (self.forecast_offset_h, self.forecast_temperature_c, self.forecast_humidity_pct)
        if len({len(column or ()) for column in columns}) > 1:
            raise length_mismatch("the forecast columns must have the same length")
        return self
