"""What the page of the scorecard is made of: pieces of recordings, their messages, with and without an episode."""

import numpy as np

from benchmarks.real_data.people_days import PersonDays
from benchmarks.scorecard import days, minutes
from benchmarks.scorecard.compared import compared, lookalikes
from benchmarks.scorecard.minutes import Source
from benchmarks.scorecard.thin import wrist
from benchmarks.scorecard.variants import AT_REST, DAILY, LOOKALIKES, Variant, variants
from monitor.alerting.evidence import Evidence, Rule
from monitor.alerting.limits import Limits
from simulators.courses import Form
from simulators.kinds import Kind
from simulators.transplant import Minutes
from stream_schemas import topics
from stream_schemas.decode import decode_batch

DAY = 1440


def evidence(raised: list[int], cleared: list[int]) -> Evidence:
    n = len(raised)
    return Evidence(
        Rule.NIGHT_SIGNAL,
        np.array(raised, bool),
        np.array(cleared, bool),
        np.ones(n, bool),
        np.ones(n, np.uint8),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, bool),
    )


def test_an_episode_opens_once_until_it_clears_and_anew_for_each_person() -> None:
    found = evidence([0, 1, 1, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0, 1, 0, 0])
    assert days.opened(found, np.array([0, 0, 0, 0, 0, 0, 0, 1])) == [1, 6, 7]


def test_onsets_have_nights_before_and_after_them() -> None:
    nights = np.full(60, 55.0)
    assert days.onset_days(nights, 99) == list(range(14, 53))
    assert days.onset_days(nights, 3) == [14, 33, 52]
    nights[30:40] = np.nan
    assert not {27, 30, 36}.intersection(days.onset_days(nights, 99))  # fewer than four of the seven after are known
    assert days.onset_days(np.full(60, np.nan), 9) == []


def test_a_watch_tells_every_minute_that_it_knows_and_no_other() -> None:
    bpm, steps = np.arange(60, 100, dtype=np.uint8), np.arange(40, dtype=np.uint8)
    bpm[[3, 17]], steps[[0, 16]] = 0, 255
    bpm[30:] = 0
    told = list(wrist("w", 30 * 1440, bpm, steps))
    found = {}
    for topic in (topics.HEART_RATE, topics.ACTIVITY):
        mine = [one for one in told if one[0] == topic]
        columns, refused = decode_batch(topic, [one[1] for one in mine], [one[2] for one in mine])
        assert not refused
        found[topic] = columns
    assert found[topics.HEART_RATE].bpm.tolist() == bpm[bpm > 0].tolist()  # type: ignore[union-attr]
    assert found[topics.ACTIVITY].steps.tolist() == steps[steps != 255].tolist()  # type: ignore[union-attr]
    assert all(stamp >= (30 * 1440 + 30) * 60_000 for *_, stamp in told)  # nothing before its last minute is over


def test_every_variant_can_be_drawn() -> None:
    rng = np.random.default_rng(1)
    made = variants((*DAILY, *AT_REST, *LOOKALIKES))
    assert len(made) == len(set(made)) > 30
    for one in made:
        span = one.kinetics.spans[one.kind]
        assert span.shortest_min <= one.episode(rng, 60.0).minutes <= span.longest_min


def test_the_engine_finds_a_fast_heart_at_rest_and_nothing_in_the_same_recording_without_it() -> None:
    rng = np.random.default_rng(2)
    bpm = np.rint(68 + 3 * rng.standard_normal(DAY))
    bpm[200:260] = np.nan
    source = Source("p", Minutes(400 * DAY, bpm, np.zeros(DAY)))
    fast = Variant("a", Kind.TACHYCARDIA_AT_REST, Form.CLEAR)
    found = minutes.copies([source], [fast], 1, 3, Limits())
    line = compared(found)[0]
    assert (line.touched.found.eligible, line.touched.found.caught, line.untouched.caught) == (1, 1, 0)
    assert line.touched.by_rule == {"HR_HIGH_REST": 1}
    assert (line.touched.lead_min < 0).all()
    assert (line.touched.lead_min > -30).all()


def test_a_person_without_nights_carries_no_episode_of_days() -> None:
    source = Source("p", Minutes(400 * DAY, np.full(20 * DAY, 60.0), np.full(20 * DAY, np.nan)))
    assert minutes.copies([source], [Variant("a", Kind.INFECTION, Form.CLEAR)], 2, 3, Limits()) == []


def test_days_with_a_clear_infection_raise_and_the_same_days_without_it_do_not() -> None:
    rng = np.random.default_rng(4)
    columns = {
        "night_bpm": np.round(55 + 0.8 * rng.standard_normal(60), 1),
        "resting_bpm": np.round(60 + 0.8 * rng.standard_normal(60), 1),
        "steps": np.rint(8000 + 900 * rng.standard_normal(60)),
        "active_min": np.full(60, 20.0),
        "sleep_min": np.rint(430 + 25 * rng.standard_normal(60)),
    }
    kinds = [Variant(name, Kind.INFECTION, Form.CLEAR) for name in ("a", "b")]
    found = compared(days.copies([PersonDays("p", 18_000, columns)], kinds, 4, 5, Limits()))
    for line in found:
        assert line.untouched.caught == 0
        assert line.touched.found.caught >= 3
        assert line.touched.found.people == 1
    alike = days.copies([PersonDays("p", 18_000, columns)], [Variant("a", Kind.ALCOHOL, Form.CLEAR)], 4, 5, Limits())
    assert lookalikes("t", alike).rows == [["alcohol", "clear", "A", 4, 0.0, 0.0]]
