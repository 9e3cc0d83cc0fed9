"""What runs through the events of a row is what a loop over them says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.wearers.streaks import Streaks

event = st.tuples(st.integers(0, 3), st.integers(-5, 60), st.booleans())


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(event, max_size=40))
def test_streaks_say_of_every_event_what_a_loop_says(events: list[tuple[int, int, bool]]) -> None:
    events = sorted(events, key=lambda one: one[0])
    row, value, flag = (np.array([one[i] for one in events], np.int64) for i in range(3))
    streaks = Streaks.of(row)
    before = streaks.before(value, row + 100)
    highest, lowest, latest = streaks.highest(value), streaks.lowest(value), streaks.latest(flag > 0)

    for i, (of_row, _, _) in enumerate(events):
        so_far = [k for k in range(i + 1) if events[k][0] == of_row]
        values = [events[k][1] for k in so_far]
        assert streaks.first[i] == (len(so_far) == 1)
        assert streaks.last[i] == (i + 1 == len(events) or events[i + 1][0] != of_row)
        assert streaks.begin[i] == so_far[0]
        assert (highest[i], lowest[i]) == (max(values), min(values))
        assert latest[i] == max((k for k in so_far if events[k][2]), default=-1)
        assert before[i] == (values[-2] if len(values) > 1 else of_row + 100)
    assert streaks.longest == max((sum(one[0] == r for one in events) for r in range(4)), default=0)
