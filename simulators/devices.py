"""What wearers wear: device profiles, and the table of set A's (those of set B: simulators.outfits)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A device profile.

    Attributes
    ----------
    cadence_s : seconds between samples. samples_per_message : as many make a message.
    has_rr : RR intervals come along.
    minute_noise_bpm, sample_noise_bpm : errors from minute to minute, and from sample to sample.
    bias_bpm, bias_sd_bpm : constant error: its mean, and how it differs from wrist to wrist.
    lock_share : of walking in which the sensor reports the steps' cadence instead of the pulse.
    lock_above_steps : what counts as such walking, steps a minute.
    artefact_share : of samples that are far off (light from outside, a blow).
    artefact_minutes : share of the minutes that are far off as a whole.
    lost_share : of samples that are missing at rest; in motion five times as many.
    frozen_per_day : times a day that the value stands still for a while.
    loose_per_day : short times without contact a day.
    battery_days : from full to empty. charge_min : shortest and longest charge.
    charges_per_battery : charges in that time; 2 = when about half empty.
    wire_name : the end of its device_id.
    """

    name: str
    cadence_s: int
    samples_per_message: int
    has_rr: bool
    minute_noise_bpm: float
    sample_noise_bpm: float
    bias_bpm: float = 0.0
    bias_sd_bpm: float = 0.9
    lock_share: float = 0.01
    lock_above_steps: float = 85.0
    artefact_share: float = 0.0006
    artefact_minutes: float = 0.0
    lost_share: float = 0.004
    frozen_per_day: float = 0.01
    loose_per_day: float = 2.0
    battery_days: float = 2.5
    charge_min: tuple[float, float] = (30.0, 90.0)
    charges_per_battery: float = 2.0
    wire_name: str = "watch"

    @property
    def message_min(self) -> int:
        """Minutes that one message covers."""
        return self.cadence_s * self.samples_per_message // 60

    @property
    def charge_share(self) -> float:
        """Share of days with a charge."""
        return min(self.charges_per_battery / self.battery_days, 1.0)

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

LOOSE_LOG_MIN = (1.2, 1.0)  # log minutes of a time without contact, mean and sd (as in Furberg 2016)
