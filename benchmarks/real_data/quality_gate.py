"""The quality gate on heart rate, on and off: under stress (an E4 on the wrist), and during exercise (Fitabase)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.in_process import Message, Ran, run
from benchmarks.real_data import fitabase
from benchmarks.real_data.results import Cell, Study, Table
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.signals import hampel
from monitor.signals.quality import MinuteColumns, assess
from simulators.errors import RecordingsMissing
from simulators.recordings.recording import folder
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import ACTIVITY, HEART_RATE

FOLDER, TABLE = "stress_predict_e4", "hr_resp_label_1hz.parquet"
GATE = "hr_min_quality"
WIDTH = 15
EXERCISE_STEPS, AFTER_EXERCISE_MIN = 100, 30
HR_RULES = (Rule.HR_HIGH_REST.name, Rule.HR_LOW.name, Rule.AF_BURDEN.name, Rule.NEWS2_PARTS.name, Rule.HEAT_LOAD.name)
MINUTE_MS = 60_000
Floats = NDArray[np.float64]
Choose = Callable[[str, NDArray[np.int64]], NDArray[np.bool_]]
"""Chooses minutes of a wearer: name and (T,) epoch minutes -> (T,)."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One person's session at 1 Hz: time (epoch s), heart rate (bpm, NaN = none), and whether a stress task was on."""

    name: str
    at_s: NDArray[np.int64]
    bpm: Floats
    stress: NDArray[np.bool_]


def read(data: Path) -> list[Sitting]:
    """Read the sessions, seconds in order.

    Raises
    ------
    RecordingsMissing
        If they are not there.
    """
    path = folder(data, FOLDER) / TABLE
    try:
        table = pq.read_table(path, columns=["participant", "t_unix", "hr", "stress_label"])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise RecordingsMissing(f"{path} cannot be read ({error}): fetch the data again.") from error
    who, at_s = table["participant"].to_numpy(), table["t_unix"].to_numpy()
    bpm, stress = table["hr"].to_numpy().astype(np.float64), table["stress_label"].to_numpy() > 0
    sittings = []
    for one in np.unique(who).tolist():
        distinct, first = np.unique(at_s[who == one], return_index=True)
        mine = np.flatnonzero(who == one)[first]
        sittings.append(Sitting(f"e4-{one}", distinct, bpm[mine], stress[mine]))
    return sittings


def messages(sittings: Sequence[Sitting]) -> list[Message]:
    """Return the sessions as messages, a minute each, with no steps: everybody sat."""
    made = [message for one in sittings for message in _of(one)]
    return sorted(made, key=lambda message: message[3])


def _of(one: Sitting) -> Iterator[Message]:
    minute = one.at_s // 60
    for number in np.unique(minute).tolist():
        mine = (minute == number) & ~np.isnan(one.bpm)
        start = number * MINUTE_MS
        about = {"event_id": f"{one.name}-{number}", "wearer_id": one.name, "device_id": "e4", "start": rfc3339(start)}
        if mine.any():
            offsets = ((one.at_s[mine] - number * 60) * 1000).tolist()
            rate = {"schema": "heart-rate/1", **about, "offset_ms": offsets}
            rate["bpm"] = np.rint(one.bpm[mine]).astype(int).tolist()
            yield HEART_RATE, one.name.encode(), msgspec.json.encode(rate), start + MINUTE_MS
        steps = {"schema": "activity/1", **about, "steps": [0]}
        yield ACTIVITY, one.name.encode(), msgspec.json.encode(steps), start + MINUTE_MS


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of one wearer without holes, (T,): as the journal has them; `first` is an epoch minute."""

    first: int
    bpm: NDArray[np.uint8]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    count: NDArray[np.uint8]
    steps: NDArray[np.uint8]  # 255 = not known

    def index(self, gap_s: float) -> Floats:
        """Quality index of the 15 minutes that end with each minute, (T,); NaN where not assessable."""
        n = len(self.bpm)
        if n < WIDTH:
            return np.full(n, np.nan)

        def over(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return sliding_window_view(np.concatenate([np.zeros(WIDTH - 1, np.uint8), values]), WIDTH)

        steps, bpm = over(self.steps), over(self.bpm)
        known = (steps != 255) & (bpm > 0)
        outlier = np.zeros(n, bool)
        outlier[:] = hampel.is_outlier(over(self.bpm)[:, -hampel.WINDOW :])
        marked = sliding_window_view(np.concatenate([np.zeros(WIDTH - 1, bool), outlier]), WIDTH)
        columns = MinuteColumns(bpm, over(self.low), over(self.high), over(self.count), marked, steps, known)
        return assess(columns, np.full(n, gap_s)).index


def journal_minutes(ran: Ran) -> dict[str, Minutes]:
    """Lay the journal's minutes out by wearer; of a minute that was decided again, the last row counts."""
    columns = ran.journal.get("minutes")
    if columns is None:
        return {}
    wearer, minute = np.array(columns["wearer_id"]), np.asarray(columns["minute"])
    found = {}
    for name in np.unique(wearer).tolist():
        mine = np.flatnonzero(wearer == name)
        first, last = int(minute[mine].min()), int(minute[mine].max())
        grids = {}
        for column, absent in (("hr_median", 0), ("hr_min", 0), ("hr_max", 0), ("hr_count", 0), ("steps", 255)):
            grids[column] = np.full(last - first + 1, absent, np.uint8)
            grids[column][minute[mine] - first] = np.asarray(columns[column])[mine]
        found[name] = Minutes(first, *grids.values())
    return found


def study(data: Path, limits: Limits) -> Study:
    """Run both sets of recordings with the gate on and off."""
    out = Study("gate", "The quality gate: heart rate under stress and in exercise")
    off = _without(limits)
    if off is None:
        out.missing.append(f"There is no limit `{GATE}` yet, so nothing can be switched.")
    _stress(data, limits, off, out)
    _exercise(data, limits, off, out)
    out.limits += [
        "The E4 sessions last under an hour and say nothing of steps: they are told as seated, without a step.",
        "Nothing tells which heart rates are right, so a silenced alert is no proof of a better one.",
    ]
    return out


def _without(limits: Limits) -> Limits | None:
    return limits.model_copy(update={GATE: 0.0}) if GATE in type(limits).model_fields else None


def _stress(data: Path, limits: Limits, off: Limits | None, out: Study) -> None:
    try:
        sittings = read(data)
    except RecordingsMissing as absent:
        out.missing.append(str(absent))
        return
    fed = messages(sittings)
    ran = run(fed, limits, tables=("minutes",))
    runs = {"on": ran} if off is None else {"on": ran, "off": run(fed, off, tables=())}
    task = {one.name: {int(m) for m in np.unique(one.at_s[one.stress] // 60)} for one in sittings}
    rows: list[list[Cell]] = []
    for name, one in runs.items():
        found = Counter(alert.rule for alert in one.raised())
        during = sum(
            alert.rule in HR_RULES and _raising_minute(alert.event_time) in task[alert.wearer_id]
            for alert in one.raised()
        )
        hr = sum(found[rule] for rule in HR_RULES)
        rows.append([f"gate {name}", len(sittings), hr, during, found[Rule.NO_DATA.name]])
    out.sentences.append(
        f"{len(sittings)} people with an Empatica E4 through a session of stress tasks, "
        f"{sum(len(one.at_s) for one in sittings) / 3600:.1f} h at 1 Hz; and the people of Fitabase, whose exercise is "
        f"minutes of {EXERCISE_STEPS} steps or more and the {AFTER_EXERCISE_MIN} min after them."
    )
    out.tables.append(
        Table(
            "Stress (E4): alerts with the gate on and off",
            ("", "people", "alerts of rules on heart rate", "of them begun during a task", "NO_DATA"),
            rows,
        )
    )
    shares = _shares(
        {
            "stress task": lambda name, m: np.isin(m, list(task[name])),
            "between tasks": lambda name, m: ~np.isin(m, list(task[name])),
        },
        journal_minutes(ran),
        1.0,
    )
    out.tables.append(
        Table(
            "Stress (E4): quality index of the minutes",
            QUALITY_COLUMNS,
            shares,
            note="The first quarter of an hour of every session is between tasks, and of low quality: the window of 15 "
            "minutes is not full.",
        )
    )


def _exercise(data: Path, limits: Limits, off: Limits | None, out: Study) -> None:
    try:
        runs = {"on": fitabase.replay(data, limits)} | ({} if off is None else {"off": fitabase.replay(data, off)})
    except RecordingsMissing as absent:
        out.missing.append(str(absent))
        return
    minutes = journal_minutes(runs["on"].ran)
    active = {name: _exercise_minutes(one) for name, one in minutes.items()}
    rows: list[list[Cell]] = []
    for name, replayed in runs.items():
        of_heart = [alert for alert in replayed.ran.raised() if alert.rule in HR_RULES]
        during = sum(_raising_minute(alert.event_time) in active.get(alert.wearer_id, set()) for alert in of_heart)
        rows.append([f"gate {name}", len(minutes), len(of_heart), during])
    out.tables.append(
        Table(
            "Exercise (Fitabase): alerts with the gate on and off",
            ("", "people", "alerts of rules on heart rate", "of them begun in or after exercise"),
            rows,
        )
    )
    shares = _shares(
        {
            "exercise": lambda name, m: np.isin(m, list(active[name])),
            "all else": lambda name, m: ~np.isin(m, list(active[name])),
        },
        minutes,
        10.0,
    )
    out.tables.append(
        Table(
            "Exercise (Fitabase): quality index of the minutes",
            QUALITY_COLUMNS,
            shares,
            note="Assessed as a device that gives a value each 10 s; two people's recordings are minute means.",
        )
    )


QUALITY_COLUMNS = ("minutes", "assessable", "median index", "share below 0.5")


def _shares(kinds: dict[str, Choose], minutes: dict[str, Minutes], gap_s: float) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    index = {}
    for name, one in minutes.items():
        each = float(np.median(one.count[one.count > 0])) if (one.count > 0).any() else 1.0
        index[name] = one.index(gap_s if each > 1 else 60.0)
    for kind, choose in kinds.items():
        parts = [values[choose(name, minutes[name].first + np.arange(len(values)))] for name, values in index.items()]
        joined = np.concatenate([np.zeros(0), *parts])
        known = joined[~np.isnan(joined)]
        middle = float(np.median(known)) if len(known) else float("nan")
        rows.append([kind, len(known), middle, float((known < 0.5).mean()) if len(known) else float("nan")])
    return rows


def _exercise_minutes(one: Minutes) -> set[int]:
    found: set[int] = set()
    for at in np.flatnonzero((one.steps >= EXERCISE_STEPS) & (one.steps != 255)).tolist():
        found.update(range(one.first + at, one.first + at + AFTER_EXERCISE_MIN + 1))
    return found


def _raising_minute(event_time: str) -> int:
    return int(np.datetime64(event_time.rstrip("Z"), "m").astype(int))
