"""The simulator's figure is of wearer-days a second."""

from benchmarks.simulated_days import SimulatedDays


def test_the_simulator_is_timed_in_wearer_days_a_second() -> None:
    measured = SimulatedDays(wearers=3, days=1)
    measured.prepare()
    measured.round()
    measured.round()
    (figure,) = measured.figures()
    assert (figure.name, figure.unit) == ("simulator", "wearer-days/s")
    assert len(figure.rounds) == 2
    assert figure.value > 1
