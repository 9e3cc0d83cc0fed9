"""The scorecard against cases worked by hand."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from simulators import envelopes
from simulators.errors import TopicsMissing
from simulators.kinds import Kind
from simulators.scorecard import __main__ as command
from simulators.scorecard import drawing, journal, kafka_log, page, truth
from simulators.scorecard.alerts import Version, alarms, version
from simulators.scorecard.answers import RULES, WINDOWS, answering
from simulators.scorecard.matching import Standing, judged, met, window
from simulators.scorecard.measures import Rate, chance_hits, scorecard, share_interval
from simulators.scorecard.record import Alarm, Event, Record, wear
from stream_schemas import rfc3339, topics
from stream_schemas.alert import Advice, Alert, Trigger

DAY = 1440
HIGH, NIGHT, LOW = "HR_HIGH_REST", "NIGHT_SIGNAL", "HR_LOW"


def always(*wearers: str, days: int = 40) -> dict[str, np.ndarray]:
    return {wearer: np.array([[0, days * DAY]]) for wearer in wearers}


def record(events: list[Event], raised: list[Alarm], worn: dict[str, np.ndarray] | None = None) -> Record:
    return Record("case", events, raised, always("a", "b") if worn is None else worn)


FAST_A = Event("a", Kind.TACHYCARDIA_AT_REST, 1000, 1040, "clear")


def test_known_alarms_and_truth_give_known_figures() -> None:
    events = [
        FAST_A,
        Event("b", Kind.TACHYCARDIA_AT_REST, 2000, 2040, "mild"),
        Event("b", Kind.ALCOHOL, 20_000, 20_800, "mild"),
        Event("b", Kind.INFECTION, 30 * DAY, 36 * DAY, "clear"),
    ]
    raised = [
        Alarm("a", HIGH, 1010),  # answers, ten minutes after the onset
        Alarm("a", HIGH, 5000),  # nothing is the matter
        Alarm("b", NIGHT, 20_100),  # alcohol alone
        Alarm("b", NIGHT, 28 * DAY),  # answers two days ahead
        Alarm("b", LOW, 31 * DAY),  # ill, but HR_LOW is not there for that
        Alarm("b", "SLEEP_DEBT", 10 * DAY),  # truth knows nothing of it
        Alarm("a", "NO_DATA", 9000),
    ]
    card = scorecard(record(events, raised), shifts=200, draws=200)
    fast, ill = card.kinds[0], card.kinds[1]
    assert (fast.kind, fast.events, fast.found.eligible, fast.found.caught) == (Kind.TACHYCARDIA_AT_REST, 2, 2, 1)
    assert {form: (one.eligible, one.caught) for form, one in fast.by_form.items()} == {"mild": (1, 0), "clear": (1, 1)}
    assert fast.lead_min.tolist() == [-10]
    assert ill.lead_min.tolist() == [2 * DAY]
    assert ill.by_rule == {NIGHT: 1}
    assert [card.standing(one) for one in Standing] == [2, 1, 1, 1, 1, 1]
    assert card.worn_days == 80
    assert card.false.value == 2 / 80
    assert card.false_of_few == 0.5  # each of the two wearers has one
    assert card.load.value == 6 / 80
    assert card.ppv == 0.5
    assert card.load_p95 == pytest.approx(2 / 40 + 0.95 * (4 / 40 - 2 / 40))
    only = card.confounders[0]
    assert (only.kind, only.episodes, only.with_alarm, only.alarms) == (Kind.ALCOHOL, 1, 1, {NIGHT: 1})


@pytest.mark.parametrize(("raised", "found"), [(879, False), (880, True), (1190, True), (1191, False)])
def test_an_alarm_exactly_at_the_border_counts_and_a_minute_beyond_does_not(raised: int, found: bool) -> None:
    assert window(FAST_A) == (880, 1190)  # two hours before the onset, two and a half after the end
    one = met(record([FAST_A], [Alarm("a", HIGH, raised)]))[0]
    assert (one.first is not None) is found
    standing = judged(record([FAST_A], [Alarm("a", HIGH, raised)]))[0].standing
    assert standing == (Standing.ANSWER if found else Standing.FALSE)


def test_an_alarm_while_the_condition_lasts_is_not_false_though_it_comes_too_late_to_find_it() -> None:
    drug = Event("a", Kind.BETA_BLOCKER_START, 5 * DAY, 25 * DAY)
    case = record([drug], [Alarm("a", LOW, 20 * DAY)])
    assert met(case)[0].first is None
    assert judged(case)[0].standing == Standing.ANSWER


def test_an_alarm_of_another_wearer_or_another_rule_answers_nothing() -> None:
    assert met(record([FAST_A], [Alarm("b", HIGH, 1010), Alarm("a", LOW, 1010)]))[0].first is None


def test_an_event_that_was_worn_for_less_than_half_of_its_window_is_not_eligible() -> None:
    for worn_to, eligible in ((880 + 156, True), (880 + 155, False)):  # the window has 311 minutes
        case = record([FAST_A], [Alarm("a", HIGH, 960)], {"a": np.array([[0, worn_to]])})
        assert met(case)[0].eligible is eligible
        assert scorecard(case, shifts=10).kinds[0].found.eligible == eligible


def test_the_first_of_several_answers_gives_the_lead_and_each_rule_is_named() -> None:
    ill = Event("a", Kind.INFECTION, 20 * DAY, 26 * DAY)
    raised = [Alarm("a", "TREND_DEV", 21 * DAY), Alarm("a", NIGHT, 19 * DAY), Alarm("a", NIGHT, 22 * DAY)]
    one = met(record([ill], raised))[0]
    assert (one.first, one.rules) == (19 * DAY, (NIGHT, "TREND_DEV"))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**31))
def test_the_chance_rate_of_random_alarms_is_the_expected_one(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ill = Event("a", Kind.INFECTION, 15 * DAY, 20 * DAY)
    raised = [Alarm("a", NIGHT, int(at)) for at in rng.integers(0, 40 * DAY, count)]
    case = record([ill], raised)
    hits = chance_hits(case, Kind.INFECTION, met(case), rng, 4000)
    # every shift there is, one after the other
    begin, end = window(ill)
    moved = (np.array([one.raised for one in raised])[:, None] + np.arange(40 * DAY)) % (40 * DAY)
    expected = ((moved >= begin) & (moved <= end)).any(axis=0).mean()
    assert hits.mean() == pytest.approx(expected, abs=0.03)


def test_alarms_at_random_times_find_no_more_than_chance_does() -> None:
    rng = np.random.default_rng(3)
    names = [f"w{number}" for number in range(300)]
    ill = [Event(name, Kind.INFECTION, int(rng.integers(6, 32)) * DAY, 39 * DAY) for name in names]
    raised = [Alarm(name, NIGHT, int(at)) for name in names for at in rng.integers(0, 40 * DAY, 2)]
    found = scorecard(Record("random", ill, raised, always(*names)), shifts=300, draws=300).kinds[0].found
    # two alarms on 40 days, a window of 12: 1 - (1 - 0.3)^2
    assert found.chance == pytest.approx(0.51, abs=0.03)
    assert found.interval[0] < found.chance < found.interval[1]
    assert found.sensitivity < found.chance_high + 0.05


def test_who_had_no_alarm_and_who_was_never_worn_is_hit_by_no_chance() -> None:
    ill = [Event(name, Kind.INFECTION, 15 * DAY, 20 * DAY) for name in ("a", "c")]
    case = record(ill, [Alarm("c", NIGHT, 15 * DAY)])
    assert not chance_hits(case, Kind.INFECTION, met(case), np.random.default_rng(1), 50).any()


def test_the_bootstrap_draws_people_and_not_events() -> None:
    rng = np.random.default_rng(5)
    low, high = share_interval(np.array([[50.0, 50.0], [0.0, 50.0]]), rng, 500)  # two people, a hundred events
    assert (low, high) == (0.0, 1.0)
    assert share_interval(np.array([[9.0, 9.0]] * 4), rng, 500) == pytest.approx((0.3976, 1.0), abs=1e-3)
    assert share_interval(np.array([[0.0, 9.0]] * 4), rng, 500) == pytest.approx((0.0, 0.6024), abs=1e-3)
    assert all(math.isnan(bound) for bound in share_interval(np.zeros((3, 2)), rng, 500))


def test_copies_of_one_person_are_one_person() -> None:
    ill = [Event(f"p#{k}", Kind.INFECTION, 15 * DAY, 20 * DAY) for k in range(9)]
    case = Record("copies", ill, [], always(*(one.wearer for one in ill)), {one.wearer: "p" for one in ill})
    found = scorecard(case, shifts=5).kinds[0].found
    assert (found.eligible, found.people) == (9, 1)
    assert found.interval == pytest.approx((0.0, 0.975))


def test_rates_have_poisson_intervals() -> None:
    assert Rate(10, 1000.0).interval == pytest.approx((0.004795, 0.018390), abs=1e-5)
    assert math.isnan(Rate(0, 0.0).value)


def test_nothing_at_all_gives_a_card_without_figures() -> None:
    card = scorecard(Record("empty", [], [], {}), shifts=5)
    assert math.isnan(card.false.value)
    assert math.isnan(card.ppv)
    assert math.isnan(card.load_p95)
    assert page.tables(card) == []
    assert json.dumps(page.document(card), allow_nan=False)


def test_minutes_with_a_rate_become_times_of_wear_across_short_gaps() -> None:
    assert wear(np.array([30, 0, 10, 0])).tolist() == [[0, 11], [30, 31]]
    assert wear([]).shape == (0, 2)


def test_every_rule_and_kind_is_in_the_tables() -> None:
    assert set(WINDOWS) == set(Kind)
    answered = {kind for one in RULES.values() for kind in one.kinds}
    assert all(answering(kind) for kind in answered)


def test_every_rule_of_the_monitor_is_in_the_table() -> None:
    from monitor.alerting.evidence import Rule

    assert set(RULES) == {rule.name for rule in Rule}


def alert(alert_id: str, version: int, raised_min: int, rule: str = HIGH, wearer: str = "a") -> Alert:
    at = rfc3339.text(raised_min * 60_000)
    return Alert(
        alert_id=alert_id,
        version=version,
        wearer_id=wearer,
        team="north",
        kind="physiological",
        rule=rule,
        priority="low",
        condition="present",
        workflow="unacked",
        event_time=at,
        raised_at=at,
        updated_at=at,
        trigger=Trigger(metric="heart_rate", op=">=", unit="bpm", window_s=600.0, n_samples=10),
        text="A sentence.",
        advice=Advice(code="look", text="Look."),
        missing=(),
        unverified=False,
        late=False,
        flap_count=0,
        escalation_level=0,
    )


def test_versions_of_an_alert_are_one_alarm() -> None:
    told = [alert("x", 2, 1500), alert("x", 1, 1000), alert("y", 1, 2000)]
    assert alarms(map(version, told)) == [Alarm("a", HIGH, 1000), Alarm("a", HIGH, 2000)]


def test_a_condition_that_comes_back_calls_again_and_data_that_comes_back_does_not() -> None:
    course = ["present", "absent", "present", "unknown", "present", "absent"]
    told = [Version("a", "x", number, HIGH, now, 100, 100 + 10 * number) for number, now in enumerate(course, 1)]
    assert [one.raised for one in alarms(told)] == [100, 130]


def write(folder: Path, table: str, **columns: Sequence[object]) -> None:
    (folder / table).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / table / "0a1b2c3d-00000-1-0-9.parquet")


def a_journal(folder: Path) -> Path:
    minutes = list(range(3000))
    write(folder, "minutes", wearer_id=["a"] * 3000, minute=minutes, hr_count=[0 if m < 60 else 9 for m in minutes])
    write(
        folder,
        "alerts",
        wearer_id=["a", "a", "a"],
        alert_id=["x", "x", "y"],
        version=[1, 2, 1],
        rule=[HIGH] * 3,
        condition=["present", "unknown", "present"],
        raised_at_ms=[1010 * 60_000, 1010 * 60_000, 2500 * 60_000],
        stamp_ms=[1010 * 60_000, 1300 * 60_000, 2500 * 60_000],
        cut=[1, 2, 3],
    )
    write(
        folder,
        "labels",
        wearer_id=["a", "a"],
        outcome=["tachycardia_at_rest", "unknown"],
        onset_minute=[1000, 5],
        end_minute=[None, 9],
        severity=[0.9, None],
        silent=[False, None],
    )
    return folder


def test_a_journal_is_read(tmp_path: Path) -> None:
    found = journal.record(a_journal(tmp_path), "mixed", None)
    assert found.alarms == [Alarm("a", HIGH, 1010), Alarm("a", HIGH, 2500)]
    assert found.events == [Event("a", Kind.TACHYCARDIA_AT_REST, 1000, 3000, "clear")]  # nobody said that it ended
    assert found.worn["a"].tolist() == [[60, 3000]]
    assert found.unknown == {"unknown": 1}


def test_the_command_prints_tables_and_writes_report_and_pictures(tmp_path: Path) -> None:
    place, runner = str(a_journal(tmp_path / "j")), CliRunner()
    for name in ("r.json", "r.md"):
        done = runner.invoke(
            command.app,
            ["--scenario", "mixed", "--log", place, "--report", str(tmp_path / name), "--shifts", "20"],
        )
        assert done.exit_code == 0, done.output
    assert "1.00 (0.03-1.00)" in done.output
    card = json.loads((tmp_path / "r.json").read_text())[place]
    assert (card["kinds"][0]["caught"], card["alarms"][HIGH]) == (1, {"answer": 2})
    assert {path.name for path in tmp_path.glob("*.png")} == {"r-sensitivity.png", "r-lead.png", "r-load.png"}
    assert "| tachycardia_at_rest | 1 | 1 | 1 |" in (tmp_path / "r.md").read_text()


@pytest.mark.parametrize(
    ("without", "more", "says"),
    [
        ("minutes", [], "holds no minute with a heart rate"),
        ("labels", [], "holds no label of a known kind: name the simulator's truth file with --truth"),
        ("", ["--truth", "nowhere.json"], "nowhere.json is no truth file"),
        ("", ["--shifts", "0"], "--shifts"),
        ("", ["--against", "nowhere"], "nowhere is no folder"),
        ("", ["--scenario", "none"], "There is no scenario 'none'"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(tmp_path: Path, without: str, more: list[str], says: str) -> None:
    place = a_journal(tmp_path / "j")
    if without:
        (place / without / "0a1b2c3d-00000-1-0-9.parquet").unlink()
    asked = ["--scenario", "mixed", "--log", str(place), "--report", str(tmp_path / "r.md"), *more]
    done = CliRunner().invoke(command.app, asked)
    assert done.exit_code == 2
    assert says in done.output
    assert "Traceback" not in done.output


def test_a_journal_without_alerts_is_a_quiet_run_and_one_with_a_broken_file_is_none(tmp_path: Path) -> None:
    place = a_journal(tmp_path)
    file = place / "alerts" / "0a1b2c3d-00000-1-0-9.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(journal.JournalEmpty, match="cannot be read"):
        journal.record(place, "mixed", None)
    file.unlink()
    assert journal.record(place, "mixed", None).alarms == []


Keyed = tuple[bytes | None, bytes | None]


class Stored:
    """A log in memory."""

    def __init__(self, content: Mapping[str, list[Keyed]]) -> None:
        self.content = content

    def records(self, topic: str) -> Iterator[Keyed]:
        return iter(self.content.get(topic, []))


def messages(count: int) -> list[Keyed]:
    return [(b"a", envelopes.heart_rate("a", f"h{m}", m * 60_000, "0", [70])) for m in range(900, 900 + count)]


LABEL = msgspec.json.encode(
    {"wearer_id": "a", "outcome": "bradycardia", "onset": rfc3339.text(60_000_000), "end": rfc3339.text(61_800_000)}
)


def test_topics_are_read() -> None:
    log = Stored(
        {
            "alerts.north.v1": [(b"x", msgspec.json.encode(alert("x", 1, 1005, LOW)))],
            topics.HEART_RATE: [*messages(500), (b"a", b"{}")],
            topics.LABELS: [(b"a", LABEL)],
        }
    )
    found = kafka_log.record(log, ["north"], "mixed", None)
    assert found.events == [Event("a", Kind.BRADYCARDIA, 1000, 1030, "")]
    assert found.worn["a"].tolist() == [[900, 1400]]
    assert met(found)[0].first == 1005


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"alerts.north.v1": [(None, b'{"a":1}')]}, "no alert/1"),
        ({}, "holds no heart rate"),
        ({topics.HEART_RATE: messages(5), topics.LABELS: [(None, b"[]")]}, "no label/1"),
    ],
)
def test_topics_that_hold_something_else_are_refused(content: dict[str, list[Keyed]], says: str) -> None:
    with pytest.raises(TopicsMissing, match=says):
        kafka_log.record(Stored(content), ["north"], "mixed", None)


def test_topics_without_labels_need_a_truth_file(tmp_path: Path) -> None:
    log = Stored({topics.HEART_RATE: messages(5)})
    with pytest.raises(truth.TruthMissing, match="--truth"):
        kafka_log.record(log, ["north"], "mixed", None)
    file = tmp_path / "t.json"
    row = {"wearer": "a", "kind": "infection", "onset": rfc3339.text(0), "end": rfc3339.text(86_400_000)}
    file.write_text(json.dumps({"episodes": [row | {"form": "mild"}]}))
    assert kafka_log.record(log, ["north"], "mixed", truth.read(file)).events[0].form == "mild"
    file.write_text(json.dumps({"episodes": []}))
    with pytest.raises(truth.TruthMissing, match="nothing to compare"):
        truth.read(file)


def test_pictures_stay_small_and_say_where_nothing_was_eligible() -> None:
    ill = Event("a", Kind.INFECTION, 20 * DAY, 26 * DAY, "mild")
    cards = [
        scorecard(record([ill, FAST_A], [Alarm("a", NIGHT, 20 * DAY)]), shifts=5),
        scorecard(record([ill], [], {}), shifts=5),
    ]
    for card in cards:
        for png in drawing.pictures(card).values():
            assert png.startswith(b"\x89PNG")
            assert len(png) < 150_000
