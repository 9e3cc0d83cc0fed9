import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from simulators.courses import Change, Episode, Floats, Form
from simulators.kinds import TECHNICAL, Kind
from simulators.set_b import SET
from simulators.set_b.climate import CITIES
from simulators.set_b.devices import DEVICES

ROOT = Path(__file__).resolve().parents[2]
KINDS = [kind for kind in Kind if kind not in TECHNICAL]
DRAWS = [(x,) * 6 for x in (0.0, 0.1, 0.5, 0.999)] + [
    (0.05, 0.9, 0.2, 0.7, 0.35, 0.6),
    (0.8, 0.1, 0.95, 0.3, 0.99, 0.5),
]
NEUTRAL = {"moves": 1.0, "variability": 1.0, "slow_recovery": 1.0, "hold_bpm": np.nan, "irregular_cv": np.nan}
BOUNDS = {
    "add_bpm": (-52, 95),
    "night_add_bpm": (-5, 12),
    "hold_bpm": (30, 190),
    "blunt": (0, 0.8),
    "moves": (0, 4.5),
    "add_systolic_mmhg": (-60, 135),
    "add_diastolic_mmhg": (-40, 90),
    "irregular_cv": (0.14, 0.26),
    "variability": (0.4, 1.4),
    "slow_recovery": (0.7, 1.7),
    "outdoor_c": (0, 12),
    "outdoor_humidity_pct": (-15, 15),
    "shift_min": (-560, 560),
    "sleep_min": (-160, 100),
    "awakenings": (0, 6),
    "swing_bpm": (0, 20),
    "swing_s": (30, 90),
    "bias_bpm": (-8, 8),
}


def episode(
    kind: Kind, form: Form = Form.CLEAR, severity: float = 0.5, longest: bool = False, draw: int = 2
) -> Episode:
    span = SET.spans[kind]
    length = span.longest_min if longest else (span.shortest_min + span.longest_min) // 2
    return Episode(kind, length, form, severity, DRAWS[draw], female=True)


def times(of: Episode, margin: int = 300) -> tuple[np.ndarray, Floats]:
    """Minutes from before the reach to after it, thinned for the slow kinds; onset at 20:15."""
    span = SET.spans[of.kind]
    last = of.minutes + span.after_min
    step = max((last + span.before_min) // 1500, 1)
    edges = [-span.before_min - 1, -span.before_min, 0, of.minutes - 1, of.minutes, last - 1, last, last + 1]
    minutes = np.unique(np.concatenate([np.arange(-span.before_min - margin, last + margin, step), edges]))
    return minutes, ((minutes + 1215) % 1440 / 60).astype(np.float32)


def course(of: Episode) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    minutes, hour = times(of)
    change = SET.courses[of.kind](of, minutes, hour)
    return minutes, {f.name: getattr(change, f.name) for f in fields(Change) if getattr(change, f.name) is not None}


def every_episode(kind: Kind) -> list[Episode]:
    return [
        replace(episode(kind, form, severity, longest, draw), resting_bpm=resting, systolic_mmhg=systolic)
        for form in Form
        for severity, longest, resting, systolic in (
            (0.0, False, 48.0, 104.0),
            (0.5, True, 65.0, 122.0),
            (1.0, False, 84.0, 152.0),
        )
        for draw in range(len(DRAWS))
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.outcome)
class TestEveryKind:
    def test_has_a_course_a_span_and_shares_that_add_up(self, kind: Kind) -> None:
        span = SET.spans[kind]

        assert callable(SET.courses[kind])
        assert 0 < span.shortest_min <= span.longest_min
        assert span.before_min >= 0
        assert span.after_min >= 0
        assert sum(SET.form_shares[kind]) == pytest.approx(1)

    def test_is_exactly_neutral_outside_of_its_reach(self, kind: Kind) -> None:
        span = SET.spans[kind]
        for of in every_episode(kind):
            minutes, change = course(of)
            outside = (minutes < -span.before_min) | (minutes >= of.minutes + span.after_min)
            for name, values in change.items():
                if name != "swing_s":  # a period means nothing where the swing is zero
                    neutral = NEUTRAL.get(name, 0.0)
                    assert np.array_equal(values[outside], np.full(outside.sum(), neutral), equal_nan=True), name

    def test_is_float32_finite_and_within_sane_bounds(self, kind: Kind) -> None:
        for of in every_episode(kind):
            minutes, change = course(of)
            for name, values in change.items():
                low, high = BOUNDS[name]
                assert values.shape == minutes.shape, name
                assert values.dtype == np.float32, name
                known = values[~np.isnan(values)]
                assert known.size == values.size or name in ("hold_bpm", "irregular_cv"), name
                assert not known.size or (known.min() >= low and known.max() <= high), (name, known.min(), known.max())

    def test_moves_the_rate_by_less_than_1_bpm_when_silent(self, kind: Kind) -> None:
        for of in every_episode(kind):
            if of.form is Form.SILENT:
                _, change = course(of)
                nothing = np.zeros(1, np.float32)
                awake, night = change.get("add_bpm", nothing), change.get("night_add_bpm", nothing)
                assert np.abs(awake).max() < 1
                assert np.abs(awake + night).max() < 1
                assert np.abs(change.get("swing_bpm", nothing)).max() < 1
                assert np.abs(change.get("bias_bpm", nothing)).max() < 1
                assert np.isnan(change.get("hold_bpm", np.full(1, np.nan))).all()

    def test_gives_the_same_bits_whole_or_in_pieces(self, kind: Kind) -> None:
        of = episode(kind, draw=4)
        minutes, hour = times(of)
        whole, again = (SET.courses[kind](of, minutes, hour) for _ in range(2))
        pieces = [SET.courses[kind](of, minutes[cut], hour[cut]) for cut in (slice(0, 1024), slice(1024, None))]
        for f in fields(Change):
            values = getattr(whole, f.name)
            if values is not None:
                assert values.tobytes() == getattr(again, f.name).tobytes()
                # Vector and scalar code of the C library may differ in the last bit where a piece ends.
                joined = np.concatenate([getattr(piece, f.name) for piece in pieces])
                np.testing.assert_allclose(joined, values, rtol=1e-5, atol=1e-5)

    def test_answers_no_minutes_with_no_minutes(self, kind: Kind) -> None:
        change = SET.courses[kind](episode(kind), np.zeros(0, np.int64), np.zeros(0, np.float32))

        assert all(getattr(change, f.name) is None or getattr(change, f.name).shape == (0,) for f in fields(Change))


GROWING: dict[Kind, tuple[str, Callable[[np.ndarray], float]]] = {
    Kind.TACHYCARDIA_AT_REST: ("add_bpm", np.max),
    Kind.BRADYCARDIA: ("add_bpm", lambda x: -np.min(x)),
    Kind.ATRIAL_FIBRILLATION: ("irregular_cv", np.nanmax),
    Kind.HYPERTENSIVE_CRISIS: ("add_systolic_mmhg", np.max),
    Kind.HYPOTENSION: ("add_systolic_mmhg", lambda x: -np.min(x)),
    Kind.INFECTION: ("add_bpm", np.max),
    Kind.VACCINATION: ("add_bpm", np.max),
    Kind.HEAT_STRAIN: ("add_bpm", np.max),
    Kind.HEAT_WAVE: ("add_bpm", np.max),
    Kind.DEHYDRATION: ("add_bpm", np.max),
    Kind.SLEEP_APNOEA: ("swing_bpm", np.max),
    Kind.POOR_RECOVERY: ("night_add_bpm", np.max),
    Kind.TRAVEL: ("shift_min", lambda x: np.abs(x).max()),
    Kind.BETA_BLOCKER_START: ("add_bpm", lambda x: -np.min(x)),
    Kind.ALCOHOL: ("night_add_bpm", np.max),
    Kind.DETERIORATION: ("add_bpm", np.max),
    Kind.OVERTRAINING: ("night_add_bpm", np.max),
    Kind.LATE_EXERCISE: ("night_add_bpm", np.max),
    Kind.STRESS: ("add_bpm", np.max),
    Kind.MENSTRUAL_PHASE: ("add_bpm", np.max),
    Kind.NEW_DEVICE: ("bias_bpm", lambda x: np.abs(x).max()),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.outcome)
def test_more_severe_is_more_and_clear_is_more_than_mild_is_more_than_silent(kind: Kind) -> None:
    name, amount = GROWING[kind]
    steps = [(form, severity) for form in Form for severity in (0.0, 0.5, 1.0)]
    amounts = [float(amount(course(episode(kind, form, severity))[1][name])) for form, severity in steps]

    assert amounts == sorted(amounts), list(zip(steps, amounts, strict=True))
    assert amounts[-1] > amounts[3]


def test_only_kinds_that_show_by_definition_have_no_silent_form() -> None:
    loud = {kind for kind in KINDS if SET.form_shares[kind][0] == 0}

    assert loud == {Kind.TACHYCARDIA_AT_REST, Kind.BRADYCARDIA, Kind.HYPERTENSIVE_CRISIS}


def test_an_infection_rises_before_its_symptoms_dips_about_day_13_and_rises_again_about_day_28() -> None:
    of = replace(episode(Kind.INFECTION), minutes=7 * 1440, draws=(0.5, 0.5, 0.5, 0.5, 0.99, 0.99))
    minutes = np.arange(-5 * 1440, 80 * 1440, 60)
    change = SET.courses[Kind.INFECTION](of, minutes, np.full(minutes.size, 12, np.float32))
    assert change.add_bpm is not None
    day = {d: change.add_bpm[np.flatnonzero(minutes == d * 1440)[0]] for d in (-1, 2, 13, 26, 70)}

    assert day[-1] > 1
    assert day[2] > 6
    assert day[13] < -1
    assert day[26] > 1
    assert abs(day[70]) < 0.1


def test_a_clock_moves_by_57_minutes_a_day_east_and_92_west() -> None:
    hour = np.zeros(2, np.float32)
    for draw, speed, sign in ((0.0, 57, 1), (0.999, 92, -1)):
        of = replace(episode(Kind.TRAVEL, severity=1.0), minutes=8 * 1440, draws=(draw, 0.5, 0.5, 0.5, 0.5, 0.5))
        shift = SET.courses[Kind.TRAVEL](of, np.array([0, 1440]), hour).shift_min
        assert shift is not None
        assert shift[0] == pytest.approx(sign * 540)
        assert abs(shift[0] - shift[1]) == pytest.approx(speed, abs=1)


def test_a_beta_blocker_lowers_rate_and_pressure_as_published_in_the_mean_of_the_clear() -> None:
    of = episode(Kind.BETA_BLOCKER_START)
    minutes, change = course(of)
    steady = (minutes > 20 * 1440) & (minutes < of.minutes)

    assert change["add_bpm"][steady].mean() == pytest.approx(-11, abs=1.5)
    assert change["add_systolic_mmhg"][steady].mean() == pytest.approx(-10, abs=1.5)
    assert change["add_diastolic_mmhg"][steady].mean() == pytest.approx(-8, abs=1.5)


def test_the_luteal_phase_is_none_of_men() -> None:
    of = replace(episode(Kind.MENSTRUAL_PHASE), female=False)

    assert SET.courses[of.kind](of, np.arange(9), np.zeros(9, np.float32)) == Change()


def test_devices_and_cities_are_plausible_and_not_set_as() -> None:
    assert sum(device.share for device in DEVICES) == pytest.approx(1)
    assert sum(city.share for city in CITIES) == pytest.approx(1)
    assert {city.name for city in CITIES}.isdisjoint({"Shanghai", "Berlin", "New York"})
    for device in DEVICES:
        assert 1 <= device.cadence_s * device.samples_a_message <= 3600
        assert 0 <= device.artefact_share + device.cadence_lock_share + device.frozen_share < 0.2
    for city in CITIES:
        assert all(-10 < c < 40 for c in city.mean_c)
        assert all(20 < pct < 95 for pct in city.humidity_pct)
        assert all(0 < dust < 300 for dust in city.pm25)


def test_the_set_is_frozen() -> None:
    """Write the new hash and date only before the first training whose report uses set B; after it, never."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "simulators" / "set_b").rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())

    assert (ROOT / "docs" / "set-b.sha256").read_text().split()[0] == digest.hexdigest()
