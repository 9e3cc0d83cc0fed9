import numpy as np
import pytest

from benchmarks.real_data import two_sample
from benchmarks.real_data.people_minutes import DAY_MIN, PersonMinutes
from benchmarks.real_data.two_sample import FEATURES, Hours, correlation, describe, halves, hours, naive, tell_apart


def person(seed: int, days: int = 3) -> PersonMinutes:
    rng = np.random.default_rng(seed)
    minute = np.arange(days * DAY_MIN)
    steps = np.where(minute % 30 < 6, rng.integers(50, 110, len(minute)), 0).astype(np.float64)
    lag = np.concatenate([np.zeros(2), steps[:-2]])
    bpm = np.rint(60 + 0.3 * lag + rng.normal(0, 2, len(minute)))
    return PersonMinutes(f"p{seed}", 0, bpm, steps, np.full(days, np.nan))


def made_of(people: int, centre: float, seed: int) -> Hours:
    rng = np.random.default_rng(seed)
    return Hours(rng.normal(centre, 1, (people * 60, len(FEATURES))), np.repeat(np.arange(people), 60))


def test_groups_of_one_kind_cannot_be_told_apart_and_groups_far_apart_can() -> None:
    same = tell_apart(made_of(4, 0, 1), made_of(4, 0, 2), repeats=1)
    other = tell_apart(made_of(4, 0, 1), made_of(4, 3, 2), repeats=1)

    assert 0.35 < same.auroc < 0.65
    assert other.auroc > 0.95
    assert other.low <= other.auroc <= other.high


def test_one_person_in_a_group_is_too_few() -> None:
    assert np.isnan(tell_apart(made_of(1, 0, 1), made_of(4, 0, 2)).auroc)
    assert np.isnan(halves(made_of(3, 0, 1), 2).auroc)


def test_a_person_is_never_in_training_and_in_test_at_once() -> None:
    """People differ, groups do not: whoever knew the person would know the group."""
    rng = np.random.default_rng(0)
    own = rng.normal(0, 30, (8, 1, len(FEATURES)))
    features = (own + rng.normal(0, 0.1, (8, 60, len(FEATURES)))).reshape(-1, len(FEATURES))
    people = Hours(features, np.repeat(np.arange(8), 60))

    assert 0.1 < halves(people, 3).auroc < 0.9


def test_a_naive_simulation_keeps_what_it_is_made_of_and_loses_what_hangs_together() -> None:
    real = person(1, days=10)

    (copy,) = naive([real])

    assert np.nanmean(copy.bpm) == pytest.approx(np.nanmean(real.bpm), abs=2)
    assert np.nanstd(copy.bpm) == pytest.approx(np.nanstd(real.bpm), rel=0.2)
    together = [float(correlation(one.bpm[None, 2:], one.steps[None, :-2])[0]) for one in (real, copy)]
    assert together[0] > 0.8
    assert abs(together[1]) < 0.1


def test_hours_without_enough_known_minutes_and_people_without_enough_hours_are_left_out() -> None:
    whole, torn = person(1), person(2)
    torn.bpm[:] = np.where(np.arange(len(torn.bpm)) % 60 < 40, torn.bpm, np.nan)

    found = hours([torn, whole])

    assert found.people == 1
    assert np.unique(found.person).tolist() == [1]
    assert len(found.features) <= two_sample.MOST_WINDOWS


def test_what_is_not_defined_is_nan_and_nothing_warns() -> None:
    still, unknown = np.full((1, 60), 70.0), np.full((1, 60), np.nan)

    constant = describe(still, np.zeros((1, 60)))[0]

    assert np.isnan(constant[FEATURES.index("bpm with steps")])
    assert np.isnan(constant[FEATURES.index("autocorrelation 1 min")])
    assert constant[FEATURES.index("mean bpm")] == 70
    assert np.isnan(describe(unknown, unknown)[0, : len(two_sample.HEART_RATE)]).all()


def test_there_are_eighteen_features_and_every_modality_is_made_of_them() -> None:
    assert len(FEATURES) == len(set(FEATURES)) == 18
    assert all(set(names) <= set(FEATURES) for names in two_sample.MODALITIES.values())
