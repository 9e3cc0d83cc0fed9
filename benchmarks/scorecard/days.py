"""LifeSnaps: episodes laid over daily columns, and the daily detectors as functions of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data import lifesnaps
from benchmarks.real_data.day_detectors import DETECTORS, is_on
from benchmarks.real_data.people_days import PersonDays, windows
from benchmarks.scorecard.compared import Copy
from benchmarks.scorecard.variants import Variant
from monitor.alerting.evidence import Evidence
from monitor.alerting.limits import Limits
from simulators.scorecard.record import Alarm, Event, Ints
from simulators.transplant import Days, over_days

DAY_MIN, NOON_MIN = 1440, 720
HISTORY_DAYS, HISTORY_NIGHTS = 28, 14  # of the days before an onset so many nights are known: what detectors ask for
AFTER_DAYS = 7
CHUNK = 400  # copies at once: each has a window of 28 days for every day and column


def read(data: Path) -> list[PersonDays]:
    """Read the people with a night in which the rate is known."""
    people = lifesnaps.read(data)
    return [one for one in people if np.isfinite(one.columns["night_bpm"]).sum() > HISTORY_NIGHTS]


def onset_days(night_bpm: NDArray[np.float64], most: int) -> list[int]:
    """Return days with enough nights before them and most nights known after them, at most so many, evenly spread."""
    known = np.isfinite(night_bpm)
    fit = [
        day
        for day in range(HISTORY_NIGHTS, len(known) - AFTER_DAYS)
        if known[max(day - HISTORY_DAYS, 0) : day].sum() >= HISTORY_NIGHTS
        and known[day : day + AFTER_DAYS].mean() >= 0.5
    ]
    if len(fit) <= most:
        return fit
    return [fit[place] for place in np.linspace(0, len(fit) - 1, most).round().astype(int).tolist()]


def worn(person: PersonDays) -> Ints:
    """Return the days with a known night as times of wear."""
    days = person.first + np.flatnonzero(np.isfinite(person.columns["night_bpm"]))
    return np.stack([days * DAY_MIN, (days + 1) * DAY_MIN], axis=1).astype(np.int64)


def copies(
    people: Sequence[PersonDays], variants: Sequence[Variant], most: int, seed: int, limits: Limits
) -> list[Copy]:
    """Lay every variant over every person, at up to *most* onsets each, and let the detectors judge."""
    rng = np.random.default_rng(seed)
    before = raised(people, limits)
    drawn: list[tuple[Variant, int, Event, PersonDays]] = []
    for number, person in enumerate(people):
        days = Days(person.first, person.columns)
        resting = float(np.nanmedian(person.columns["night_bpm"]))
        for day in onset_days(person.columns["night_bpm"], most):
            for variant in variants:
                onset = (person.first + day) * DAY_MIN + int(rng.integers(DAY_MIN))
                episode = variant.episode(rng, resting)
                changed = over_days(days, variant.kinetics, episode, onset)
                name = f"{person.name}#{len(drawn)}"
                event = Event(name, variant.kind, onset, onset + episode.minutes, variant.form.name.lower())
                drawn.append((variant, number, event, PersonDays(name, person.first, changed.columns)))
    out = []
    for begin in range(0, len(drawn), CHUNK):
        part = drawn[begin : begin + CHUNK]
        for (variant, number, event, _), alarms in zip(part, raised([one[3] for one in part], limits), strict=True):
            same = [Alarm(event.wearer, alarm.rule, alarm.raised) for alarm in before[number]]
            out.append(Copy(variant, people[number].name, event, worn(people[number]), alarms, same))
    return out


def raised(people: Sequence[PersonDays], limits: Limits) -> list[list[Alarm]]:
    """Return what the daily detectors raise for each person, at noon of the day that is judged."""
    table = windows(people)
    out: list[list[Alarm]] = [[] for _ in people]
    for name, judge in DETECTORS.items():
        if is_on(name, limits):
            for place in opened(judge(table, limits), table.person):
                person = int(table.person[place])
                out[person].append(Alarm(people[person].name, name, int(table.day[place]) * DAY_MIN + NOON_MIN))
    return out


def opened(found: Evidence, person: NDArray[np.int64]) -> list[int]:
    """Return the rows in which an episode opens: raised, and nothing open since the last that cleared."""
    places, is_open, last = [], False, -1
    rows = zip(person.tolist(), found.raised.tolist(), found.cleared.tolist(), strict=True)
    for place, (one, up, down) in enumerate(rows):
        is_open = is_open and one == last
        if up and not is_open:
            places.append(place)
        is_open, last = up or (is_open and not down), one
    return places
