import numpy as np
import pytest

from benchmarks.real_data.day_detectors import DETECTORS, burdens
from benchmarks.real_data.episodes import Burden, judged, targets
from benchmarks.real_data.people_days import WINDOW, PersonDays, windows
from monitor.alerting.day_evidence import day_evidence
from monitor.alerting.evidence import Evidence, Rule
from monitor.alerting.limits import Limits


def evidence(days: str) -> Evidence:
    """One letter a day: r raised, c cleared, n neither, x not assessable."""
    n = len(days)
    letters = np.array(list(days))
    return day_evidence(
        Rule.NIGHT_SIGNAL,
        raised=letters == "r",
        cleared=letters == "c",
        assessable=letters != "x",
        lacked=np.zeros(n, np.uint32),
        value=np.zeros(n),
        limit=np.zeros(n),
        samples=np.zeros(n, np.int64),
        day=np.arange(n),
        days_back=np.zeros(n, np.int64),
    )


@pytest.mark.parametrize(
    ("days", "episodes"), [("rr", 1), ("rcr", 2), ("rnr", 1), ("rxr", 1), ("rxcr", 2), ("ccc", 0), ("", 0)]
)
def test_an_episode_lasts_until_it_clears_whatever_lies_between(days: str, episodes: int) -> None:
    found = judged("x", evidence(days), np.zeros(len(days), np.int64))

    assert found.episodes == episodes
    assert found.days == sum(day != "x" for day in days)


def test_an_episode_of_one_person_is_none_of_the_next() -> None:
    assert judged("x", evidence("rr"), np.array([0, 1])).episodes == 2


def test_a_day_on_which_nobody_was_asked_counts_for_nothing() -> None:
    asked = np.array([False, True])

    found = judged("x", evidence("rc"), np.zeros(2, np.int64), asked)

    assert (found.days, found.episodes) == (1, 0)


def test_a_rate_of_fewer_than_a_hundred_days_is_not_established_even_if_nothing_was_raised() -> None:
    few, enough = Burden("x", 2, 99, 0), Burden("x", 2, 100, 0)

    assert few.verdict() == few.row()[-1] == "not established"
    assert not few.established
    assert enough.verdict() == "within"


def test_the_interval_is_the_exact_one_of_a_poisson_count() -> None:
    """Garwood's table: 3 events, 0.6187 to 8.7673; none, 0 to 3.6889."""
    assert Burden("x", 1, 1000, 3).interval() == pytest.approx((0.6187e-3, 8.7673e-3), rel=1e-4)
    assert Burden("x", 1, 1000, 0).interval() == pytest.approx((0.0, 3.6889e-3), rel=1e-4)


def test_targets_name_who_is_over_and_what_all_add_up_to() -> None:
    each, together = targets("Here", [Burden("A", 3, 1000, 30), Burden("B", 3, 1000, 5), Burden("C", 1, 50, 40)])

    assert (each.met, each.got) == (False, "A 0.0300")
    assert (together.met, together.got) == (True, "0.0350")


def test_without_a_rate_that_is_established_the_budget_is_neither_met_nor_missed() -> None:
    assert [one.met for one in targets("Here", [Burden("A", 3, 10, 3)])] == [None]


def test_windows_end_with_their_day_and_begin_with_days_that_are_missing() -> None:
    days = windows(
        [PersonDays("a", 100, {"steps": np.array([1.0, 2.0, 3.0])}), PersonDays("b", 7, {"steps": np.array([9.0])})]
    )

    assert days.person.tolist() == [0, 0, 0, 1]
    assert days.day.tolist() == [100, 101, 102, 7]
    assert days.at("steps").shape == days.before("steps").shape == (4, WINDOW)
    assert days.at("steps")[2, -3:].tolist() == [1.0, 2.0, 3.0]
    assert days.before("steps")[2, -2:].tolist() == [1.0, 2.0]
    assert np.isnan(days.before("steps")[0]).all()
    assert np.isnan(days.at("sleep_min")).all()


def test_every_daily_detector_takes_people_without_any_data() -> None:
    nothing = windows([PersonDays("a", 1, {"steps": np.full(40, np.nan)})])

    found = burdens(nothing, Limits())

    assert [one.name for one in found] == list(DETECTORS)
    assert all((one.days, one.episodes) == (0, 0) for one in found)


def test_a_detector_that_is_off_is_not_counted() -> None:
    nothing = windows([PersonDays("a", 1, {"steps": np.full(2, np.nan)})])

    names = [one.name for one in burdens(nothing, Limits(night_signal_on=False))]

    assert "NIGHT_SIGNAL" not in names
