"""What an episode does to the latent state over time: the contract that each parameter set fills in.

Set A lies in `simulators.set_a`, set B in `simulators.set_b`: each is a `ParameterSet` called `SET`, and they agree in
nothing but this file. A course is a pure function: the same episode can be laid over simulated people and recordings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulators.kinds import Kind

Floats = NDArray[np.float32]


class Form(IntEnum):
    """How much of it shows: silent episodes hardly move any signal."""

    SILENT = 0
    MILD = 1
    CLEAR = 2


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as it was drawn.

    Attributes
    ----------
    minutes : from onset to end.
    severity : 0..1 within its form.
    draws : six numbers, uniform in 0..1, for whatever a course varies from episode to episode.
    resting_bpm, systolic_mmhg, diastolic_mmhg : what is usual for this wearer.
    fitness : 0..1. female : for the menstrual phase.
    """

    kind: Kind
    minutes: int
    form: Form
    severity: float
    draws: tuple[float, float, float, float, float, float]
    resting_bpm: float = 65.0
    systolic_mmhg: float = 122.0
    diastolic_mmhg: float = 78.0
    fitness: float = 0.5
    female: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What it changes, minute by minute; (T,) each; None where nothing changes.

    Attributes
    ----------
    add_bpm : added to the rate, asleep and awake.
    night_add_bpm : added to the rate while asleep only (alcohol, late exercise, poor recovery).
    hold_bpm : the rate that another focus or a block imposes; NaN = none.
    blunt : share of the rise with activity that is lost (beta-blocker), 0..1.
    moves : multiplies activity. still : no activity at all, as bool.
    add_systolic_mmhg, add_diastolic_mmhg : added to the pressure.
    irregular_cv : spread of the RR intervals relative to their mean; NaN = sinus rhythm.
    variability : multiplies the beat-to-beat variability of sinus rhythm.
    slow_recovery : multiplies the time constant at which the rate falls after effort.
    outdoor_c, outdoor_humidity_pct : added to the weather that the wearer's phone reports.
    shift_min : the body clock runs this much later than the wall's (jet lag; negative = earlier).
    sleep_min : added to the night's length, held over the minutes of that day. awakenings : added, an hour of sleep.
    swing_bpm, swing_s : a cyclic swing of the rate while asleep (apnoea) and its period; seen only by fast devices.
    bias_bpm : the sensor's, not the heart's (new device).
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


Course = Callable[[Episode, NDArray[np.int64], NDArray[np.float32]], Change]
"""(episode, minutes since its onset, local hour of the day 0..24), both (T,): the change at those minutes.

Minutes before the onset are negative: what leads up to it. Outside of what the episode touches the change is neutral.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """How long a kind lasts, in minutes: shortest and longest duration, and how far its effects reach outside of it."""

    shortest_min: int
    longest_min: int
    before_min: int = 0
    after_min: int = 0


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One set of kinetics.

    Attributes
    ----------
    name : "a" or "b". courses, spans : of every kind that changes the body or the weather.
    form_shares : shares of silent, mild and clear episodes of a kind; a kind that is not named is always clear.
    """

    name: str
    courses: Mapping[Kind, Course]
    spans: Mapping[Kind, Span]
    form_shares: Mapping[Kind, tuple[float, float, float]]
