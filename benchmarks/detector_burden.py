"""How often the daily detectors raise on LifeSnaps, 45 people: `python -m benchmarks.detector_burden`.

LifeSnaps (Yfantidou et al. 2022, Sci Data 9:663) has no illness labels: what raises there is taken for burden, and some
of it may have been right. Fitbit's nightly NREM rate, or its daily resting rate, stands for the nightly rate.
"""

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.stats import chi2

from monitor.alerting.evidence import Evidence
from monitor.alerting.limits import Limits
from monitor.alerting.night_signal import night_signal
from monitor.alerting.personal_cusum import personal_cusum
from monitor.alerting.poor_recovery import poor_recovery
from monitor.alerting.sleep_debt import sleep_debt
from monitor.alerting.sub_health import sub_health
from monitor.alerting.trend_dev import DaySignals, trend_dev

Floats = NDArray[np.float64]

TABLE = Path("/work/shared/data/lifesnaps_daily/daily_fitbit_sema.csv.gz")
WINDOW = 28
ZERO_IS_MISSING = ("nremhr", "resting_hr", "steps", "minutesAsleep")
COLUMNS = (*ZERO_IS_MISSING, "moderately_active_minutes", "very_active_minutes")


@dataclass(frozen=True, slots=True)
class Days:
    """Trailing windows of every wearer-day, (N, 28) each, and whose they are, (N,)."""

    person: NDArray[np.int64]
    day: NDArray[np.int64]
    windows: dict[str, Floats]

    def before(self, name: str) -> Floats:
        """Windows that end with the day before."""
        values = self.windows[name]
        return np.concatenate([np.full((len(values), 1), np.nan), values[:, :-1]], axis=1)


def read(path: Path) -> Days:
    """Read the table; days without a row are missing days."""
    people: dict[str, dict[int, list[float]]] = defaultdict(dict)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["date"]).toordinal()
            people[row["id"]][day] = [float(row[name]) if row[name] else np.nan for name in COLUMNS]
    person, days, windows = [], [], defaultdict(list)
    for number, name in enumerate(sorted(people)):
        of_person = people[name]
        first, last = min(of_person), max(of_person)
        grid = np.full((last - first + WINDOW, len(COLUMNS)), np.nan)  # 27 days of nothing before the first
        for day, values in of_person.items():
            grid[day - first + WINDOW - 1] = values
        for k, column in enumerate(COLUMNS):
            course = grid[:, k].copy()
            if column in ZERO_IS_MISSING:
                course[course == 0] = np.nan
            windows[column].append(sliding_window_view(course, WINDOW))
        person.append(np.full(last - first + 1, number))
        days.append(np.arange(first, last + 1))
    joined = {name: np.concatenate(parts) for name, parts in windows.items()}
    joined["active"] = joined["moderately_active_minutes"] + joined["very_active_minutes"]
    joined["active"][np.isnan(joined["steps"])] = np.nan  # no steps: not worn, and then 0 active minutes say nothing
    return Days(np.concatenate(person), np.concatenate(days), joined)


@dataclass(frozen=True, slots=True)
class Burden:
    """What one detector did: assessable wearer-days, wearers with one, episodes, and days on which it was raised."""

    days: int
    people: int
    episodes: int
    raised_days: int

    def rate(self) -> tuple[float, float, float]:
        """Episodes a wearer-day, and the exact 95 % Poisson interval (Garwood 1936)."""
        if not self.days:
            return np.nan, np.nan, np.nan
        low = chi2.ppf(0.025, 2 * self.episodes) / 2 if self.episodes else 0.0
        return self.episodes / self.days, low / self.days, chi2.ppf(0.975, 2 * self.episodes + 2) / 2 / self.days


def burden(found: Evidence, person: NDArray[np.int64]) -> Burden:
    """Count episodes: a raise where the wearer's last assessable day did not raise."""
    judged = np.flatnonzero(found.assessable)
    raised, whose = found.raised[judged], person[judged]
    again = np.zeros(len(judged), bool)
    again[1:] = raised[:-1] & (whose[1:] == whose[:-1])
    return Burden(len(judged), len(np.unique(whose)), int((raised & ~again).sum()), int(raised.sum()))


def detectors(days: Days) -> dict[str, Callable[[Limits], Evidence]]:
    """Every detector that daily columns can feed, with the column that stands for the nightly rate."""
    windows, day = days.windows, days.day
    nothing, unknown = np.full(windows["steps"].shape, np.nan), np.full(len(day), np.nan)
    made: dict[str, Callable[[Limits], Evidence]] = {}
    for stand_in in ("nremhr", "resting_hr"):
        night = windows[stand_in]
        signals = DaySignals(night, days.before("steps"), windows["minutesAsleep"], nothing, nothing)
        made |= {
            f"NIGHT_SIGNAL, {stand_in}": partial(night_signal, night, day),
            f"PERSONAL_CUSUM, {stand_in}": partial(personal_cusum, night, day),
            f"TREND_DEV, {stand_in}": partial(trend_dev, signals, day),
            f"SUB_HEALTH, {stand_in}": partial(sub_health, signals, nothing, unknown, day),
        }
    made["POOR_RECOVERY"] = partial(
        poor_recovery, windows["nremhr"], days.before("resting_hr"), days.before("active"), unknown, day
    )
    made["SLEEP_DEBT"] = partial(sleep_debt, windows["minutesAsleep"], unknown, day)
    return made


def found_by(days: Days, rise_bpm: float, nights: int, limits: Limits) -> dict[str, tuple[int, float]]:
    """Add a rise to the last nights of every window in which they are known: (windows, share raised on one of them).

    The nights before them are enough for each to be judged. A rise of 0 tells how often that happens by chance.
    """
    rates = days.windows["nremhr"]
    known = ~np.isnan(rates)
    enough = known[:, :-nights].sum(axis=1) >= max(limits.night_signal_min_nights, limits.personal_cusum_min_nights)
    rates = rates[known[:, -nights:].all(axis=1) & enough].copy()
    rates[:, -nights:] += rise_bpm
    day = np.zeros(len(rates), np.int64)
    shares = {}
    for name, judge in (("NIGHT_SIGNAL", night_signal), ("PERSONAL_CUSUM", personal_cusum)):
        raised = np.zeros(len(rates), bool)
        for night in range(nights):
            raised |= judge(rates[:, : WINDOW - nights + night + 1], day, limits).raised
        shares[name] = (len(rates), float(raised.mean()))
    return shares


def main() -> None:
    """Print one row a detector, at the default limits or those of --set; then what finds a rise of the nightly rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="LIMIT=VALUE", help="limits that differ from the defaults"
    )
    given = parser.parse_args()
    limits = Limits.model_validate(dict(pair.split("=", 1) for pair in given.set))
    days = read(given.table)
    print("| detector, night rate | people | assessable wearer-days | episodes | a wearer-day (95 %) | days raised |")
    print("|---|---|---|---|---|---|")
    for name, judge in detectors(days).items():
        found = burden(judge(limits), days.person)
        rate, low, high = found.rate()
        share = found.raised_days / max(found.days, 1)
        print(
            f"| {name} | {found.people} | {found.days} | {found.episodes} | "
            f"{rate:.4f} ({low:.4f}-{high:.4f}) | {share:.1%} |"
        )
    print("\n| nights | rise, bpm | windows | NIGHT_SIGNAL | PERSONAL_CUSUM |")
    print("|---|---|---|---|---|")
    for nights in (5, 10):
        for rise in (0.0, 3.0, 5.0, 7.0, 10.0):
            shares = found_by(days, rise, nights, limits)
            count, signal = shares["NIGHT_SIGNAL"]
            print(f"| {nights} | {rise:.0f} | {count} | {signal:.0%} | {shares['PERSONAL_CUSUM'][1]:.0%} |")


if __name__ == "__main__":
    main()
