"""The figures of the simulated bodies, with their sources; what strikes them lies in the parameter sets.

[S] figures are from the studies that research/modelling.md section 5 names; [D] are choices of this project, made so
that the day looks like a recorded one (mean of the day, day-night difference, share of minutes without steps); [F]
figures are set so that moments lie near those of the seven wearers of Furberg 2016 with rates and steps by the minute
(doi:10.5281/zenodo.53894): spread and memory of the rate, its answer to steps, runs of steps.
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
    circadian_bpm: tuple[float, float] = (2.0, 5.0)  # activity-free amplitude; 3-6 in the literature, less at rest [F]
    acrophase_h: tuple[float, float] = (15.8, 1.2)  # [S] mean of the raw rhythm, spread [D]
    awake_bpm: float = 6.5  # [F] sitting against lying at rest
    light_bpm: float = -2.0  # [F] stages against lying awake
    deep_bpm: float = -5.0
    rem_bpm: float = 0.5
    day_drift_bpm: float = 1.8  # [S] 20 % have a week with a swing of 10 bpm: day to day sd, half remembered
    slow_bpm: float = 2.3  # [D] wander over an hour
    slow_min: float = 60.0
    fast_bpm: float = 2.8  # [F] wander over minutes, awake; asleep a part of it
    fast_min: float = 3.0
    asleep_share: tuple[float, float] = (0.5, 0.75)  # [F] of the wander over minutes, and of what is brief
    brief_bpm: float = 3.1  # [F] what comes and goes from one minute to the next: turning over, talking, a deep breath
    restless_sd: float = 0.45  # [F] log sd over the hours of how much all this moves, and between people
    moving_bpm: float = 5.5  # [F] any step at all against none
    bpm_per_step_rate: float = 0.17  # [F] and the square's: 110 a minute adds about 31 bpm, 160 about 48
    bpm_per_square: float = 0.0006
    response_min: tuple[float, ...] = (0.45, 0.65, 1.0)  # [F] first order; fit people are quicker
    lasting_share: float = 0.45  # [F] a second, slow part of that answer on top
    lasting_min: float = 18.0
    gain_sd: float = 0.3  # [F] log sd of the answer to the same steps, from one quarter of an hour to another
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
