"""Parameter set A: the kinetics that the packaged model is trained on. Set B is written by others and shares nothing.

Each course is one function of `acute`, `slow` or `confounders`; its docstring gives the figures and their sources.
"[D]" marks a choice of this project for which no figure was found.
"""

from simulators.courses import ParameterSet, Span
from simulators.kinds import Kind
from simulators.set_a import acute, confounders, slow

HOUR, DAY = 60, 1440
FOREVER = 365 * DAY

SET = ParameterSet(
    name="a",
    courses={
        Kind.TACHYCARDIA_AT_REST: acute.tachycardia,
        Kind.BRADYCARDIA: acute.bradycardia,
        Kind.HYPERTENSIVE_CRISIS: acute.crisis,
        Kind.HYPOTENSION: acute.hypotension,
        Kind.HEAT_STRAIN: acute.heat_strain,
        Kind.ATRIAL_FIBRILLATION: acute.fibrillation,
        Kind.INFECTION: slow.infection,
        Kind.POOR_RECOVERY: slow.poor_recovery,
        Kind.DEHYDRATION: slow.dehydration,
        Kind.OVERTRAINING: slow.overtraining,
        Kind.SLEEP_APNOEA: slow.apnoea,
        Kind.BETA_BLOCKER_START: slow.beta_blocker,
        Kind.DETERIORATION: slow.deterioration,
        Kind.ALCOHOL: confounders.alcohol,
        Kind.LATE_EXERCISE: confounders.late_exercise,
        Kind.STRESS: confounders.stress,
        Kind.TRAVEL: confounders.travel,
        Kind.VACCINATION: confounders.vaccination,
        Kind.MENSTRUAL_PHASE: confounders.menstrual_phase,
        Kind.NEW_DEVICE: confounders.new_device,
        Kind.HEAT_WAVE: confounders.heat_wave,
    },
    spans={
        Kind.TACHYCARDIA_AT_REST: Span(20, HOUR, before_min=120, after_min=3),
        Kind.BRADYCARDIA: Span(20, HOUR, before_min=acute.HOLD_BEFORE_MIN, after_min=3),
        Kind.HYPERTENSIVE_CRISIS: Span(HOUR, 3 * HOUR, before_min=6 * HOUR, after_min=HOUR),
        Kind.HYPOTENSION: Span(30, 90, before_min=HOUR, after_min=HOUR),
        Kind.HEAT_STRAIN: Span(HOUR, 3 * HOUR, before_min=4 * HOUR, after_min=HOUR),
        Kind.ATRIAL_FIBRILLATION: Span(30, 6 * HOUR),
        Kind.INFECTION: Span(5 * DAY, 10 * DAY, before_min=5 * HOUR),
        Kind.POOR_RECOVERY: Span(20 * HOUR, DAY),
        Kind.DEHYDRATION: Span(8 * HOUR, 36 * HOUR, after_min=8 * HOUR),
        Kind.OVERTRAINING: Span(10 * DAY, 21 * DAY, after_min=7 * DAY),
        Kind.SLEEP_APNOEA: Span(21 * DAY, 60 * DAY),
        Kind.BETA_BLOCKER_START: Span(14 * DAY, 28 * DAY, after_min=FOREVER),
        Kind.DETERIORATION: Span(12 * HOUR, 3 * DAY, after_min=DAY),
        Kind.ALCOHOL: Span(12 * HOUR, 16 * HOUR),
        Kind.LATE_EXERCISE: Span(8 * HOUR, 11 * HOUR),
        Kind.STRESS: Span(DAY, 5 * DAY),
        Kind.TRAVEL: Span(4 * DAY, 9 * DAY),
        Kind.VACCINATION: Span(4 * DAY, 6 * DAY),
        Kind.MENSTRUAL_PHASE: Span(11 * DAY, 14 * DAY, after_min=2 * DAY),
        Kind.NEW_DEVICE: Span(14 * DAY, 21 * DAY, after_min=FOREVER),
        Kind.HEAT_WAVE: Span(3 * DAY, 8 * DAY, after_min=DAY),
    },
    form_shares={
        Kind.INFECTION: (0.25, 0.45, 0.30),
        Kind.DEHYDRATION: (0.0, 0.5, 0.5),
        Kind.SLEEP_APNOEA: (0.2, 0.4, 0.4),
        Kind.DETERIORATION: (0.1, 0.35, 0.55),
    },
)
