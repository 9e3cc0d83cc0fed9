"""The tables of the journal: their columns, types and what they mean. docs/journal.md shows them; a test compares.

Times are epoch minutes, hours, days or milliseconds in UTC, as the column's name says.
"""

from dataclasses import dataclass

import pyarrow as pa

CUT = "cut"
"""Of every row that a worker wrote: the offset in `cuts.v1` of the cut whose step decided it."""
_CUT_MEANS = "offset in this partition of `cuts.v1` of the cut whose step decided the row"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, Parquet type, and meaning with unit and the value that says "none"."""

    name: str
    type: pa.DataType
    means: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what a row is, which column says when, what makes two rows the same, and its columns.

    Attributes
    ----------
    time : str or None
        Column of the row's time; None where rows have none.
    minutes : float
        Length of one unit of that column in minutes.
    key : tuple of str
        Of rows with the same key the one written last counts.
    """

    name: str
    row: str
    time: str | None
    minutes: float
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """Types of the columns, as written."""
        return pa.schema([(column.name, column.type) for column in self.columns])


def _table(
    name: str, row: str, time: str | None, minutes: float, key: str, *columns: tuple[str, pa.DataType, str]
) -> Table:
    wearer = Column("wearer_id", pa.string(), "whose row it is")
    of_cut = () if name == LABELS else (Column(CUT, pa.int64(), _CUT_MEANS),)
    keys = ("wearer_id", *key.split())
    return Table(name, row, time, minutes, keys, (wearer, *(Column(*column) for column in columns), *of_cut))


LABELS = "labels"
_u8, _i16, _i32, _i64, _f32, _text = pa.uint8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.string()
_codes = pa.list_(pa.string())

TABLES = {
    table.name: table
    for table in (
        _table(
            "minutes",
            "a minute of a wearer as it was decided; a minute that late data revised comes again",
            "minute",
            1,
            "minute",
            ("minute", _i64, "epoch minute"),
            ("hr_median", _u8, "lower median of the accepted samples, bpm; 0 = none"),
            ("hr_min", _u8, "lowest accepted sample, bpm; 0 = none"),
            ("hr_max", _u8, "highest accepted sample, bpm; 0 = none"),
            ("hr_count", _u8, "accepted samples; 0 = none"),
            ("irregular", _u8, "100 x RMSSD / mean of the RR intervals, at most 254; 255 = no RR intervals"),
            ("steps", _u8, "steps, at most 254; 255 = no data, which is not the same as no steps"),
            ("stage", _u8, "sleep stage: 0 unknown, 1 awake, 2 light, 3 deep, 4 rem, 5 asleep"),
            (
                "reason",
                _u8,
                "bits: 1 out of range, 2 outlier, 4 unverified (20-24 bpm), 8 exercise, 16 asleep, 32 awake, 64 rest",
            ),
        ),
        _table(
            "bp",
            "a blood-pressure reading",
            "minute",
            1,
            "minute systolic diastolic",
            ("minute", _i64, "epoch minute of the reading"),
            ("systolic", _i16, "mmHg"),
            ("diastolic", _i16, "mmHg"),
            ("pulse", _i16, "bpm; -1 = not told"),
            ("method", _u8, "0 unknown, 1 cuff_oscillometric, 2 cuff_auscultatory, 3 cuffless"),
        ),
        _table(
            "sleep",
            "a sleep session; a correction has the same source_record_id and a higher revision",
            "end_minute",
            1,
            "source_record_id",
            ("source_record_id", _text, "the device's name for the session"),
            ("revision", _i32, "of the session, from 0; the highest counts"),
            ("start_minute", _i64, "epoch minute"),
            ("end_minute", _i64, "epoch minute, exclusive"),
            ("total_min", _f32, "minutes asleep; NaN = not told"),
            ("light_min", _f32, "minutes; NaN = not told"),
            ("deep_min", _f32, "minutes; NaN = not told"),
            ("rem_min", _f32, "minutes; NaN = not told"),
            ("awake_min", _f32, "minutes awake within the session; NaN = not told"),
        ),
        _table(
            "weather",
            "the weather around a wearer in one hour",
            "hour",
            60,
            "hour",
            ("hour", _i64, "epoch hour"),
            ("temperature_c", _f32, "degrees Celsius"),
            ("humidity_pct", _f32, "relative humidity, per cent"),
            ("wind_mps", _f32, "metres a second; NaN = not told"),
            ("pm25_ugm3", _f32, "fine dust, micrograms a cubic metre; NaN = not told"),
        ),
        _table(
            "profiles",
            "a wearer's profile as it was told; the last one counts",
            None,
            1,
            "",
            ("age_years", _f32, "years"),
            ("sex", _text, "unknown, female or male (files of the simulator hold the codes 0, 1, 2)"),
            ("height_cm", _f32, "cm; NaN = not told"),
            ("weight_kg", _f32, "kg; NaN = not told"),
            ("conditions", _codes, "codes of the publishing page"),
            ("medications", _codes, "codes of the publishing page"),
            ("team", _text, "the care team that gets the alerts"),
        ),
        _table(
            "days",
            "what a finished day of a wearer was; NaN = not enough data",
            "day",
            1440,
            "day",
            ("day", _i64, "epoch day, UTC"),
            ("resting_bpm", _f32, "lower median over the minutes without steps, bpm"),
            ("mean_bpm", _f32, "mean of the minutes' medians, bpm"),
            ("low_bpm", _f32, "lowest sample, bpm"),
            ("high_bpm", _f32, "highest sample, bpm"),
            ("steps", _f32, "steps"),
            ("active_min", _f32, "minutes with at least 100 steps"),
            ("worn_min", _f32, "minutes with a heart rate"),
            ("sleep_min", _f32, "minutes asleep"),
            ("systolic_mmhg", _f32, "mean of the readings, mmHg"),
            ("diastolic_mmhg", _f32, "mean of the readings, mmHg"),
            ("temperature_c", _f32, "mean of the reported hours, degrees Celsius"),
            ("irregular_share", _f32, "share of the minutes with RR intervals in which `irregular` exceeds 10"),
        ),
        _table(
            "scores",
            "what the model said of a wearer, one row a head, as the engine used it",
            "scored_at_ms",
            1 / 60_000,
            "scored_at_ms head",
            ("scored_at_ms", _i64, "epoch ms: nothing received later was used"),
            ("model_version", _text, "first 12 hex digits of the bundle's sha256"),
            ("head", _text, "what was asked"),
            ("probability", _f32, "calibrated, 0 to 1; NaN = not assessable"),
        ),
        _table(
            "alerts",
            "a version of an alert, as it was told to the team",
            "stamp_ms",
            1 / 60_000,
            "alert_id version",
            ("alert_id", _text, "of the episode"),
            ("version", _i32, "only grows"),
            ("rule", _text, "what raised it"),
            ("team", _text, "who was told"),
            ("priority", _text, "high, medium, low or technical"),
            ("condition", _text, "of the wearer: unknown, pending, present, clearing or absent"),
            ("workflow", _text, "of the people who care: unacked, acked, snoozed or closed"),
            ("start_minute", _i64, "epoch minute at which the episode began, in event time"),
            ("raised_at_ms", _i64, "epoch ms: T at which the alert was raised"),
            ("stamp_ms", _i64, "epoch ms: received time of the record that decided this version"),
        ),
        _table(
            LABELS,
            "what really happened, copied from `labels.v1` by the trainer",
            "onset_minute",
            1,
            "outcome onset_minute",
            ("outcome", _text, "code of the outcome"),
            ("onset_minute", _i64, "epoch minute"),
            ("end_minute", _i64, "epoch minute; null = not told"),
            ("severity", _f32, "0 to 1; null = not told"),
            ("silent", pa.bool_(), "true = the wearer did not notice; null = not told"),
            ("asserted_by", _text, "who said so"),
        ),
    )
}
