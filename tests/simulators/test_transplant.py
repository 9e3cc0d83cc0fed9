"""Episodes laid over recordings, against cases worked by hand."""

from typing import Any

import numpy as np
import pytest

from simulators.courses import Change, Episode, Form, ParameterSet, Span
from simulators.kinds import Kind
from simulators.parameters import load
from simulators.transplant import IN_MINUTES, Days, Minutes, change_over, over_days, over_minutes, reach, untold

DAY = 1440
NOON = 10 * DAY + 720
MIDDLE = (0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
ILL = Episode(Kind.INFECTION, 7 * DAY, Form.CLEAR, 0.5, MIDDLE)


def kinetics(minutes: int = 60, **change: float) -> ParameterSet:
    """Everything changes by a constant from the onset on for so many minutes, whatever the kind."""

    def course(_: Episode, minute: np.ndarray, hour: np.ndarray) -> Change:
        inside = (minute >= 0) & (minute < minutes)
        neutral = {"moves": 1.0, "hold_bpm": np.nan}
        made: dict[str, Any] = {
            name: np.where(inside, value, neutral.get(name, 0)).astype(bool if name == "still" else np.float32)
            for name, value in change.items()
        }
        return Change(**made)

    return ParameterSet("test", {Kind.INFECTION: course}, {Kind.INFECTION: Span(minutes, minutes)}, {})


def short(minutes: int = 60) -> Episode:
    return Episode(Kind.INFECTION, minutes, Form.CLEAR, 0.5, MIDDLE)


def recording(days: int = 1, bpm: float = 60.0, steps: float = 0.0, first: int = 10 * DAY) -> Minutes:
    return Minutes(first, np.full(days * DAY, bpm), np.full(days * DAY, steps))


def test_what_is_added_is_added_from_onset_to_end_and_nowhere_else() -> None:
    before = recording()
    after = over_minutes(before, kinetics(add_bpm=7.4), short(), NOON)
    changed = np.flatnonzero(after.bpm != before.bpm)
    assert (changed[0], changed[-1], len(changed)) == (720, 779, 60)
    assert set(after.bpm[changed]) == {67.0}  # devices tell whole beats
    assert before.bpm[720] == 60.0


def test_gaps_stay_gaps_and_no_new_ones_come() -> None:
    before = recording()
    before.bpm[730:740], before.steps[735] = np.nan, np.nan
    after = over_minutes(before, kinetics(add_bpm=7.0, moves=0.5, hold_bpm=130.0, still=1.0), short(), NOON)
    assert np.array_equal(np.isnan(after.bpm), np.isnan(before.bpm))
    assert np.array_equal(np.isnan(after.steps), np.isnan(before.steps))


def test_a_rate_that_no_device_tells_becomes_a_gap() -> None:
    after = over_minutes(recording(), kinetics(add_bpm=190.0), short(), NOON)
    assert np.isnan(after.bpm[720:780]).all()
    assert np.isnan(over_minutes(recording(), kinetics(hold_bpm=24.0), short(), NOON).bpm).sum() == 60


def test_asleep_are_the_minutes_of_the_night_without_steps() -> None:
    before = recording()
    before.steps[180:190] = 30
    after = over_minutes(before, kinetics(DAY, night_add_bpm=5.0), short(DAY), 10 * DAY)
    assert np.flatnonzero(after.bpm == 65).tolist() == [*range(180), *range(190, 420)]


def test_who_moves_less_has_less_of_the_rise_that_comes_with_moving() -> None:
    before = recording()
    before.steps[730:740], before.bpm[730:745] = 100, 100
    after = over_minutes(before, kinetics(moves=0.25), short(), NOON)
    assert set(after.steps[730:740]) == {25.0}
    assert set(after.bpm[730:745]) == {70.0}  # 60 at rest and a quarter of 40, up to five minutes after the last step
    still = over_minutes(before, kinetics(still=1.0), short(), NOON)
    assert (still.steps[720:780].max(), still.bpm[720:780].max()) == (0.0, 60.0)
    blunted = over_minutes(before, kinetics(blunt=0.5), short(), NOON)
    assert np.array_equal(blunted.steps, before.steps)
    assert set(blunted.bpm[730:745]) == {80.0}


def test_a_held_rate_keeps_the_noise_of_the_recording() -> None:
    before = recording()
    before.bpm[:] = 60 + np.tile([-2.0, 0.0, 0.0, 2.0], 360)
    after = over_minutes(before, kinetics(hold_bpm=130.0), short(), NOON)
    assert np.array_equal(after.bpm[720:780] - 130, before.bpm[720:780] - 60)


def test_without_steps_nothing_tells_effort_from_rest() -> None:
    before = Minutes(10 * DAY, np.full(DAY, 90.0), np.full(DAY, np.nan))
    after = over_minutes(before, kinetics(moves=0.1), short(), NOON)
    assert np.array_equal(after.bpm, before.bpm)
    assert np.isnan(after.steps).all()


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("kind", [Kind.INFECTION, Kind.BETA_BLOCKER_START, Kind.DETERIORATION, Kind.POOR_RECOVERY])
def test_outside_of_its_reach_no_episode_changes_a_bit(name: str, kind: Kind) -> None:
    rng = np.random.default_rng(7)
    before = Minutes(0, np.rint(65 + 6 * rng.standard_normal(60 * DAY)), rng.poisson(1.0, 60 * DAY).astype(float))
    episode = Episode(kind, 2 * DAY, Form.CLEAR, 0.7, MIDDLE)
    sets = load(name)
    begin, end = reach(sets, episode, 20 * DAY)
    after = over_minutes(before, sets, episode, 20 * DAY)
    for old, new in ((before.bpm, after.bpm), (before.steps, after.steps)):
        assert np.array_equal(old[:begin], new[:begin])
        assert np.array_equal(old[end:], new[end:])
    assert not np.array_equal(before.bpm, after.bpm)


def test_an_episode_beside_the_recording_changes_nothing() -> None:
    before = recording()
    assert over_minutes(before, kinetics(add_bpm=7.0), short(), 30 * DAY) is before
    empty = Minutes(0, np.zeros(0), np.zeros(0))
    assert over_minutes(empty, kinetics(add_bpm=7.0), short(), 0) is empty


def test_a_silent_infection_hardly_shows_and_a_clear_one_does() -> None:
    before = recording(30)
    for name in ("a", "b"):
        shown = []
        for form in Form:
            episode = Episode(Kind.INFECTION, 8 * DAY, form, 0.5, MIDDLE)
            after = over_minutes(before, load(name), episode, 20 * DAY)
            shown.append(float((after.bpm - before.bpm).max()))
        assert shown[0] <= 1 < shown[1] < 6 <= shown[2] + 1e-9


def test_what_a_recording_cannot_tell_is_named() -> None:
    fibrillation = Episode(Kind.ATRIAL_FIBRILLATION, 120, Form.CLEAR, 0.5, MIDDLE)
    change = change_over(load("a"), fibrillation, NOON, 10 * DAY, DAY)
    assert untold(change, IN_MINUTES) == ("irregular_cv",)


def days(count: int = 30) -> Days:
    columns = {"night_bpm": 55.0, "resting_bpm": 60.0, "steps": 8000.0, "active_min": 30.0, "sleep_min": 420.0}
    return Days(0, {name: np.full(count, value) for name, value in columns.items()} | {"other": np.arange(count * 1.0)})


def test_daily_columns_take_the_mean_of_their_hours() -> None:
    sets = kinetics(DAY, add_bpm=6.0, night_add_bpm=2.0, moves=0.5, sleep_min=30.0)
    before = days()
    before.columns["night_bpm"][12] = np.nan
    # from noon of day 10 to noon of day 11: half of day 10's hours, the night that ends on day 11
    after = over_days(before, sets, short(DAY), NOON).columns
    assert after["night_bpm"][[10, 11, 12]].tolist()[:2] == [55.0, 63.0]
    assert np.isnan(after["night_bpm"][12])
    assert after["resting_bpm"][[9, 10, 11, 12]].tolist() == [60.0, 63.0, 63.0, 60.0]
    assert after["steps"][10] == np.rint(8000 * (5 + 11 * 0.5) / 16)
    assert after["active_min"][[10, 12]].tolist() == [20.0, 30.0]  # 19.7
    assert after["sleep_min"][[10, 11, 12]].tolist() == [420.0, 450.0, 420.0]
    assert np.array_equal(after["other"], before.columns["other"])
    assert np.array_equal(before.columns["steps"], np.full(30, 8000.0))


def test_a_days_recording_with_nothing_known_stays_unknown() -> None:
    unknown = Days(0, {"night_bpm": np.full(40, np.nan), "steps": np.full(40, np.nan)})
    after = over_days(unknown, load("b"), ILL, 20 * DAY)
    assert all(np.isnan(values).all() for values in after.columns.values())
