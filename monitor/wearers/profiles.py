"""Profiles into rows: team, age, conditions, own limits, and the local hour."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.resting import NIGHT_ENDS_MIN
from monitor.wearers import local_time
from monitor.wearers.local_time import DAY_MIN
from monitor.wearers.state import State
from stream_schemas.wearer import CONDITIONS, MEDICATIONS, SEXES, WearerProfile, mask
from stream_schemas.zones import time_zone

ADULT_YEARS = 16
CONSENT, NO_CONSENT = 1, 2
PREGNANT = mask(("pregnant",), CONDITIONS)
PREGNANT_OR_JUST_BORN = mask(("pregnant", "postpartum_6w"), CONDITIONS)
VULNERABLE = mask(
    ("heart_failure", "coronary_disease", "kidney_disease", "copd", "pregnant", "frailty", "dementia"), CONDITIONS
)


class Profiles:
    """Writes profiles and answers what follows from them; a wearer without a profile is an adult of the first team."""

    def __init__(self, state: State, teams: tuple[str, ...]) -> None:
        self.state = state
        self.team_of = {team: k for k, team in enumerate(teams)}
        self.zones = ["UTC"]
        self._place_of_zone = {"UTC": 0}

    def write(self, row: int, profile: WearerProfile) -> None:
        """Make a profile the wearer's. A team that is not in the settings counts as the first one."""
        state = self.state
        own = profile.limits
        state.known[row] = CONSENT if profile.consent else NO_CONSENT
        state.team[row] = self.team_of.get(profile.team, 0)
        state.age_years[row] = profile.age_years
        height, weight = profile.height_cm, profile.weight_kg
        state.bmi[row] = 0 if height is None or weight is None else weight / (height / 100) ** 2
        state.sex[row] = SEXES.index(profile.sex) if profile.sex in SEXES else 0
        state.conditions[row] = mask(profile.conditions, CONDITIONS)
        state.medications[row] = mask(profile.medications, MEDICATIONS)
        zone = self._zone(profile.time_zone)
        if zone != state.zone[row]:
            state.noon_minute[row] = 0  # of the other clock
        state.zone[row] = zone
        state.own_hr_high[row] = 0 if own is None else own.hr_high_bpm or 0
        state.own_hr_low[row] = 0 if own is None else own.hr_low_bpm or 0
        state.own_systolic[row] = 0 if own is None else own.systolic_high_mmhg or 0
        state.own_diastolic[row] = 0 if own is None else own.diastolic_high_mmhg or 0

    def defaults_off(self, row: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell who needs limits of their own: under 16, or pregnant."""
        state = self.state
        young = state.age_years[row] < ADULT_YEARS
        return (state.known[row] > 0) & (young | ((state.conditions[row] & PREGNANT) > 0))

    def vulnerable(self, row: NDArray[np.int64], from_age_years: int) -> NDArray[np.bool_]:
        """Tell who suffers from heat alone, by age or condition."""
        state = self.state
        frail = (state.conditions[row] & VULNERABLE) > 0
        return (state.known[row] > 0) & ((state.age_years[row] >= from_age_years) | frail)

    def local_hour(self, row: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.int64]:
        """Hour of the day at each wearer's place; UTC where no time zone is known."""
        return (minute + self.offset_min(row, minute)) // 60 % 24

    def offset_min(self, row: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.int64]:
        """Minutes by which each wearer's clock is ahead of UTC at each minute; 0 where no time zone is known."""
        return local_time.offset_min(self.zones, self.state.zone[row].astype(np.int64), minute)

    def utc_minute(self, row: NDArray[np.int64], local_minute: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the epoch minute at which each wearer's clock shows a local one.

        Of a time that comes twice it is one of the two; where the clock jumps over it, the minute of the jump.
        """
        near = local_minute - self.offset_min(row, local_minute)
        found = local_minute - self.offset_min(row, near)
        return found + np.maximum(local_minute - found - self.offset_min(row, found), 0)

    def night(self, row: NDArray[np.int64], day: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the epoch minutes at which the night of each local day begins, and at which it is over."""
        midnight = day * DAY_MIN
        return self.utc_minute(row, midnight), self.utc_minute(row, midnight + NIGHT_ENDS_MIN)

    def turned(self, row: NDArray[np.int64], end: NDArray[np.int64]) -> local_time.Turned:
        """Tell whose clocks were changed within the 24 h that end at each minute."""
        return local_time.turned(self.zones, self.state.zone[row].astype(np.int64), end)

    def places(self, zones: list[str]) -> NDArray[np.uint16]:
        """Return where these time zones are in our list, adding those that are new."""
        return np.array([self._zone(zone) for zone in zones], np.uint16)

    def _zone(self, name: str) -> int:
        """Find a zone in our list; UTC for what the zone database does not have, so that the list is bounded by it."""
        if name not in self._place_of_zone:
            if time_zone(name) is None:
                return 0
            self._place_of_zone[name] = len(self.zones)
            self.zones.append(name)
        return self._place_of_zone[name]
