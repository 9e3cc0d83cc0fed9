"""The weather where wearers of set B live: a dry continental city, a monsoon city and one on the equator.

Published: New Delhi, Safdarjung, 1991-2020 (India Meteorological Department): mean highest and lowest temperature of
each month; the mean here is half of their sum, the daily amplitude half of their difference. Madrid, Retiro,
1981-2010 (AEMET): mean, highest and lowest temperature, humidity. Singapore, Changi, 1991-2020 (Meteorological
Service Singapore): the same. PM2.5: Delhi from the yearly means (about 100) and the months (December about 199,
January about 170-206) of the Central Pollution Control Board; Madrid about 10, Singapore about 14 as yearly means
(IQAir), spread over the months by design. Delhi's temperatures and PM2.5 and some of Madrid's temperatures were looked
up; the rest, humidity above all, is recalled. All is rounded: enough for a simulator, no reference for anything else.
"""

from dataclasses import dataclass

Months = tuple[float, float, float, float, float, float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class City:
    """Twelve months of a city, January first.

    Attributes
    ----------
    name, timezone : as people and the IANA write them. share : of the wearers who live there.
    mean_c : mean temperature. amplitude_c : half of the way from the coolest to the warmest time of the day.
    humidity_pct : mean relative humidity. pm25 : mean PM2.5, micrograms in a cubic metre.
    """

    name: str
    timezone: str
    share: float
    mean_c: Months
    amplitude_c: Months
    humidity_pct: Months
    pm25: Months


MADRID = City(
    name="Madrid",
    timezone="Europe/Madrid",
    share=0.4,
    mean_c=(6.5, 8.0, 11.0, 13.0, 16.5, 22.0, 25.5, 25.0, 21.0, 15.0, 10.0, 7.0),
    amplitude_c=(3.5, 4.0, 5.0, 5.5, 5.5, 6.0, 6.5, 6.5, 5.5, 4.5, 3.5, 3.0),
    humidity_pct=(71, 65, 55, 56, 53, 44, 38, 41, 50, 64, 71, 74),
    pm25=(14, 12, 10, 9, 8, 9, 10, 9, 9, 10, 11, 13),
)

DELHI = City(
    name="New Delhi",
    timezone="Asia/Kolkata",
    share=0.35,
    mean_c=(14.0, 17.5, 23.0, 29.0, 33.0, 33.5, 32.0, 30.5, 29.5, 26.5, 20.5, 15.5),
    amplitude_c=(6.0, 6.5, 7.0, 8.0, 7.0, 5.5, 4.0, 3.5, 4.5, 6.5, 7.5, 7.5),
    humidity_pct=(74, 66, 56, 40, 40, 52, 71, 75, 68, 58, 60, 70),
    pm25=(185, 125, 90, 85, 78, 62, 40, 36, 44, 110, 205, 198),
)

SINGAPORE = City(
    name="Singapore",
    timezone="Asia/Singapore",
    share=0.25,
    mean_c=(26.8, 27.3, 27.8, 28.2, 28.6, 28.5, 28.2, 28.1, 28.0, 27.9, 27.2, 26.8),
    amplitude_c=(3.2, 3.5, 3.7, 3.6, 3.3, 3.1, 3.0, 3.1, 3.2, 3.4, 3.3, 3.1),
    humidity_pct=(83, 81, 82, 83, 82, 81, 81, 81, 81, 82, 85, 85),
    pm25=(12, 12, 13, 13, 14, 15, 15, 16, 18, 17, 13, 12),
)

CITIES = (MADRID, DELHI, SINGAPORE)
