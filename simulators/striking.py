"""Drawing the episodes of a run: at the rates of a scenario, with the durations of a parameter set."""

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.courses import Form, ParameterSet
from simulators.episodes import CYCLE_DAYS, Episodes, drawn_forms, joined, likely, none, overlaps
from simulators.kinds import ACUTE, TECHNICAL, Kind
from simulators.people import People
from simulators.places import is_warm_season
from simulators.scenario import Rate, Scenario

TRIES = 24  # candidates looked at for each episode
REST_AFTER_MIN = 120  # between two acute episodes of one wearer
LONGEST_BEFORE_MIN = 10 * 1440  # what builds up over days may have begun this long before the run
TECHNICAL_MIN = {Kind.WATCH_OFF: (45.0, 400.0), Kind.GATEWAY_SILENT: (15.0, 60.0)}

# Local hours in which a kind begins; others begin at any hour.
BEGINS_H = {
    Kind.ALCOHOL: (18.5, 22.0),
    Kind.LATE_EXERCISE: (19.0, 21.5),
    Kind.STRESS: (7.0, 10.0),
    Kind.VACCINATION: (9.0, 18.0),
    Kind.DEHYDRATION: (8.0, 16.0),
    Kind.HEAT_WAVE: (0.0, 24.0),
}

Row = tuple[int, int, int, int, int, float, tuple[float, ...]]


def episodes(
    scenario: Scenario, parameters: ParameterSet, people: People, seed: int, start_min: int, minutes: int
) -> Episodes:
    """Draw all episodes of a run; an acute one never overlaps another acute one of the same wearer."""
    taken: dict[int, list[tuple[Kind, int, int]]] = {}
    parts = [none()]
    for kind in Kind:
        rate = scenario.rate(kind)
        if rate is None or rate.per_day == 0:
            continue
        span = rate.duration_min or TECHNICAL_MIN.get(kind)
        if span is None:
            known = parameters.spans[kind]
            span = (float(known.shortest_min), float(known.longest_min))
        rng = generator(seed, f"episodes {kind.name}", start_min)
        if kind == Kind.GATEWAY_SILENT:
            found = _together(rng, kind, rate, span, people, parameters, (start_min, minutes, 0))
        elif kind == Kind.HEAT_WAVE:
            found = _together(rng, kind, rate, span, people, parameters, (start_min, minutes, _before(kind, span)))
        elif kind == Kind.MENSTRUAL_PHASE:
            found = _cycles(rng, rate, span, people, parameters, start_min, minutes)
        else:
            found = _single(rng, kind, rate, span, people, parameters, taken, start_min, minutes)
        parts.append(_table(found))
    return joined(parts)


def _before(kind: Kind, span: tuple[float, float]) -> int:
    return 0 if kind in ACUTE or kind in TECHNICAL else min(int(span[1]), LONGEST_BEFORE_MIN)


def _onsets(
    rng: np.random.Generator, rate: Rate, population: int, start_min: int, minutes: int, before_min: int
) -> NDArray[np.int64]:
    regular = rate.regular
    first, last = start_min + rate.first_min - (0 if regular else before_min), start_min + minutes - rate.settle_min
    if last <= first:
        return np.zeros(0, np.int64)
    mean = rate.per_day * population * (last - first) / 1440
    if regular:
        count = max(round(mean), 1)
        at = first + (np.arange(count) + rng.uniform(0.05, 0.6, count)) * (last - first) / count
    else:
        at = np.sort(rng.uniform(first, last, rng.poisson(mean)))
    return np.asarray(at, dtype=np.float64).astype(np.int64)


def _single(
    rng: np.random.Generator,
    kind: Kind,
    rate: Rate,
    span: tuple[float, float],
    people: People,
    parameters: ParameterSet,
    taken: dict[int, list[tuple[Kind, int, int]]],
    start_min: int,
    minutes: int,
) -> list[Row]:
    """Episodes that strike one wearer each; where nobody among the candidates can be struck there is none."""
    onsets = _onsets(rng, rate, len(people), start_min, minutes, _before(kind, span))
    n = len(onsets)
    long = np.maximum(rng.uniform(*span, n).astype(np.int64), 2)
    forms, severity, draws = drawn_forms(rng, parameters, kind, n), rng.random(n), rng.random((n, 6))
    candidates = rng.integers(0, len(people), (n, TRIES))
    begins = BEGINS_H.get(kind)
    local_h = rng.uniform(*begins, n) if begins is not None else None
    rows: list[Row] = []
    for i in range(n):
        tries, onset = candidates[i], int(onsets[i])
        offset = people.utc_offset_min[tries]
        hour = (onset + offset) % 1440 / 60
        possible = likely(kind, people, tries, hour if local_h is None else np.full(TRIES, local_h[i]))
        for place in np.flatnonzero(possible).tolist():
            wearer = int(tries[place])
            # What belongs to a time of day begins at the next such time of the wearer's.
            wait = 0 if local_h is None else int(60 * local_h[i] - 60 * hour[place]) % 1440
            begin, end = onset + wait, onset + wait + int(long[i])
            if overlaps(kind, taken.get(wearer, []), begin, end, REST_AFTER_MIN):
                continue
            if end > start_min:
                if kind not in TECHNICAL:
                    taken.setdefault(wearer, []).append((kind, begin, end))
                rows.append(_row(kind, wearer, begin, end, int(forms[i]), float(severity[i]), draws[i]))
            break
    return rows


def _row(kind: Kind, wearer: int, begin: int, end: int, form: int, severity: float, draws: NDArray[np.float64]) -> Row:
    return int(kind), wearer, begin, end, form, severity, tuple(draws.tolist())


def _together(
    rng: np.random.Generator,
    kind: Kind,
    rate: Rate,
    span: tuple[float, float],
    people: People,
    parameters: ParameterSet,
    when: tuple[int, int, int],
) -> list[Row]:
    """Outages take all wearers of a gateway at once, heat waves all of a place, in its warm season only."""
    start_min, minutes, before_min = when
    rows: list[Row] = []
    group = people.gateway if kind == Kind.GATEWAY_SILENT else people.place
    places = list(people.outfit.places.values())
    groups = np.unique(group)
    until = dict.fromkeys(groups.tolist(), 0)
    for onset in _onsets(rng, rate, len(groups), start_min, minutes, before_min).tolist():
        chosen = int(rng.choice(groups))
        end = onset + max(int(rng.uniform(*span)), 2)
        form, severity, draws = int(drawn_forms(rng, parameters, kind, 1)[0]), float(rng.random()), rng.random(6)
        if kind == Kind.GATEWAY_SILENT:
            form, severity = int(Form.CLEAR), 0.5
        elif onset < until[chosen] or end <= start_min or not is_warm_season(places[chosen], onset):
            continue
        until[chosen] = end
        rows += [_row(kind, int(w), onset, end, form, severity, draws) for w in np.flatnonzero(group == chosen)]
    return rows


def _cycles(
    rng: np.random.Generator,
    rate: Rate,
    span: tuple[float, float],
    people: People,
    parameters: ParameterSet,
    start_min: int,
    minutes: int,
) -> list[Row]:
    """Second halves of cycles, one after the other; `per_day` times 28 is the share of women who have them."""
    everyone = np.arange(len(people))
    possible = likely(Kind.MENSTRUAL_PHASE, people, everyone, np.zeros(len(people)))
    has = possible & (rng.random(len(people)) < min(28 * rate.per_day, 1.0))
    cycle_min, phase = 1440 * rng.uniform(*CYCLE_DAYS, len(people)), rng.random(len(people))
    severity = rng.random(len(people))
    rows: list[Row] = []
    for wearer in np.flatnonzero(has).tolist():
        onset = start_min - int(phase[wearer] * cycle_min[wearer])
        while onset < start_min + minutes:
            end = onset + int(rng.uniform(*span))
            draws, form = rng.random(6), int(drawn_forms(rng, parameters, Kind.MENSTRUAL_PHASE, 1)[0])
            if end > start_min:
                rows.append(_row(Kind.MENSTRUAL_PHASE, wearer, onset, end, form, float(severity[wearer]), draws))
            onset += int(cycle_min[wearer])
    return rows


def _table(rows: list[Row]) -> Episodes:
    if not rows:
        return none()
    kind, wearer, onset, end, form, severity, draws = zip(*rows, strict=True)
    return Episodes(
        kind=np.array(kind, dtype=np.int64),
        wearer=np.array(wearer, dtype=np.int64),
        onset_min=np.array(onset, dtype=np.int64),
        end_min=np.array(end, dtype=np.int64),
        form=np.array(form, dtype=np.int64),
        severity=np.array(severity, dtype=np.float64),
        draws=np.array(draws, dtype=np.float64),
    )
