"""What time it is at each broker: measured with our own cuts, on a clock that the test turns."""

from monitor.stream.broker_clock import AHEAD_MS, MOST_SLACK_MS, SLACK_MS, BrokerClocks

TRUE_MS = 1_767_571_200_000


class Wall:
    """This machine's clock."""

    def __init__(self, now_ms: int = TRUE_MS) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms


def cut(clocks: BrokerClocks, broker: int, at_s: float, ahead_ms: int = 0, took_s: float = 0.004) -> int:
    """Let a broker acknowledge a cut, stamped half-way by a clock that is ahead; return the stamp."""
    stamp = TRUE_MS + round((at_s + took_s / 2) * 1000) + ahead_ms
    clocks.acknowledged(clocks.sent(broker, at_s), broker, stamp, at_s + took_s)
    return stamp


def test_of_one_broker_its_own_newest_stamp_is_known_and_nothing_is_guessed() -> None:
    clocks = BrokerClocks(Wall())
    assert clocks.known_ms(1) == 0
    assert clocks.known_ms(1) == 0
    first = cut(clocks, 1, 10.0)
    assert clocks.known_ms(1) == first
    assert clocks.known_ms(1) == first  # however much later it is asked
    assert cut(clocks, 1, 12.0) == clocks.known_ms(1)


def test_the_newest_stamp_of_another_broker_counts_less_what_may_lie_between_the_two_clocks() -> None:
    clocks = BrokerClocks(Wall())
    cut(clocks, 1, 10.0)
    cut(clocks, 2, 10.0, ahead_ms=300)
    newest = cut(clocks, 2, 11.0, ahead_ms=300)
    known = clocks.known_ms(1)
    truth = newest - 300
    assert truth - 10 <= known <= truth
    assert clocks.known_ms(2) == newest


def test_a_broker_of_which_nothing_is_known_is_taken_for_the_others() -> None:
    clocks = BrokerClocks(Wall())
    stamps = [cut(clocks, broker, 10.0, ahead_ms=ahead) for broker, ahead in ((1, 0), (2, 1), (3, 600_000))]
    assert clocks.known_ms(4) == sorted(stamps)[1] - SLACK_MS


def test_a_stamp_counts_as_three_seconds_ahead_of_the_middle_clock_at_most() -> None:
    clocks = BrokerClocks(Wall())
    assert clocks.cap_ms(10.0) == 0
    for broker, ahead in ((1, 0), (2, 600_000), (3, 2)):
        cut(clocks, broker, 10.0, ahead_ms=ahead)
    assert abs(clocks.cap_ms(20.0) - (TRUE_MS + 20_000 + AHEAD_MS)) < 10


def test_of_two_brokers_the_one_is_believed_that_is_nearer_to_this_machines_clock() -> None:
    for ours, right in ((TRUE_MS + 20_000, TRUE_MS), (TRUE_MS + 620_000, TRUE_MS + 600_000)):
        clocks = BrokerClocks(Wall(ours))
        cut(clocks, 1, 10.0)
        cut(clocks, 2, 10.0, ahead_ms=600_000)
        assert abs(clocks.cap_ms(20.0) - (right + 20_000 + AHEAD_MS)) < 10


def test_one_broker_is_the_time_whatever_this_machines_clock_says() -> None:
    clocks = BrokerClocks(Wall(TRUE_MS + 3_600_000))
    cut(clocks, 1, 10.0)
    assert abs(clocks.cap_ms(10.0) - (TRUE_MS + 10_000 + AHEAD_MS)) < 10


def test_a_clock_that_was_set_is_measured_anew() -> None:
    clocks = BrokerClocks(Wall())
    cut(clocks, 1, 10.0, ahead_ms=600_000)
    cut(clocks, 1, 11.0)
    assert abs(clocks.cap_ms(12.0) - (TRUE_MS + 12_000 + AHEAD_MS)) < 10
    cut(clocks, 1, 12.0, ahead_ms=600_000)
    assert abs(clocks.cap_ms(13.0) - (TRUE_MS + 613_000 + AHEAD_MS)) < 10


def test_what_is_stamped_and_not_yet_readable_is_as_old_as_the_slowest_acknowledgement_lately() -> None:
    clocks = BrokerClocks(Wall())
    cut(clocks, 1, 10.0, took_s=2.0)
    cut(clocks, 1, 13.0)
    assert clocks.slack_ms(1, 3, 14.0) == SLACK_MS + 2_000
    assert clocks.slack_ms(1, 1, 14.0) == SLACK_MS  # one copy is readable as soon as it is there
    assert clocks.slack_ms(1, 3, 30.0) == SLACK_MS
    assert clocks.slack_ms(None, 3, 14.0) == SLACK_MS


def test_a_cut_that_is_not_acknowledged_yet_counts_for_as_long_as_it_waits_but_not_for_ever() -> None:
    clocks = BrokerClocks(Wall())
    cut(clocks, 1, 10.0)
    sent = clocks.sent(1, 100.0)
    assert clocks.slack_ms(1, 3, 103.0) == SLACK_MS + 3_000
    assert clocks.slack_ms(1, 3, 200.0) == MOST_SLACK_MS
    clocks.given_up(sent)
    assert clocks.slack_ms(1, 3, 200.0) == SLACK_MS


def test_a_cut_that_another_leader_acknowledges_holds_time_back_no_longer_and_measures_nobody() -> None:
    clocks = BrokerClocks(Wall())
    before = cut(clocks, 1, 10.0)
    moved = clocks.sent(1, 100.0)  # broker 1 hands its leadership over meanwhile
    clocks.acknowledged(moved, 2, TRUE_MS + 700_000, 102.0)
    assert clocks.slack_ms(1, 3, 200.0) == clocks.slack_ms(2, 3, 200.0) == SLACK_MS
    assert clocks.known_ms(1) == before
    assert clocks.known_ms(2) == before - SLACK_MS


def test_a_late_acknowledgement_is_not_taken_for_that_of_a_newer_record() -> None:
    clocks = BrokerClocks(Wall())
    old = clocks.sent(1, 100.0)
    clocks.given_up(old)
    clocks.sent(1, 110.0)
    clocks.acknowledged(old, 1, TRUE_MS + 101_000, 111.0)
    assert clocks.slack_ms(1, 3, 130.0) == MOST_SLACK_MS  # the newer one still waits
