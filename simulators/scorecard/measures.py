"""The figures of a scorecard, as research/modelling.md section 3 defines them, each with what is known of it."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

from simulators.kinds import CONFOUNDERS, TECHNICAL, Kind
from simulators.scorecard.answers import answering
from simulators.scorecard.matching import Judged, Met, Standing, by_wearer, judged, lasting, met
from simulators.scorecard.record import Record

SHIFTS, DRAWS, SEED = 1000, 1000, 20260105
Floats = NDArray[np.float64]
Interval = tuple[float, float]
UNKNOWN: Interval = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Found:
    """How many of some events were found.

    Attributes
    ----------
    eligible, caught : events. people : who had an eligible one.
    interval : 95 %, bootstrap over people. chance : share that alarms at shifted times hit, mean over the shifts.
    chance_high : its 97.5th centile; a sensitivity below it is no better than chance.
    """

    eligible: int
    caught: int
    people: int
    interval: Interval
    chance: float
    chance_high: float

    @property
    def sensitivity(self) -> float:
        """Share of eligible events that were caught; NaN without one."""
        return self.caught / self.eligible if self.eligible else math.nan


@dataclass(frozen=True, slots=True)
class KindScore:
    """One kind of event.

    Attributes
    ----------
    events : all that happened; found : what became of the eligible ones, together and `by_form`.
    by_rule : rule -> eligible events that it answered. lead_min : of caught eligible events, minutes by which the first
    alarm came before the onset; negative = after it.
    """

    kind: Kind
    events: int
    found: Found
    by_form: Mapping[str, Found]
    by_rule: Mapping[str, int]
    lead_min: Floats


@dataclass(frozen=True, slots=True)
class Rate:
    """Things a wearer-day; the interval is the exact one of a Poisson count (Garwood 1936)."""

    count: int
    days: float

    @property
    def value(self) -> float:
        """Rate; NaN without a day."""
        return self.count / self.days if self.days else math.nan

    @property
    def interval(self) -> Interval:
        """95 %; it takes things for independent, which those of one wearer are not. NaN without a day.

        >>> Rate(0, 100.0).interval[1] > 0.0368
        True
        """
        if not self.days:
            return UNKNOWN
        low = float(chi2.ppf(0.025, 2 * self.count)) / 2 if self.count else 0.0
        return low / self.days, float(chi2.ppf(0.975, 2 * self.count + 2)) / 2 / self.days


@dataclass(frozen=True, slots=True)
class ConfounderScore:
    """Alarms while nothing but this confounder was there: its episodes, those with an alarm, alarms by rule."""

    kind: Kind
    episodes: int
    with_alarm: int
    alarms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All figures of one record.

    Attributes
    ----------
    kinds : conditions that happened; technical : watch and gateway; confounders : what looks like illness.
    alarms : rule -> what its alarms are. false : false episodes a worn wearer-day, confounded ones included.
    false_of_few : share of them that the twentieth of the wearers with most have, at least one wearer; NaN = none.
    load : alarms of all rules but the technical ones. load_p95 : 95th centile over wearers of their own load.
    ppv : answers over answers and false ones; several answers to one event all count.
    """

    name: str
    wearers: int
    worn_days: float
    kinds: Sequence[KindScore]
    technical: Sequence[KindScore]
    confounders: Sequence[ConfounderScore]
    alarms: Mapping[str, Mapping[Standing, int]]
    false: Rate
    false_of_few: float
    load: Rate
    load_p95: float
    ppv: float
    ppv_interval: Interval

    def standing(self, which: Standing) -> int:
        """Count the alarms of one standing."""
        return sum(counts.get(which, 0) for counts in self.alarms.values())


def scorecard(record: Record, *, shifts: int = SHIFTS, draws: int = DRAWS, seed: int = SEED) -> Scorecard:
    """Compare alarms with truth.

    Parameters
    ----------
    record : what happened and what was raised.
    shifts : circular shifts for the chance hit rate. draws : of the bootstrap.
    seed : of both; the same record gives the same figures.
    """
    outcomes, standings = met(record), judged(record)
    rng = np.random.default_rng(seed)
    happened = sorted({one.event.kind for one in outcomes})
    of_kind = {
        kind: _kind(record, kind, [one for one in outcomes if one.event.kind == kind], rng, shifts, draws)
        for kind in happened
        if kind not in CONFOUNDERS
    }
    alarms: dict[str, Counter[Standing]] = defaultdict(Counter)
    for one in standings:
        alarms[one.alarm.rule][one.standing] += 1
    wrong = [one for one in standings if one.standing in (Standing.FALSE, Standing.CONFOUNDED)]
    heard = [one for one in standings if one.standing != Standing.TECHNICAL]
    ppv, ppv_interval = _ppv(record, standings, rng, draws)
    days = record.worn_days
    return Scorecard(
        record.name,
        len(record.worn),
        days,
        [score for kind, score in of_kind.items() if kind not in TECHNICAL],
        [score for kind, score in of_kind.items() if kind in TECHNICAL],
        [_confounder(kind, outcomes, wrong) for kind in happened if kind in CONFOUNDERS],
        {rule: dict(counts) for rule, counts in sorted(alarms.items())},
        Rate(len(wrong), days),
        _of_few(wrong, len(record.worn)),
        Rate(len(heard), days),
        _load_p95(record, heard),
        ppv,
        ppv_interval,
    )


def _kind(
    record: Record, kind: Kind, outcomes: Sequence[Met], rng: np.random.Generator, shifts: int, draws: int
) -> KindScore:
    eligible = [one for one in outcomes if one.eligible]
    by_chance = chance_hits(record, kind, eligible, rng, shifts)
    forms = [form for form in ("silent", "mild", "clear") if any(one.event.form == form for one in outcomes)]

    def found(chosen: Sequence[bool]) -> Found:
        those = [one for one, is_in in zip(eligible, chosen, strict=True) if is_in]
        return _found(record, those, by_chance[:, np.array(chosen, bool)], rng, draws)

    caught = [one for one in eligible if one.first is not None]
    return KindScore(
        kind,
        len(outcomes),
        found([True] * len(eligible)),
        {form: found([one.event.form == form for one in eligible]) for form in forms},
        dict(sorted(Counter(rule for one in eligible for rule in one.rules).items())),
        np.array([one.event.onset - one.first for one in caught if one.first is not None], dtype=np.float64),
    )


def chance_hits(
    record: Record, kind: Kind, eligible: Sequence[Met], rng: np.random.Generator, shifts: int
) -> NDArray[np.bool_]:
    """Tell which events would be answered if the wearer's alarms had come at other times, (shifts, events).

    All alarms of a wearer are moved by the same random number of minutes, around the circle of the time from the first
    to the last minute of wear, so that their number and the pauses between them stay.
    """
    hits = np.zeros((shifts, len(eligible)), bool)
    times = by_wearer(record.alarms, answering(kind))
    of_wearer: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(eligible):
        of_wearer[one.event.wearer].append(place)
    for wearer, places in of_wearer.items():
        seen, mine = record.seen(wearer), times.get(wearer)
        if seen is None or mine is None:
            continue
        first, length = seen[0], seen[1] - seen[0]
        moved = first + (mine[None, :] - first + rng.integers(0, length, shifts)[:, None]) % length
        for place in places:
            hits[:, place] = ((moved >= eligible[place].begin) & (moved <= eligible[place].end)).any(axis=1)
    return hits


def _found(
    record: Record, those: Sequence[Met], by_chance: NDArray[np.bool_], rng: np.random.Generator, draws: int
) -> Found:
    caught = sum(one.first is not None for one in those)
    who = [record.person.get(one.event.wearer, one.event.wearer) for one in those]
    people = sorted(set(who))
    if not those:
        return Found(0, 0, 0, UNKNOWN, math.nan, math.nan)
    table = np.zeros((len(people), 2))
    for name, one in zip(who, those, strict=True):
        table[people.index(name)] += one.first is not None, 1
    shares = by_chance.mean(axis=1)
    return Found(
        len(those),
        caught,
        len(people),
        share_interval(table, rng, draws),
        float(shares.mean()),
        float(np.quantile(shares, 0.975)),
    )


def share_interval(table: Floats, rng: np.random.Generator, draws: int) -> Interval:
    """Return the 95 % interval of a share, from a bootstrap over people.

    Parameters
    ----------
    table : (people, 2): hits and tries of each; those who never tried are left out.

    Notes
    -----
    Where all tries hit, or none, every resample says the same; there the exact interval for so many people (not tries)
    stands in (Clopper and Pearson 1934).
    """
    table = table[table[:, 1] > 0]
    n = len(table)
    if not n:
        return UNKNOWN
    hits, tries = table.sum(axis=0).tolist()
    if hits == 0:
        return 0.0, float(beta.ppf(0.975, 1, n))
    if hits == tries:
        return float(beta.ppf(0.025, n, 1)), 1.0
    if n == 1:
        return UNKNOWN  # of one person nothing is known about others
    sums = table[rng.integers(0, n, (draws, n))].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975)).tolist()
    return low, high


def _ppv(record: Record, standings: Sequence[Judged], rng: np.random.Generator, draws: int) -> tuple[float, Interval]:
    table: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in standings:
        right = one.standing == Standing.ANSWER
        if right or one.standing in (Standing.FALSE, Standing.CONFOUNDED):
            row = table[record.person.get(one.alarm.wearer, one.alarm.wearer)]
            row[0] += right
            row[1] += 1
    if not table:
        return math.nan, UNKNOWN
    counts = np.array(list(table.values()), dtype=np.float64)
    right_ones, all_ones = counts.sum(axis=0).tolist()
    return right_ones / all_ones, share_interval(counts, rng, draws)


def _confounder(kind: Kind, outcomes: Sequence[Met], wrong: Sequence[Judged]) -> ConfounderScore:
    mine = [one for one in wrong if kind in one.confounders]
    times = by_wearer(one.alarm for one in mine)
    episodes = [one for one in outcomes if one.event.kind == kind]
    nobody = np.zeros(0, np.int64)
    with_alarm = sum(
        bool(((t >= lasting(one.event)[0]) & (t <= lasting(one.event)[1])).any())
        for one in episodes
        for t in (times.get(one.event.wearer, nobody),)
    )
    return ConfounderScore(
        kind, len(episodes), with_alarm, dict(sorted(Counter(one.alarm.rule for one in mine).items()))
    )


def _of_few(wrong: Sequence[Judged], wearers: int) -> float:
    most = sorted(Counter(one.alarm.wearer for one in wrong).values(), reverse=True)
    return sum(most[: max(wearers // 20, 1)]) / len(wrong) if wrong else math.nan


def _load_p95(record: Record, heard: Sequence[Judged]) -> float:
    """95th centile over wearers of alarms a worn day; those who never wore it are left out."""
    count = Counter(one.alarm.wearer for one in heard)
    days = {wearer: float((times[:, 1] - times[:, 0]).sum()) / 1440 for wearer, times in record.worn.items()}
    loads = [count[wearer] / worn for wearer, worn in days.items() if worn > 0]
    return float(np.quantile(loads, 0.95)) if loads else math.nan
