"""The table of all that is kept of a wearer: name, type, shape, unit. Code, checkpoint and docs share it.

Zero means "nothing yet" in every field, so that a fresh row is a zeroed row and untouched memory costs nothing.
Rings are indexed by time modulo their length; what a slot may hold is bounded by the row's `head_minute`.
"""

from dataclasses import dataclass

import numpy as np

from monitor.rule import Rule

MINUTES = 1440  # the minutes ring: 24 h
SECOND_MINUTES = 15  # the seconds ring: 15 min of 60 s
DAYS = 28
READINGS = 16
NIGHTS = 14
HOURS = 24
GAPS = 5
RULES = len(Rule)

# The eight bytes of a minute. Zero = nothing, so steps and irregular carry +1 (stage 0 is "unknown").
HR_MEDIAN, HR_MIN, HR_MAX, HR_COUNT, REASON, IRREGULAR, STEPS, STAGE = range(8)

# Timers of a row, epoch ms; NEVER = not set.
DECIDE, SILENCE, REPEAT, LEAVE = range(4)
TIMERS = 4
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a wearer's row; one that is `by_rule` has a column a rule, in the order of their codes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    what: str
    by_rule: bool = False

    @property
    def bytes(self) -> int:
        """Bytes a wearer."""
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


FIELDS: tuple[Field, ...] = (
    Field("seconds", "u1", (SECOND_MINUTES, 60), "bpm of each second, ring by minute; 255 = out of range"),
    Field(
        "minutes",
        "u8",
        (MINUTES,),
        "eight bytes a minute: median, min, max, count, reason, irregular+1, steps+1, stage",
    ),
    Field("head_minute", "i4", (), "epoch minute of the newest slot of the minutes ring"),
    Field("head_second_minute", "i4", (), "epoch minute of the newest slot of the seconds ring"),
    Field("top_ms", "i8", (), "event time of the newest heart-rate sample"),
    Field("decided_minute", "i8", (), "last minute that the rules have seen"),
    Field("dirty_minute", "i4", (), "first minute at or before decided_minute that changed since; 0 = none"),
    Field("timer_ms", "i8", (TIMERS,), "decide, silence, repeat, leave: when T passes them they fire"),
    Field("acted_ms", "i8", (), "received time of the newest record that acted"),
    Field("burst_ms", "i8", (), "received time of the first record of a late upload that is not yet decided; 0 = none"),
    Field("new_stamp_ms", "i8", (), "received time of the newest delivery that brought new samples"),
    Field("gap_ms", "i4", (GAPS,), "last gaps between such deliveries"),
    Field("gaps", "i4", (), "gaps measured"),
    Field("silent", "u1", (), "1 while NO_DATA holds"),
    Field("scored_ms", "i8", (), "received time at which a score was last asked for"),
    Field("score_T_ms", "i8", (), "T of the last score that came back"),
    Field("risk_run", "i4", (), "scores in a row at or above the limit"),
    Field("sample_gap_s", "f4", (), "median seconds between heart-rate samples, last delivery; 0 = not measured"),
    Field("day", "i4", (), "epoch day of the last decided minute"),
    Field("days", "f2", (DAYS, 12), "day features (models.snapshot.DAY_FEATURES), ring by day; NaN = none"),
    Field(
        "day_so_far", "f2", (13,), "features and fall code of `day` as they were when a later day came; 0 = none came"
    ),
    Field("fall_code", "u2", (), "1000 + twice the fall in bpm after effort, of the day before `day`; 0 = none seen"),
    Field("days_mask", "u4", (), "bit k: slot k of `days` holds one of the 28 days before `day`"),
    Field("night_bpm", "f2", (DAYS,), "resting rate of each local night, ring by local day; 0 = none"),
    Field("baseline_bpm", "f2", (2, HOURS), "own level at rest by local hour, awake first (monitor.wearers.baselines)"),
    Field("baseline_days", "u1", (2, HOURS), "own days in each level, 0 = none yet"),
    Field("noon_minute", "i4", (), "epoch minute of the next local noon; 0 = not known: the next minute tells"),
    Field("judged_day", "i4", (), "local epoch day that the daily rules saw last: the newest slot of `night_bpm`"),
    Field("bp_ms", "i8", (READINGS,), "time of a reading, ring in order of time"),
    Field("bp_id", "u8", (READINGS,), "hash of its event id"),
    Field("bp_systolic", "i2", (READINGS,), "mmHg"),
    Field("bp_diastolic", "i2", (READINGS,), "mmHg"),
    Field("bp_pulse", "i2", (READINGS,), "bpm; -1 = none"),
    Field("bp_method", "u1", (READINGS,), "code of METHODS"),
    Field("sleep_id", "u8", (NIGHTS,), "hash of the source record id"),
    Field("sleep_revision", "i4", (NIGHTS,), "revision + 1, as 32 bits without a sign; 0 = none"),
    Field("sleep_start", "i4", (NIGHTS,), "epoch minute"),
    Field("sleep_end", "i4", (NIGHTS,), "epoch minute"),
    Field("sleep_minutes", "f2", (NIGHTS, 5), "total, light, deep, rem, awake; NaN = not told"),
    Field("weather", "f2", (HOURS, 4), "hourly temperature_c, humidity_pct, wind_mps, pm25_ugm3, ring by hour"),
    Field("weather_minute", "i4", (HOURS,), "epoch minute of each report; 0 = none"),
    Field("forecast", "f2", (HOURS, 2), "hourly temperature_c, humidity_pct as issued, ring by hour"),
    Field("forecast_hour", "i4", (HOURS,), "epoch hour each forecast is for"),
    Field("forecast_ms", "i8", (), "when the forecast was issued"),
    Field("known", "u1", (), "1 = a profile is known, 2 = known and without consent: nothing is scored"),
    Field("team", "u1", (), "index into the teams of the settings"),
    Field("age_years", "f4", (), "0 with `known` = newborn"),
    Field("bmi", "f4", (), "kg/m2; 0 = not told"),
    Field("sex", "u1", (), "0 unknown, 1 female, 2 male"),
    Field("conditions", "u4", (), "bit mask of CONDITIONS"),
    Field("medications", "u4", (), "bit mask of MEDICATIONS"),
    Field("zone", "u2", (), "index into the engine's time zones"),
    Field("own_hr_high", "i2", (), "own limit, bpm; 0 = none"),
    Field("own_hr_low", "i2", (), "own limit, bpm; 0 = none"),
    Field("own_systolic", "i2", (), "own limit, mmHg; 0 = none"),
    Field("own_diastolic", "i2", (), "own limit, mmHg; 0 = none"),
    Field("alert_open", "u1", (RULES,), "1 while an alert of the rule is open or blocked", by_rule=True),
    Field("alert_priority", "u1", (RULES,), "priority code of that alert", by_rule=True),
    Field("alert_minute", "i4", (RULES,), "epoch minute of the finding that raised it, or made it worse", by_rule=True),
    Field("alert_began", "i4", (RULES,), "epoch minute at which the first one that ended began", by_rule=True),
    Field("alert_ended", "i4", (RULES,), "epoch minute at which the last one ended", by_rule=True),
)

BYTES_PER_WEARER = sum(field.bytes for field in FIELDS)


def table() -> str:
    """Every field with its type, shape and bytes, as a Markdown table."""
    rows = [f"| {f.name} | {np.dtype(f.dtype)} {list(f.shape) or ''} | {f.bytes} | {f.what} |" for f in FIELDS]
    return "\n".join(["| field | type and shape | bytes | what |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
