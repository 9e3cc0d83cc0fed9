"""Profiles into rows: team, age, conditions, own limits, and the local hour."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.state import State
from stream_schemas.wearer import CONDITIONS, MEDICATIONS, SEXES, WearerProfile, mask

ADULT_YEARS = 16
DAY_MIN = 1440
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
        """Minutes by which each wearer's clock is ahead of UTC on the UTC day of each minute; 0 where it is unknown."""
        day = minute // DAY_MIN
        key = self.state.zone[row].astype(np.int64) << 32 | day
        offset = np.zeros(len(row), np.int64)
        for one in np.unique(key):
            offset[key == one] = _offset_min(self.zones[int(one) >> 32], int(one) & 0xFFFFFFFF)
        return offset

    def places(self, zones: list[str]) -> NDArray[np.uint16]:
        """Return where these time zones are in our list, adding those that are new."""
        return np.array([self._zone(zone) for zone in zones], np.uint16)

    def _zone(self, name: str) -> int:
        if name not in self.zones:
            self.zones.append(name)
        return self.zones.index(name)


@lru_cache(maxsize=4096)
def _offset_min(zone: str, day: int) -> int:
    """Offset at noon UTC of an epoch day, in minutes; 0 for a zone that is not known here."""
    try:
        at = datetime.fromtimestamp(day * 86_400 + 43_200, UTC).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    offset = at.utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60
