"""The figures of the simulated bodies, with their sources; what strikes them lies in the parameter sets.

[S] figures are from the studies that research/modelling.md section 5 names; [D] are choices of this project, made so
that the day looks like a recorded one (mean of the day, day-night difference, share of minutes without steps).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Physiology:
    """Constants of a whole population; what differs between people is in simulators.people."""

    rest_mean_bpm: float = 65.5  # [S] Quer 2020, 92,457 people
    rest_sd_bpm: float = 7.7  # [S] same
    rest_low_bpm: float = 40.0  # [S] same: range 40-109
    rest_high_bpm: float = 109.0
    beta_blocker_bpm: float = -11.0  # Cochrane 2016
    circadian_bpm: tuple[float, float] = (3.0, 6.0)  # activity-free amplitude 3-6 bpm
    acrophase_h: tuple[float, float] = (15.8, 1.2)  # [S] mean of the raw rhythm, spread [D]
    awake_bpm: float = 7.0  # [D] sitting and pottering against lying at rest
    light_bpm: float = -3.0  # [D] stages against lying awake
    deep_bpm: float = -5.0
    rem_bpm: float = -0.5
    day_drift_bpm: float = 1.8  # [S] 20 % have a week with a swing of 10 bpm: day to day sd, half remembered
    slow_bpm: float = 2.2  # [D] wander over an hour
    slow_min: float = 70.0
    fast_bpm: float = 2.6  # [D] wander over minutes, awake; asleep half of it
    fast_min: float = 3.0
    bpm_per_step_rate: float = 0.24  # [D] brisk walking, 110 a minute, adds about 26 bpm in a fit person
    response_min: tuple[float, ...] = (0.8, 1.3, 2.0)  # [S] first order, cut-off near 55 s for fit against unfit
    systolic_mmhg: tuple[float, float] = (121.0, 10.0)
    diastolic_mmhg: tuple[float, float] = (76.0, 7.0)
    hypertensive_systolic_mmhg: tuple[float, float] = (139.0, 11.0)
    hypertensive_diastolic_mmhg: tuple[float, float] = (85.0, 8.0)
    night_systolic: float = 0.87  # [S] night against day
    night_diastolic: float = 0.83
    non_dipper_share: float = 0.18  # [S] 10-25 % of hypertensives
    reading_sd_mmhg: tuple[float, float] = (5.0, 3.5)  # [D] one cuff reading against the next
    sinus_irregularity: tuple[float, float] = (
        0.032,
        0.35,
    )  # median RMSSD / mean RR at rest, log sd; sinus CV < 0.05-0.08


BODY = Physiology()
