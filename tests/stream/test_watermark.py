"""T is made of stamps in the log."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.watermark import Mark, watermark

marks = st.lists(
    st.builds(Mark, st.integers(0, 10_000), st.booleans(), st.integers(0, 10_000), st.booleans()),
    min_size=1,
    max_size=9,
)


def test_an_input_with_unread_records_holds_T_at_its_last_stamp() -> None:
    busy = Mark(500, at_end=False, empty_until_ms=9_000, tells_time=True)
    silent = Mark(0, at_end=True, empty_until_ms=9_000, tells_time=True)
    assert watermark(0, [busy, silent]) == 500


def test_an_input_at_its_end_is_complete_up_to_the_broker_time_known_when_the_fetch_was_sent() -> None:
    assert watermark(0, [Mark(500, at_end=True, empty_until_ms=9_000, tells_time=True)]) == 9_000


def test_an_input_never_seen_stops_the_clock() -> None:
    known = Mark(500, at_end=True, empty_until_ms=9_000, tells_time=True)
    assert watermark(100, [known, Mark(0, at_end=False, empty_until_ms=0, tells_time=True)]) == 100


def test_commands_and_scores_do_not_move_the_log_clock() -> None:
    vitals = Mark(500, at_end=True, empty_until_ms=500, tells_time=True)
    assert watermark(0, [vitals, Mark(9_999, at_end=True, empty_until_ms=0, tells_time=False)]) == 500


def test_the_log_clock_waits_for_an_input_that_lags() -> None:
    ahead = Mark(9_000, at_end=True, empty_until_ms=9_000, tells_time=True)
    assert watermark(0, [ahead, Mark(500, at_end=False, empty_until_ms=0, tells_time=True)]) == 500
    assert watermark(0, [ahead, Mark(500, at_end=True, empty_until_ms=9_000, tells_time=True)]) == 9_000


def test_the_log_clock_passes_an_input_at_its_end_only_up_to_what_was_known_when_its_end_was_looked_for() -> None:
    ahead = Mark(9_000, at_end=False, empty_until_ms=0, tells_time=True)
    assert watermark(0, [ahead, Mark(500, at_end=True, empty_until_ms=7_000, tells_time=True)]) == 7_000
    assert watermark(0, [ahead, Mark(8_000, at_end=True, empty_until_ms=7_000, tells_time=True)]) == 8_000


@given(st.integers(0, 10_000), marks)
def test_T_never_goes_back_and_never_passes_what_an_unfinished_input_may_still_bring(
    before: int, some: list[Mark]
) -> None:
    T = watermark(before, some)
    assert before <= T
    assert all(max(before, mark.last_ms) >= T for mark in some if not mark.at_end and mark.tells_time)
