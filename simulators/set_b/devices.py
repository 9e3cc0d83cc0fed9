"""The devices that wearers of set B have.

Published, for their kinds: Hettiarachchi 2019 (arm band with light: bias +0.3 bpm, 95 % of differences within 5 bpm);
Bent 2020 (wrist: mean absolute error 30 % higher in activity than at rest; devices differ); Altini and Kinnunen 2021
and makers' manuals (rings: a rate each 5 min, batteries of 4-7 days, patches: RR intervals, 5-7 days). Shares of
artefacts, locks to the cadence of steps and frozen values are design.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of device.

    Attributes
    ----------
    name : on the wire. share : of the wearers who have it.
    cadence_s : seconds between two samples. samples_a_message : as the phone sends them on.
    has_rr : RR intervals are sent along.
    noise_minute_bpm : standard deviation of the error that all samples of a minute share.
    noise_sample_bpm : standard deviation of each sample's own error.
    bias_bpm : mean error.
    artefact_share : of the minutes: light reads something else. frozen_share : of the minutes: the last value stands.
    cadence_lock_share : of the minutes with steps: the rate that is read is that of the steps.
    battery_days : from full to empty. charging_minutes : how long it is off for that.
    """

    name: str
    share: float
    cadence_s: int
    samples_a_message: int
    has_rr: bool
    noise_minute_bpm: float
    noise_sample_bpm: float
    bias_bpm: float
    artefact_share: float
    cadence_lock_share: float
    frozen_share: float
    battery_days: float
    charging_minutes: int


ARM_BAND = Device("b-arm-band", 0.20, 2, 60, True, 0.6, 1.6, 0.3, 0.006, 0.004, 0.001, 1.4, 75)
WRIST_BAND = Device("b-wrist-band", 0.40, 30, 40, False, 2.1, 2.8, -1.4, 0.035, 0.030, 0.010, 9.0, 110)
RING = Device("b-ring", 0.25, 300, 12, False, 1.2, 0.8, -0.6, 0.050, 0.0, 0.004, 5.5, 50)
PATCH = Device("b-patch", 0.15, 5, 24, True, 0.3, 0.9, 0.0, 0.002, 0.0, 0.0005, 6.0, 25)

DEVICES = (ARM_BAND, WRIST_BAND, RING, PATCH)
