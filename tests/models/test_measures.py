"""Measures against numbers worked out by hand."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from models import measures
from models.baselines import heat_index, partial_news2
from models.calibrate import platt
from models.snapshot import Snapshot


def _course(minutes: int = 1440 * 2, **changes: object) -> measures.Course:
    at = np.arange(0, minutes, 15)
    course = measures.Course(
        wearer=np.zeros(len(at), np.int64),
        minute=at,
        target=np.zeros(len(at), np.float32),
        event_wearer=np.array([0]),
        window_from=np.array([540]),
        onset=np.array([600]),
        window_to=np.array([660]),
        tick_min=15,
    )
    return dataclasses.replace(course, **changes)  # type: ignore[arg-type]


def _score(course: measures.Course, *minutes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.isin(course.minute, minutes).astype(np.float64)


def test_areas_agree_with_scikit_learn_ties_and_weights_included() -> None:
    chance = np.random.default_rng(0)
    y, score = chance.random(500) < 0.2, np.round(chance.normal(size=500) + 0.1, 1)
    weight = chance.integers(0, 4, 500).astype(np.float64)

    assert measures.auroc(y, score)[0] == pytest.approx(roc_auc_score(y, score))
    assert measures.auroc(y, score, weight[None])[0] == pytest.approx(roc_auc_score(y, score, sample_weight=weight))
    assert measures.auprc(y, score) == pytest.approx(average_precision_score(y, score))


def test_an_area_without_both_answers_is_not_a_number() -> None:
    assert np.isnan(measures.auroc(np.ones(3, np.bool_), np.arange(3.0))[0])
    assert np.isnan(measures.auprc(np.zeros(3, np.bool_), np.arange(3.0)))


def test_calibration_error_of_a_constant_is_its_distance_from_the_frequency() -> None:
    y = np.arange(1500) % 5 == 0

    assert measures.expected_calibration_error(y, np.full(1500, 0.5)) == pytest.approx(0.3)


def test_one_score_above_the_limit_is_no_alert_and_two_are_one() -> None:
    course = _course()

    assert len(measures.alert_starts(course, _score(course, 300) > 0)) == 0
    assert course.minute[measures.alert_starts(course, _score(course, 300, 315, 330) > 0)].tolist() == [315]
    assert len(measures.alert_starts(course, _score(course, 300, 345) > 0)) == 0


def test_an_alert_is_not_repeated_within_six_hours_of_its_last_pair() -> None:
    course = _course()

    pairs = _score(course, 0, 15, 300, 315, 690, 705) > 0

    assert course.minute[measures.alert_starts(course, pairs)].tolist() == [15, 705]


def test_an_alert_in_the_window_catches_with_its_lead_and_one_elsewhere_is_false() -> None:
    course = _course()

    done = measures.alarms(course, _score(course, 555, 570, 1200, 1215), 0.5)

    assert done.caught.tolist() == [True]
    assert done.lead_min.tolist() == [30.0]
    assert done.alerts_per_day == 1.0

    late = measures.alarms(course, _score(course, 645, 660), 0.5)
    assert late.caught.tolist() == [False]


def test_an_unworn_event_is_not_held_against_anybody() -> None:
    course = _course()
    worn = (course.minute < 540) | (course.minute >= 660)
    unworn = dataclasses.replace(
        course, wearer=course.wearer[worn], minute=course.minute[worn], target=course.target[worn]
    )

    assert course.eligible().tolist() == [True]
    assert unworn.eligible().tolist() == [False]


def test_chance_hits_are_the_share_of_time_that_the_window_covers() -> None:
    course = _course(1440 * 10)
    starts = measures.alert_starts(course, _score(course, 3000, 3015) > 0)

    rate = measures.chance_hit_rate(course, starts, np.array([True]), shifts=20_000, seed=1)

    assert rate == pytest.approx(120 / 14_400, abs=0.003)


def test_the_limit_is_the_lowest_within_the_budget_and_none_where_none_is() -> None:
    course = _course(1440 * 10)
    score = np.zeros(len(course.minute))
    for day, height in enumerate((0.9, 0.8, 0.7, 0.6, 0.5)):
        score[np.isin(course.minute, (day * 1440 + 1005, day * 1440 + 1020))] = height

    limit = measures.limit_within_budget(course, score, 0.2, lowest=0.2, highest=0.98)

    assert limit is not None
    assert measures.alarms(course, score, limit).false_per_day <= 0.2
    assert measures.alarms(course, score, limit - 0.11).false_per_day > 0.2
    assert measures.limit_within_budget(course, np.ones(len(score)), 0.05, lowest=0.2, highest=0.98) is None
    assert measures.limit_within_budget(course, score, -1.0, lowest=0.2, highest=0.98) is None


def test_bootstrap_draws_people_and_not_rows() -> None:
    drawn, place = measures.wearer_weights(np.array([7, 7, 7, 9]), replicates=50, seed=1)

    assert place.tolist() == [0, 0, 0, 1]
    assert (drawn.sum(axis=1) == 2).all()
    assert set(drawn[:, 0].tolist()) == {0.0, 1.0, 2.0}


def test_calibration_finds_the_line_that_made_the_labels() -> None:
    chance = np.random.default_rng(0)
    logit = chance.normal(0, 2, 40_000)
    y = (chance.random(40_000) < 1 / (1 + np.exp(-(0.5 * logit - 2)))).astype(np.float64)
    y[:5] = np.nan

    line = platt(logit, y)

    assert line is not None
    assert line == pytest.approx((0.5, -2.0), abs=0.1)


def test_a_score_that_points_the_wrong_way_is_not_turned_round() -> None:
    logit = np.linspace(-3, 3, 1000)

    assert platt(logit, (logit < 0).astype(np.float64)) is None
    assert platt(logit, np.zeros(1000)) is None


@pytest.mark.parametrize(
    ("pulse", "systolic", "points"), [(70, 120, 0), (40, 120, 3), (45, 100, 3), (91, 220, 4), (131, 90, 6), (0, 0, 0)]
)
def test_partial_news2_reproduces_hand_worked_cases(pulse: int, systolic: int, points: int) -> None:
    snapshot = Snapshot.empty(1)
    snapshot.as_of_minute[:] = 10_000
    snapshot.hr_median[:, -60:], snapshot.steps[:] = pulse, 0
    snapshot.bp_minute[:, 3] = 9_990 if systolic else 0
    snapshot.bp_systolic[:, 3] = systolic

    assert partial_news2(snapshot)[0] == points


def test_heat_index_is_steadmans() -> None:
    snapshot = Snapshot.empty(2)
    snapshot.weather_past[0, -1, :2] = [25.0, 50.0]

    felt = heat_index(snapshot)

    # 77 F, 50 %: (0.5 * (77 + 61 + 9 * 1.2 + 50 * 0.094) + 77) / 2 = 76.875 F
    assert felt[0] == pytest.approx((76.875 - 32) / 1.8, abs=1e-3)
    assert felt[1] == -99
