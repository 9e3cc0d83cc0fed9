"""Heart rate and steps in their slots against dictionaries: late, doubled, cut in two, unordered, of many wearers."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.wearers.events import Samples
from monitor.wearers.fields import MINUTES
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.seconds import write_heart_rate
from monitor.wearers.slots import mark_reason, write_steps
from monitor.wearers.state import State
from tests.reference.slow_slots import BITS, SAID, Sample, SlowSlots

BEGIN_S = 1_767_571_200
HOUR_MS = 3_600_000
Envelope = tuple[int, int, list[Sample]]
"""Whose, received when (ms), and what."""
MANY = settings(max_examples=150, deadline=None, derandomize=True, database=None)


class Both:
    """Fast slots of a few wearers and their twins."""

    def __init__(self, wearers: int, gap_s: float = 0.0) -> None:
        self.state, self.late = State(rows=8), LateMinutes()
        for k in range(wearers):
            self.state.add(f"w{k}", 0)
        self.slow = [SlowSlots() for _ in range(wearers)]
        self.state.sample_gap_s[:wearers] = gap_s
        for one in self.slow:
            one.measure_gap(gap_s)

    def write(self, envelopes: Sequence[Envelope]) -> None:
        """Write envelopes at once, those of a wearer in their order; to the twins one by one."""
        envelopes = sorted(envelopes, key=lambda one: one[0])
        event = np.repeat(np.arange(len(envelopes)), [len(samples) for _, _, samples in envelopes])
        flat = [sample for _, _, samples in envelopes for sample in samples]
        write_heart_rate(
            self.state,
            self.late,
            np.array([row for row, _, _ in envelopes]),
            np.array([stamp for _, stamp, _ in envelopes]),
            self.state.sample_gap_s[[row for row, _, _ in envelopes]],
            event,
            Samples(np.array([s for s, _ in flat]), np.array([bpm for _, bpm in flat], np.int16)),
        )
        for row, stamp, samples in envelopes:
            self.slow[row].heart_rate(stamp, samples)

    def check(self, why: object = None) -> None:
        """Compare every byte of every minute, and the minutes that are put together late."""
        for row, slow in enumerate(self.slow):
            slots = self.state.minute_bytes()[row]
            assert self.state.head_minute[row] == slow.newest, why
            held = {m % MINUTES: m for m in range(max(slow.newest - MINUTES + 1, 0), slow.newest + 1)}
            fast = {held[int(at)]: slots[at].tobytes() for at in np.flatnonzero(slots.any(axis=1))}
            ours = {m: minute.as_bytes() for m, minute in slow.minutes.items() if any(minute.as_bytes())}
            assert fast == ours, why
        fast_late = {
            (int(self.late.row[at]), int(self.late.minute[at])): self.late.seconds[at].tolist()
            for at in self.late.of_rows(np.arange(len(self.slow)))
        }
        ours_late = {
            (row, m): [held.seconds.get(m * 60 + s, 0) for s in range(60)]
            for row, slow in enumerate(self.slow)
            for m, held in slow.late.items()
        }
        assert fast_late == ours_late, why


samples = st.lists(st.tuples(st.integers(0, 50 * 60), st.integers(20, 300)), min_size=1, max_size=40)
uploads = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0, 1000, HOUR_MS, 3 * HOUR_MS]), samples), min_size=1, max_size=12
)


@MANY
@given(uploads, st.sampled_from([0.0, 1.0, 7.5, 60.0]))
def test_any_envelopes_in_any_order_leave_the_minutes_of_the_twin(
    envelopes: list[tuple[int, int, list[Sample]]], gap_s: float
) -> None:
    both, stamp = Both(3, gap_s), BEGIN_S * 1000
    for row, pause_ms, offsets in envelopes:
        stamp += pause_ms
        both.write([(row, stamp, [(BEGIN_S + s, bpm) for s, bpm in offsets])])

    both.check()


def a_watchs_day(rng: random.Random, cadence_s: int) -> list[list[Sample]]:
    """Envelopes of a few hours, minutes cut in two between them, with gaps, some of them longer than the ring."""
    second, envelopes = BEGIN_S + rng.randrange(60), []
    while second < BEGIN_S + 5 * 3600:
        length = rng.choice([60, 60, 60, 45, 600, 1500]) // cadence_s + 1
        values = [(second + k * cadence_s, rng.choice([0, 22, 70, 71, 72, 130, 250])) for k in range(length)]
        envelopes.append([(s, bpm) for s, bpm in values if bpm and rng.random() < 0.97] or [(second, 70)])
        second += length * cadence_s + rng.choice([0, 0, 0, 0, 0, 0, 1, 30, 700, 3000])
    return envelopes


@pytest.mark.parametrize("seed", range(12))
def test_days_that_come_in_pieces_late_doubled_and_shuffled_leave_the_minutes_of_the_twin(seed: int) -> None:
    rng = random.Random(seed)
    cadence_s = rng.choice([1, 1, 3, 20])
    both = Both(3, float(cadence_s))
    queues = []
    for _ in range(3):
        queue = [e for e in a_watchs_day(rng, cadence_s) for _ in range(1 + (rng.random() < 0.2))]
        for _ in range(rng.randrange(6)):  # stretches that wait and come late, in another order
            at, n = rng.randrange(len(queue)), rng.randrange(1, 40)
            held = queue[at : at + n]
            rng.shuffle(held)
            queue[at : at + n] = []
            later = rng.randrange(at, len(queue) + 1)
            queue[later:later] = held
        queues.append(queue)
    stamp = BEGIN_S * 1000
    while any(queues):
        stamp += rng.choice([500, 60_000, 60_000, 60_000, 3 * HOUR_MS if rng.random() < 0.05 else 1000])
        now = [row for row in range(3) if queues[row] and rng.random() < 0.6]
        if now:
            both.write([(row, stamp, queues[row].pop(0)) for row in now])

    both.check(seed)
    assert len(both.late) > 10
    assert len(both.slow[0].minutes) > 60


@pytest.mark.parametrize("seed", range(12))
def test_streaks_of_envelopes_leave_the_minutes_of_the_twin(seed: int) -> None:
    """Hundreds of envelopes of a wearer in one write: live, late, doubled, shuffled, longer than the ring."""
    rng = random.Random(seed)
    cadence_s = rng.choice([1, 1, 3, 20])
    both, stamp = Both(3, float(cadence_s)), BEGIN_S * 1000
    days = [[e for e in a_watchs_day(rng, cadence_s) for _ in range(1 + (rng.random() < 0.3))] for _ in range(3)]
    if seed % 3 == 1:
        for day in days:
            rng.shuffle(day)
    while any(days):
        envelopes = []
        for row, day in enumerate(days):
            many = rng.choice([0, 1, 3, 40, 300])
            envelopes += [(row, stamp + k, envelope) for k, envelope in enumerate(day[:many])]
            day[:many] = []
        if envelopes:
            both.write(envelopes)
            both.check(seed)
        stamp += rng.choice([1000, 60_000, 3 * HOUR_MS])

    assert len(both.late) > 10


@pytest.mark.parametrize("order", ["oldest first", "newest first", "shuffled", "twice"])
def test_whole_minutes_end_as_if_all_their_samples_had_come_at_once(order: str) -> None:
    """Two hours in pieces of 50 s: the summaries are those of all samples of each minute, whatever the order."""
    rng = random.Random(5)
    second = [(BEGIN_S + s, rng.randint(40, 180)) for s in range(7200)]
    pieces = [second[at : at + 50] for at in range(0, 7200, 50)]
    if order == "newest first":
        pieces.reverse()
    if order in ("shuffled", "twice"):
        rng.shuffle(pieces)
    both, whole = Both(1, 1.0), SlowSlots()
    for k, piece in enumerate(pieces * (1 + (order == "twice"))):
        both.write([(0, BEGIN_S * 1000 + k * 1000, piece)])
    for minute in range(120):
        whole.heart_rate(0, second[minute * 60 : minute * 60 + 60])

    both.check()
    assert {m: one.as_bytes() for m, one in both.slow[0].minutes.items()} == {
        m: one.as_bytes() for m, one in whole.minutes.items()
    }


def test_ten_hours_in_one_envelope_equal_the_twin() -> None:
    rng = random.Random(1)
    both = Both(2, 1.0)
    at = sorted(rng.sample(range(36_000), 9_000))
    both.write([(1, BEGIN_S * 1000, [(BEGIN_S + 30_000, 60)])])
    rng.shuffle(at)

    both.write(
        [
            (0, BEGIN_S * 1000 + 1, [(BEGIN_S + s, rng.randint(20, 250)) for s in at]),
            (1, BEGIN_S * 1000 + 1, [(BEGIN_S + s, rng.randint(20, 250)) for s in at]),
        ]
    )

    both.check()


def test_after_more_than_a_day_the_last_24_hours_are_held_and_nothing_else() -> None:
    both = Both(1)
    for hour in (0, 12, 30, 29, 7):
        both.write([(0, (BEGIN_S + hour * 3600) * 1000, [(BEGIN_S + hour * 3600, 60 + hour)])])
        both.check(hour)

    assert sorted(minute.median for minute in both.slow[0].minutes.values() if minute.count) == [67, 72, 89, 90]


@MANY
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2000), st.lists(st.integers(0, 300), min_size=1, max_size=5), st.sampled_from([*SAID])
        ),
        min_size=1,
        max_size=10,
    )
)
def test_steps_and_what_the_device_says_equal_the_twin(envelopes: list[tuple[int, list[int], str]]) -> None:
    both, slow = Both(1), SlowSlots()
    both.slow = [slow]
    row, first_minute = np.zeros(1, np.int64), BEGIN_S // 60
    for start, steps, context in envelopes:
        minute = first_minute + start + np.arange(len(steps))
        write_steps(both.state, np.zeros(len(steps), np.int64), minute, np.array(steps, np.int16))
        slow.steps(zip(minute.tolist(), steps, strict=True))
        said = np.array([sum(BITS[mark] for mark in SAID[context])], np.uint8)
        mark_reason(both.state, row, minute[:1], said)
        slow.say(context, int(minute[0]), int(minute[0]))

    both.check()
