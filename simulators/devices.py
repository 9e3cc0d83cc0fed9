"""What wearers wear: the table of device profiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Device:
    """A device profile.

    Attributes
    ----------
    cadence_s : seconds between samples. samples_per_message : as many make a message.
    has_rr : RR intervals come along.
    minute_noise_bpm, sample_noise_bpm : errors from minute to minute, and from sample to sample.
    bias_sd_bpm : constant error, different on each wrist.
    lock_share : of fast walking in which the sensor reports the steps' cadence instead of the pulse.
    artefact_share : of samples that are far off (light from outside, a blow).
    lost_share : of samples that are missing at rest; in motion five times as many.
    frozen_per_day : times a day that the value stands still for a while.
    loose_per_day : short times without contact a day.
    battery_days : from full to empty; charged when about half empty. charge_min : shortest and longest charge.
    """

    name: str
    cadence_s: int
    samples_per_message: int
    has_rr: bool
    minute_noise_bpm: float
    sample_noise_bpm: float
    bias_sd_bpm: float = 0.9
    lock_share: float = 0.01
    artefact_share: float = 0.0006
    lost_share: float = 0.004
    frozen_per_day: float = 0.01
    loose_per_day: float = 2.0
    battery_days: float = 2.5
    charge_min: tuple[float, float] = (30.0, 90.0)

    @property
    def message_min(self) -> int:
        """Minutes that one message covers."""
        return self.cadence_s * self.samples_per_message // 60

    @property
    def charge_share(self) -> float:
        """Share of days with a charge."""
        return min(2.0 / self.battery_days, 1.0)

    @property
    def flat_per_day(self) -> float:
        """How often it is forgotten so long that the battery runs flat: one charge in a hundred."""
        return 0.01 * self.charge_share


DEVICES = (
    Device("second", 1, 60, False, 0.8, 1.3),
    Device("second_rr", 1, 60, True, 0.5, 1.1, lock_share=0.001, artefact_share=0.0003, loose_per_day=1.2),
    Device("minute", 60, 1, False, 1.2, 1.6, battery_days=5.0, charge_min=(40.0, 110.0)),
    Device("five_minute", 300, 1, False, 1.2, 1.8, frozen_per_day=0.02, battery_days=7.0, charge_min=(60.0, 120.0)),
    Device("ten_second", 10, 6, False, 1.0, 1.5, bias_sd_bpm=1.2, battery_days=4.0, charge_min=(60.0, 120.0)),
)
"""The table of profiles; cadences must divide a minute or be whole minutes. Noise and shares are ours; the
error in motion is to lie in the published band, 3.8-7.7 % of the rate in the mean (modelling.md, section 5)."""


def column(name: str) -> NDArray[np.float32]:
    """Return one field of all profiles, to be indexed by `People.device`.

    >>> column("cadence_s").tolist()
    [1.0, 1.0, 60.0, 300.0, 10.0]
    """
    return np.array([getattr(device, name) for device in DEVICES], dtype=np.float32)


CADENCE_S = column("cadence_s").astype(np.int64)
HAS_RR = np.array([device.has_rr for device in DEVICES])
LOOSE_LOG_MIN = (1.2, 1.0)  # log minutes of a time without contact, mean and sd (as in Furberg 2016)
