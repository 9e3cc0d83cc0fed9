"""Simulated people against real ones: how heart rate and steps are distributed, hang together, and break off."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data import drawing, lifesnaps, people_minutes, two_sample
from benchmarks.real_data.people_days import PersonDays
from benchmarks.real_data.people_minutes import DAY_MIN, PersonMinutes, whose
from benchmarks.real_data.results import Study, Table, Target
from benchmarks.real_data.two_sample import Told, correlation
from simulators.errors import RecordingsMissing

LAGS_MIN = (1, 10, 60, 1440)
STEP_LAGS_MIN = range(-10, 31)
DRAWS, PER_DRAW, DAYS, MONTH = 4, 8, 28, 56
HALVINGS = 20
LEAST_RATED = 2 * DAY_MIN  # people with fewer minutes of heart rate say nothing of a day
TARGET, NAIVE = 0.75, "each real person as AR(1) heart rate with shuffled steps"
Floats = NDArray[np.float64]
IN_SIGHT = (
    "The simulator was adjusted with these recordings in sight, so what is found here flatters it: other people's "
    "recordings decide."
)


def autocorrelation(values: Floats, lag: int) -> float:
    """Correlate a series with itself *lag* later, over what is known in both; NaN where nothing varies."""
    if len(values) <= lag:
        return float("nan")
    return float(correlation(values[None, lag:], values[None, :-lag])[0])


def after_steps(one: PersonMinutes, lag: int) -> float:
    """Correlate heart rate with the steps *lag* minutes before it; below 0: with later steps."""
    end = len(one.bpm)
    bpm, steps = one.bpm[max(lag, 0) : end + min(lag, 0)], one.steps[max(-lag, 0) : end - max(lag, 0)]
    return float(correlation(bpm[None], steps[None])[0])


def gaps(one: PersonMinutes) -> Floats:
    """Return the lengths in minutes of the runs without heart rate between the first and the last value."""
    known = np.flatnonzero(~np.isnan(one.bpm))
    missing = np.diff(known) - 1
    return missing[missing > 0].astype(np.float64)


def _night_less_day(one: PersonMinutes) -> float:
    hour = np.arange(len(one.bpm)) // 60 % 24
    night, day = one.bpm[(hour >= 1) & (hour < 5)], one.bpm[(hour >= 10) & (hour < 20)]
    if np.isnan(night).all() or np.isnan(day).all():
        return float("nan")
    return float(np.nanmedian(night) - np.nanmedian(day))


def _still(one: PersonMinutes) -> Floats:
    return np.where(one.steps == 0, one.bpm, np.nan)


def _skew(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.mean(((known - known.mean()) / known.std()) ** 3, dtype=np.float64))


def _per_day(amount: float, one: PersonMinutes) -> float:
    known = np.flatnonzero(~np.isnan(one.bpm))
    return amount / (float(known[-1] - known[0] + 1) / DAY_MIN)


def _itself(column: str, lag: int) -> Callable[[PersonMinutes], float]:
    return lambda one: autocorrelation(one.bpm if column == "bpm" else one.steps, lag)


def _after(lag: int) -> Callable[[PersonMinutes], float]:
    return lambda one: after_steps(one, lag)


OF_MINUTES: dict[str, Callable[[PersonMinutes], float]] = {
    "heart rate: mean, bpm": lambda one: float(np.nanmean(one.bpm)),
    "heart rate: SD, bpm": lambda one: float(np.nanstd(one.bpm)),
    "heart rate: skewness": lambda one: _skew(one.bpm),
    "heart rate: 1st percentile, bpm": lambda one: float(np.nanpercentile(one.bpm, 1)),
    "heart rate: 99th percentile, bpm": lambda one: float(np.nanpercentile(one.bpm, 99)),
    "heart rate without steps: SD, bpm": lambda one: float(np.nanstd(_still(one))),
    "heart rate: night less day, bpm": _night_less_day,
    "heart rate: mean change a minute, either way, bpm": lambda one: float(np.nanmean(np.abs(np.diff(one.bpm)))),
    **{f"heart rate: autocorrelation at {lag} min": _itself("bpm", lag) for lag in LAGS_MIN},
    "steps: a day": lambda one: float(np.nanmean(one.steps) * DAY_MIN),
    "steps: share of minutes with any": lambda one: float((one.steps > 0).sum() / (~np.isnan(one.steps)).sum()),
    "steps: a minute that has any, median": lambda one: float(np.median(one.steps[one.steps > 0])),
    **{f"steps: autocorrelation at {lag} min": _itself("steps", lag) for lag in LAGS_MIN},
    **{f"heart rate with the steps {lag} min before": _after(lag) for lag in (0, 1, 2, 5, 10)},
    "lag of the highest correlation, min": lambda one: float(
        STEP_LAGS_MIN[int(np.nanargmax([after_steps(one, lag) for lag in STEP_LAGS_MIN]))]
    ),
    "gaps: a day": lambda one: _per_day(len(gaps(one)), one),
    "gaps: of 30 min or more a day": lambda one: _per_day(int((gaps(one) >= 30).sum()), one),
    "gaps: median length, min": lambda one: float(np.median(gaps(one))) if len(gaps(one)) else float("nan"),
    "gaps: 90th percentile of the length, min": lambda one: (
        float(np.percentile(gaps(one), 90)) if len(gaps(one)) else float("nan")
    ),
    "gaps: share of the time": lambda one: _per_day(float(gaps(one).sum()), one) / DAY_MIN,
}


def _within(column: str) -> Callable[[PersonDays], float]:
    return lambda one: float(np.nanstd(one.columns[column]))


def _next_day(column: str, lag: int = 1) -> Callable[[PersonDays], float]:
    return lambda one: autocorrelation(one.columns[column], lag)


OF_DAYS: dict[str, Callable[[PersonDays], float]] = {
    "night's rate: mean, bpm": lambda one: float(np.nanmean(one.columns["night_bpm"])),
    "night's rate: SD from night to night, bpm": _within("night_bpm"),
    "night's rate: autocorrelation, 1 night": _next_day("night_bpm"),
    "night's rate: autocorrelation, 7 nights": _next_day("night_bpm", 7),
    "steps: mean a day": lambda one: float(np.nanmean(one.columns["steps"])),
    "steps: SD over mean": lambda one: float(np.nanstd(one.columns["steps"]) / np.nanmean(one.columns["steps"])),
    "steps: autocorrelation, 1 day": _next_day("steps"),
    "sleep: mean, min": lambda one: float(np.nanmean(one.columns["sleep_min"])),
    "sleep: SD from night to night, min": _within("sleep_min"),
    "sleep: autocorrelation, 1 night": _next_day("sleep_min"),
}
ENOUGH_DAYS = 21


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return float("nan"), float("nan"), float("nan")
    low, middle, high = np.percentile(known, [10, 50, 90])
    return float(low), float(middle), float(high)


def _comparison(
    title: str, measures: Mapping[str, Callable[..., float]], real: Sequence[object], ours: Sequence[object]
) -> tuple[Table, int]:
    rows, inside = [], 0
    for name, measure in measures.items():
        low, middle, high = _spread([measure(one) for one in real])
        our_low, ours_middle, our_high = _spread([measure(one) for one in ours])
        fits = low <= ours_middle <= high
        inside += fits
        shown = [
            f"{_short(middle)} ({_short(low)} to {_short(high)})",
            f"{_short(ours_middle)} ({_short(our_low)} to {_short(our_high)})",
        ]
        rows.append([name, *shown, "yes" if fits else "no"])
    columns = ("", "real: median (10th to 90th percentile of people)", "simulated", "simulated median inside")
    return Table(title, columns, rows), inside


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def study(data: Path, *, draws: int = DRAWS, halvings: int = HALVINGS, days: int = DAYS) -> Study:
    """Compare simulated with real people, minute by minute and day by day."""
    everybody = people_minutes.fitabase(data)
    real = [one for one in everybody if (~np.isnan(one.bpm) & ~np.isnan(one.steps)).sum() >= LEAST_RATED]
    drawn = [people_minutes.simulated(PER_DRAW, days, seed) for seed in range(1, draws + 1)]
    ours = [one for draw in drawn for one in draw]
    out = Study("realism", "Simulated people against real ones")
    out.sentences.append(
        f"Real: Fitabase, {whose(real)} with heart rate and steps ({len(everybody) - len(real)} with too little left "
        f"out). Simulated: scenario `{people_minutes.SCENARIO}`, {whose(ours)} in {draws} draws, devices that give a "
        "value a minute or more, as those of Fitabase do."
    )
    if len(real) < 2:
        out.missing.append("Fewer than two people have two days of heart rate and steps: nothing can be compared.")
        return out
    out.tables.append(_two_samples(real, drawn, halvings, out))
    table, inside = _comparison("Minutes: moments, correlations, gaps", OF_MINUTES, real, ours)
    out.tables.append(table)
    out.sentences.append(f"{inside} of {len(OF_MINUTES)} measures of minutes lie where 80 % of the real people do.")
    _of_days(data, out)
    out.pictures["realism.png"] = _picture(real, ours), "Real and simulated people: rate by hour, correlations, gaps."
    out.limits += [
        IN_SIGHT,
        f"{len(real)} real people with one kind of watch in one spring: what differs from them need not be wrong.",
        "The test sees an hour at a time: weeks, illness and the tails that alarm are not in it.",
    ]
    return out


def _two_samples(
    real: Sequence[PersonMinutes], drawn: Sequence[Sequence[PersonMinutes]], halvings: int, out: Study
) -> Table:
    of_real = two_sample.hours(real)
    of_naive = two_sample.hours(two_sample.naive(real))
    of_ours = [two_sample.hours(draw, seed) for seed, draw in enumerate(drawn)]
    rows = []
    pooled = {}
    for modality in two_sample.MODALITIES:
        against = [two_sample.tell_apart(of_real, one, modality, seed) for seed, one in enumerate(of_ours)]
        mean = float(np.mean([one.auroc for one in against]))
        pooled[modality] = Told(mean, min(a.low for a in against), max(a.high for a in against), *_sizes(against))
        rows += [
            _row("real against real, random halves", modality, two_sample.halves(of_real, halvings, modality)),
            _row(f"real against naive: {NAIVE}", modality, two_sample.tell_apart(of_real, of_naive, modality)),
            [*_row(f"real against ours, mean of {len(against)} draws", modality, pooled[modality])],
        ]
    ours = pooled["both"]
    out.targets.append(
        Target(
            "Two-sample test, heart rate and steps together, real against ours",
            f"AUROC below {TARGET}",
            f"{ours.auroc:.3f} (intervals of the draws from {ours.low:.3f} to {ours.high:.3f})",
            None if np.isnan(ours.auroc) else ours.auroc < TARGET,
        )
    )
    alone = {name: np.mean([two_sample.alone(of_real, one)[name] for one in of_ours]) for name in two_sample.FEATURES}
    ordered = sorted(alone, key=lambda name: -abs(alone[name] - 0.5))
    out.sentences.append(
        "Alone, these features tell most (AUROC over windows, above 0.5: higher in simulated people): "
        + ", ".join(f"{name} {alone[name]:.2f}" for name in ordered[:6])
        + "."
    )
    return Table(
        "Two-sample test: AUROC of telling two groups apart by an hour, people held out whole",
        ("groups", "modality", "people", "AUROC", "from", "to"),
        rows,
        note=f"{len(two_sample.FEATURES)} features of 60-minute windows with at least {two_sample.LEAST_KNOWN} known "
        "minutes, gradient boosting. From and to: 95 % of the halvings; elsewhere a bootstrap over people. Halves of "
        "so few people differ by chance in either way, so 0.5 is what they give on average and the spread is what "
        f"counts. Features: {', '.join(two_sample.FEATURES)}.",
    )


def _sizes(against: Sequence[Told]) -> tuple[int, int]:
    return against[0].first, against[0].second


def _row(groups: str, modality: str, told: Told) -> list[str | float | int | None]:
    return [groups, modality, f"{told.first} and {told.second}", told.auroc, told.low, told.high]


def _of_days(data: Path, out: Study) -> None:
    try:
        everybody = lifesnaps.read(data)
    except RecordingsMissing as absent:
        out.missing.append(f"Days: {absent}")
        return
    names = ("night_bpm", "steps", "sleep_min")
    real = [one for one in everybody if all((~np.isnan(one.columns[name])).sum() >= ENOUGH_DAYS for name in names)]
    ours = [one.by_day() for one in people_minutes.simulated(24, MONTH, 90)]
    ours = [one for one in ours if all((~np.isnan(one.columns[name])).sum() >= ENOUGH_DAYS for name in names)]
    if not real or not ours:
        out.missing.append(f"Days: nobody has {ENOUGH_DAYS} days of night's rate, steps and sleep.")
        return
    title = f"Days: {len(real)} people of LifeSnaps against {len(ours)} simulated ones"
    table, inside = _comparison(title, OF_DAYS, real, ours)
    out.tables.append(table)
    out.sentences.append(f"{inside} of {len(OF_DAYS)} measures of days lie where 80 % of the people of LifeSnaps do.")


def _picture(real: Sequence[PersonMinutes], ours: Sequence[PersonMinutes]) -> bytes:
    groups = {"real": real, "simulated": ours}

    def curves(of: Callable[[PersonMinutes], Floats]) -> dict[str, Floats]:
        return {name: np.stack([of(one) for one in people]) for name, people in groups.items()}

    lags = np.array([*range(1, 10), *range(10, 60, 5), *range(60, 1441, 60)])
    hours, shifts, lengths = np.arange(24), np.array(STEP_LAGS_MIN), np.geomspace(1, DAY_MIN, 40)
    by_hour = curves(_by_hour)
    memory = curves(lambda one: np.array([autocorrelation(one.bpm, int(lag)) for lag in lags]))
    after = curves(lambda one: np.array([after_steps(one, int(lag)) for lag in shifts]))
    longer = curves(lambda one: np.array([_per_day(int((gaps(one) >= length).sum()), one) for length in lengths]))

    def with_x(x: NDArray[Any], of: dict[str, Floats]) -> dict[str, tuple[Floats, Floats]]:
        return {name: (x.astype(np.float64), values) for name, values in of.items()}

    return drawing.two_groups(
        [
            ("Heart rate by hour", "local hour of the day", "mean heart rate, bpm", with_x(hours, by_hour), False),
            ("Heart rate with itself", "lag, min", "autocorrelation", with_x(lags, memory), True),
            ("Heart rate after steps", "heart rate follows steps by, min", "correlation", with_x(shifts, after), False),
            ("Gaps of heart rate", "length, min", "gaps a day at least so long", with_x(lengths, longer), True),
        ]
    )


def _by_hour(one: PersonMinutes) -> Floats:
    table = one.bpm.reshape(-1, 24, 60).transpose(1, 0, 2).reshape(24, -1)
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    return np.asarray(np.where(known, table, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan))
