"""Weather: the printed charts of the NWS, air quality, and the forecast as issued."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.air_quality import US, day_mean, index, nowcast
from monitor.signals.cold import MPH, wind_chill_c
from monitor.signals.heat_index import heat_index_c
from monitor.signals.weather_change import HOUR_MS, change, next_day
from monitor.signals.why_not import WhyNot

# NWS heat index chart as on srh.noaa.gov/tsa/?n=heatindex: F by relative humidity from 40 % on, in steps of 5 %.
HEAT_CHART = """
110 136
108 130 137
106 124 130 137
104 119 124 131 137
102 114 119 124 130 137
100 109 114 118 124 129 136
98 105 109 113 117 123 128 134
96 101 104 108 112 116 121 126 132
94 97 100 103 106 110 114 119 124 129 135
92 94 96 99 101 105 108 112 116 121 126 131
90 91 93 95 97 100 103 106 109 113 117 122 127 132
88 88 89 91 93 95 98 100 103 106 110 113 117 121
86 85 87 88 89 91 93 95 97 100 102 105 108 112
84 83 84 85 86 88 89 90 92 94 96 98 100 103
82 81 82 83 84 84 85 86 88 89 90 91 93 95
80 80 80 81 81 82 82 83 84 84 85 86 86 87
"""
# NWS wind chill chart of 2001: F by wind of 5, 10, ... 60 mph.
WIND_MPH = range(5, 65, 5)
CHILL_CHART = """
40 36 34 32 30 29 28 28 27 26 26 25 25
35 31 27 25 24 23 22 21 20 19 19 18 17
30 25 21 19 17 16 15 14 13 12 12 11 10
25 19 15 13 11 9 8 7 6 5 4 4 3
20 13 9 6 4 3 1 0 -1 -2 -3 -3 -4
15 7 3 0 -2 -4 -5 -7 -8 -9 -10 -11 -11
10 1 -4 -7 -9 -11 -12 -14 -15 -16 -17 -18 -19
5 -5 -10 -13 -15 -17 -19 -21 -22 -23 -24 -25 -26
0 -11 -16 -19 -22 -24 -26 -27 -29 -30 -31 -32 -33
-5 -16 -22 -26 -29 -31 -33 -34 -36 -37 -38 -39 -40
-10 -22 -28 -32 -35 -37 -39 -41 -43 -44 -45 -46 -48
-15 -28 -35 -39 -42 -44 -46 -48 -50 -51 -52 -54 -55
-20 -34 -41 -45 -48 -51 -53 -55 -57 -58 -60 -61 -62
-25 -40 -47 -51 -55 -58 -60 -62 -64 -65 -67 -68 -69
-30 -46 -53 -58 -61 -64 -67 -69 -71 -72 -74 -75 -76
-35 -52 -59 -64 -68 -71 -73 -76 -78 -79 -81 -82 -84
-40 -57 -66 -71 -74 -78 -80 -82 -84 -86 -88 -89 -91
-45 -63 -72 -77 -81 -84 -87 -89 -91 -93 -95 -97 -98
"""
Floats = NDArray[np.float64]
hours = st.lists(st.one_of(st.just(math.nan), st.floats(-30, 45)), min_size=24, max_size=24)


def chart(text: str) -> tuple[Floats, Floats, Floats]:
    """Row heading, position in the row and value of every cell."""
    cells = [
        (float(row.split()[0]), k, float(value))
        for row in text.strip().splitlines()
        for k, value in enumerate(row.split()[1:])
    ]
    return tuple(np.array(column, float) for column in zip(*cells, strict=True))  # type: ignore[return-value]


def celsius(fahrenheit: Floats) -> Floats:
    return (fahrenheit - 32) / 1.8


def test_the_heat_index_meets_every_cell_of_the_nws_chart_to_a_whole_degree() -> None:
    """The printed chart is the regression without the correction for humid air, so that is taken off before.

    One cell (90 F, 45 %: 92.49) is printed one degree higher than it rounds to.
    """
    temperature, k, expected = chart(HEAT_CHART)
    humidity = 40 + 5 * k
    humid = (humidity > 85) & (temperature <= 87)
    correction = np.where(humid, (humidity - 85) / 10 * (87 - temperature) / 5, 0.0)

    got = heat_index_c(celsius(temperature), humidity) * 1.8 + 32 - correction
    away = np.abs(np.floor(got + 0.5) - expected)
    assert len(expected) == 135
    assert (away == 0).sum() == 134
    assert away.max() == 1


def test_both_corrections_of_the_heat_index_worked_by_hand() -> None:
    """Dry: 95 F and 10 %: less (13-10)/4 * sqrt(17/17) = 0.75. Humid: 82 F and 95 %: plus 10/10 * 5/5 = 1."""

    def regression(t: float, r: float) -> float:
        return (
            -42.379 + 2.04901523 * t + 10.14333127 * r - 0.22475541 * t * r - 6.83783e-3 * t**2 - 5.481717e-2 * r**2
            + 1.22874e-3 * t**2 * r + 8.5282e-4 * t * r**2 - 1.99e-6 * t**2 * r**2
        )  # fmt: skip

    got = heat_index_c(celsius(np.array([95.0, 82.0])), np.array([10.0, 95.0])) * 1.8 + 32
    np.testing.assert_allclose(got, [regression(95, 10) - 0.75, regression(82, 95) + 1])


def test_wind_chill_meets_every_cell_of_the_nws_chart() -> None:
    temperature, k, expected = chart(CHILL_CHART)
    wind = np.array(WIND_MPH)[k.astype(int)] / MPH

    got = wind_chill_c(celsius(temperature), wind) * 1.8 + 32
    assert len(expected) == 18 * 12
    assert (np.abs(got - expected) <= 0.5).all()


def test_wind_chill_ends_where_it_is_not_defined() -> None:
    calm, warm = wind_chill_c(np.array([-10.0, 10.1]), np.array([1.0, 5.0]))
    assert calm == -10.0
    assert math.isnan(warm)
    assert np.isnan(wind_chill_c(np.array([np.nan, -5.0, -5.0]), np.array([5.0, np.nan, -1.0]))).all()
    assert wind_chill_c(np.array([10.0]), np.array([5.0]))[0] < 10


@pytest.mark.parametrize("step", US)
def test_the_us_index_meets_both_ends_of_each_step(step: tuple[float, float, int, int]) -> None:
    low, high, first, last = step

    assert index(np.array([low, high, high + 0.09]), "us_2024").tolist() == [first, last, last]


def test_the_us_index_of_epas_worked_case_and_beyond_its_table() -> None:
    """(150 - 101) / (55.4 - 35.5) * (40.9 - 35.5) + 101 = 114.3, as python-aqi's manual has it too."""
    assert index(np.array([40.9, 325.4, 425.3]), "us_2024").tolist() == [114, 500, 699]


def test_the_chinese_index_meets_its_steps_rounds_up_and_ends_at_500() -> None:
    means = np.array([0.0, 35.0, 75.0, 115.0, 150.0, 250.0, 350.0, 500.0, 900.0, 35.1])

    assert index(means, "china_2012").tolist() == [0, 50, 100, 150, 200, 300, 400, 500, 500, 51]


def slow_nowcast(values: list[float]) -> float:
    """Newest last. The eight steps of EPA's fact sheet, one after the other."""
    known = [v for v in values if not math.isnan(v)]
    if sum(not math.isnan(v) for v in values[-3:]) < 2:
        return math.nan
    weight = max(1 - (max(known) - min(known)) / max(known), 0.5) if max(known) > 0 else 1.0
    pairs = [(v, weight**ago) for ago, v in enumerate(values[::-1]) if not math.isnan(v)]
    return sum(v * w for v, w in pairs) / sum(w for _, w in pairs)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(math.nan), st.just(0.0), st.floats(0, 500)), min_size=12, max_size=12))
def test_the_nowcast_equals_its_slow_twin(values: list[float]) -> None:
    np.testing.assert_allclose(nowcast(np.array([values])), [slow_nowcast(values)], atol=1e-9)


def test_too_few_hours_or_impossible_ones_are_no_mean_and_no_index() -> None:
    half = np.array([[8.0] * 17 + [np.nan] * 7, [8.0] * 18 + [-1.0] * 6])

    assert np.isnan(day_mean(half, "us_2024")).tolist() == [True, False]
    assert np.isnan(day_mean(half, "china_2012")).all()
    for standard in ("us_2024", "china_2012"):
        assert np.isnan(index(np.array([np.nan, -0.1]), standard)).all()


def test_a_change_of_weather_worked_by_hand() -> None:
    past = np.array([[10.0] * 12 + [20.0] * 12])

    found = change(past, np.full((1, 24), 5.0))
    assert found.coming.tolist() == [-10.0]
    assert found.daily_range.tolist() == [10.0]


@settings(max_examples=30, deadline=None)
@given(hours, hours)
def test_a_change_needs_18_hours_on_both_sides(past: list[float], coming: list[float]) -> None:
    found = change(np.array([past]), np.array([coming]))

    before, after = ([v for v in side if not math.isnan(v)] for side in (past, coming))
    if len(before) >= 18:
        assert found.daily_range[0] == max(before) - min(before)
    if len(before) >= 18 and len(after) >= 18:
        assert found.coming[0] == pytest.approx(sum(after) / len(after) - sum(before) / len(before))
    else:
        assert np.isnan(found.coming[0])
        assert found.why_not[0] in (WhyNot.NOTHING, WhyNot.TOO_FEW)


def test_the_forecast_is_read_as_issued_and_not_one_that_nobody_knew() -> None:
    now = 500_000 * HOUR_MS + 1234
    hour = np.arange(499_990, 500_040)[None]
    forecast = np.arange(50.0)[None]

    def read(issued_ms: int, at_ms: int = now) -> Floats:
        return next_day(forecast, hour, np.array([issued_ms]), np.array([at_ms]))

    assert read(now - HOUR_MS)[0].tolist() == list(np.arange(11.0, 35.0))
    assert np.isnan(read(now + 1)).all()
    assert np.isnan(read(now - 25 * HOUR_MS)).all()
    assert np.isnan(read(0)).all()


def test_hours_that_have_passed_change_no_bit_of_the_coming_day() -> None:
    now = np.array([500_000 * HOUR_MS])
    hour, issued = np.arange(499_990, 500_040)[None], now - HOUR_MS
    forecast = np.arange(50.0)[None]
    other = np.where(hour <= 500_000, 99.0, forecast)

    np.testing.assert_array_equal(next_day(forecast, hour, issued, now), next_day(other, hour, issued, now))


def test_nobody_and_nothing_have_defined_results() -> None:
    for n in (0, 2):
        nothing = np.full((n, 24), np.nan)
        assert np.isnan(change(nothing, nothing).coming).all()
        assert np.isnan(change(nothing, nothing).daily_range).all()
        assert np.isnan(nowcast(nothing[:, :12])).all()
        assert np.isnan(day_mean(nothing, "us_2024")).all()
        assert np.isnan(index(nothing[:, 0], "china_2012")).all()
        assert np.isnan(wind_chill_c(nothing[:, 0], nothing[:, 0])).all()
