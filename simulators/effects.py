"""What the episodes of a block do to its wearers: the courses of a parameter set, laid over the minutes."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, ParameterSet
from simulators.episodes import Episodes
from simulators.kinds import Kind
from simulators.people import FEMALE, People

WARM_C, HOT_HUMIDITY_PCT = 28.0, 38.0  # heat strain needs heat: its course adds to a summer day, where it is none
NEUTRAL = {"moves": 1.0, "variability": 1.0, "slow_recovery": 1.0, "hold_bpm": np.nan, "irregular_cv": np.nan}

_SUMMED = (
    "add_bpm",
    "night_add_bpm",
    "add_systolic_mmhg",
    "add_diastolic_mmhg",
    "outdoor_c",
    "outdoor_humidity_pct",
    "shift_min",
    "sleep_min",
    "awakenings",
    "bias_bpm",
)
_MULTIPLIED = ("moves", "variability", "slow_recovery")
_LAST_WINS = ("hold_bpm", "irregular_cv")


@dataclass(slots=True)
class Effects:
    """(B, T) changes of the latent state, named as in simulators.courses.Change; None where no episode touches it.

    Sums add up, shares multiply, of two held rates the later episode's holds. `heat_c` is the temperature that heat
    strain comes with: what the wearer's phone reports is at least this; 0 = none.
    """

    add_bpm: Floats | None = None
    night_add_bpm: Floats | None = None
    hold_bpm: Floats | None = None
    blunt: Floats | None = None
    moves: Floats | None = None
    still: NDArray[np.bool_] | None = None
    add_systolic_mmhg: Floats | None = None
    add_diastolic_mmhg: Floats | None = None
    irregular_cv: Floats | None = None
    variability: Floats | None = None
    slow_recovery: Floats | None = None
    outdoor_c: Floats | None = None
    outdoor_humidity_pct: Floats | None = None
    shift_min: Floats | None = None
    sleep_min: Floats | None = None
    awakenings: Floats | None = None
    swing_bpm: Floats | None = None
    swing_s: Floats | None = None
    bias_bpm: Floats | None = None
    heat_c: Floats | None = None


def effects(parameters: ParameterSet, people: People, episodes: Episodes, first_min: int, T: int) -> Effects:
    """Lay the episodes of a block of wearers over T minutes from `first_min`."""
    out, B = Effects(), len(people)
    hours = (np.arange(T + 1440) % 1440).astype(np.float32) / np.float32(60)
    for row in range(len(episodes)):
        kind = Kind(int(episodes.kind[row]))
        course = parameters.courses.get(kind)
        if course is None:  # watches and gateways: the body does not notice
            continue
        span, wearer, onset = parameters.spans[kind], int(episodes.wearer[row]), int(episodes.onset_min[row])
        begin = max(onset - span.before_min - first_min, 0)
        end = min(int(episodes.end_min[row]) + span.after_min - first_min, T)
        if end <= begin:
            continue
        clock = (first_min + int(people.utc_offset_min[wearer])) % 1440
        change = course(
            _episode(people, episodes, row),
            np.arange(begin + first_min - onset, end + first_min - onset),
            hours[clock + begin : clock + end],
        )
        _lay(out, change, kind, (wearer, slice(begin, end)), (B, T))
    return out


def _episode(people: People, episodes: Episodes, row: int) -> Episode:
    wearer = int(episodes.wearer[row])
    a, b, c, d, e, f = episodes.draws[row].tolist()
    return Episode(
        kind=Kind(int(episodes.kind[row])),
        minutes=int(episodes.end_min[row] - episodes.onset_min[row]),
        form=Form(int(episodes.form[row])),
        severity=float(episodes.severity[row]),
        draws=(a, b, c, d, e, f),
        resting_bpm=float(people.rest_bpm[wearer]),
        systolic_mmhg=float(people.systolic_mmhg[wearer]),
        diastolic_mmhg=float(people.diastolic_mmhg[wearer]),
        fitness=float(people.fitness[wearer]),
        female=bool(people.sex[wearer] == FEMALE),
    )


def _grid(out: Effects, name: str, shape: tuple[int, int]) -> Floats:
    grid = getattr(out, name)
    if grid is None:
        neutral = NEUTRAL.get(name, 0.0)
        grid = np.zeros(shape, np.float32) if neutral == 0 else np.full(shape, neutral, np.float32)
        setattr(out, name, grid)
    return np.asarray(grid)


def _lay(out: Effects, change: Change, kind: Kind, place: tuple[int, slice], shape: tuple[int, int]) -> None:
    for field in fields(Change):
        name, value = field.name, getattr(change, field.name)
        if value is None:
            continue
        if name == "still":
            if out.still is None:
                out.still = np.zeros(shape, bool)
            out.still[place] |= value
        elif name == "outdoor_c" and kind == Kind.HEAT_STRAIN:
            grid = _grid(out, "heat_c", shape)
            np.maximum(grid[place], np.where(value > 0, np.float32(WARM_C) + value, 0), out=grid[place])
        elif name in _SUMMED:
            _grid(out, name, shape)[place] += value
        elif name in _MULTIPLIED:
            _grid(out, name, shape)[place] *= value
        elif name in _LAST_WINS:
            grid = _grid(out, name, shape)
            grid[place] = np.where(np.isnan(value), grid[place], value)
        elif name == "blunt":
            grid = _grid(out, name, shape)
            grid[place] = 1 - (1 - grid[place]) * (1 - value)
        elif name == "swing_bpm":
            swing, period = _grid(out, name, shape), _grid(out, "swing_s", shape)
            stronger = value > swing[place]
            swing[place] = np.where(stronger, value, swing[place])
            if change.swing_s is not None:
                period[place] = np.where(stronger, change.swing_s, period[place])
