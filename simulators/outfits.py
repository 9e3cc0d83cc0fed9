"""What the wearers of a parameter set have and where they live: device profiles, places, and the shares of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from simulators.devices import DEVICES, Device
from simulators.places import DUST_MEAN, PLACES, Climate, MonthlyPlace
from simulators.scenario import Scenario
from simulators.set_b import climate as climate_b
from simulators.set_b import devices as devices_b

FROZEN_MEAN_MIN = 50.0  # mean of faults.FROZEN_MIN


@dataclass(frozen=True, slots=True)
class Outfit:
    """The devices of a set and its places by time zone; the shares of each add up to 1."""

    devices: tuple[Device, ...]
    places: Mapping[str, Climate]
    device_shares: NDArray[np.float64]
    place_shares: NDArray[np.float64]

    def column(self, name: str, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return one field of all profiles, to be indexed by `People.device`."""
        return np.array([getattr(device, name) for device in self.devices], dtype=dtype)


def outfit(scenario: Scenario) -> Outfit:
    """Return what wearers of *scenario* have, as its parameter set says.

    >>> from simulators.scenario import load
    >>> outfit(load("mixed")).column("cadence_s").tolist()
    [1.0, 1.0, 60.0, 300.0, 10.0]
    >>> outfit(load("mixed").model_copy(update={"parameters": "b"})).column("cadence_s").tolist()
    [2.0, 30.0, 300.0, 5.0]
    """
    return OUTFITS[scenario.parameters](scenario)


def _of_a(scenario: Scenario) -> Outfit:
    worn = np.array([getattr(scenario.devices, device.name) for device in DEVICES])
    weight = np.array([scenario.people.places.get(zone, 0.0) for zone in PLACES])
    return Outfit(DEVICES, PLACES, worn / worn.sum(), weight / weight.sum())


def _device(b: devices_b.Device) -> Device:
    """Translate; what set B does not table is as in set A: lost samples, loose straps, how biases differ."""
    return Device(
        b.name,
        b.cadence_s,
        b.samples_a_message,
        b.has_rr,
        b.noise_minute_bpm,
        b.noise_sample_bpm,
        bias_bpm=b.bias_bpm,
        lock_share=b.cadence_lock_share,
        lock_above_steps=0.0,
        artefact_share=0.0,
        artefact_minutes=b.artefact_share,
        frozen_per_day=b.frozen_share * 1440 / FROZEN_MEAN_MIN,
        battery_days=b.battery_days,
        charge_min=(b.charging_minutes, b.charging_minutes),
        charges_per_battery=1.0,
        wire_name=b.name,
    )


def _place(city: climate_b.City) -> MonthlyPlace:
    """Translate; a place's PM2.5 is the middle that it wanders around, a city's is its mean."""
    dust = tuple(value / DUST_MEAN for value in city.pm25)
    return MonthlyPlace(city.mean_c, city.amplitude_c, city.humidity_pct, dust)


B = Outfit(
    tuple(_device(device) for device in devices_b.DEVICES),
    {city.timezone: _place(city) for city in climate_b.CITIES},
    np.array([device.share for device in devices_b.DEVICES]),
    np.array([city.share for city in climate_b.CITIES]),
)

# Shares of set B are its own, whatever the scenario: the weights of a scenario are those of set A's names.
OUTFITS: dict[str, Callable[[Scenario], Outfit]] = {"a": _of_a, "b": lambda _: B}
