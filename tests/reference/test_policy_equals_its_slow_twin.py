"""The board under random findings, silences and people, version by version against a dictionary and ifs."""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.board import Board
from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.deciding.departures import Departures
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.state import State
from tests.reference.slow_policy import MINUTE_MS, SlowBoard, essence, found

BEGIN = 1_767_571_200_000
MANY = settings(max_examples=400, deadline=None, derandomize=True, database=None)
rules = st.sampled_from(["HR_HIGH_REST", "BP_SEVERE", "RISK_MODEL", "NO_DATA"])
findings = st.fixed_dictionaries(
    {
        "rule": rules,
        "says": st.sampled_from(["raised", "raised", "cleared", "cleared", "neither"]),
        "priority": st.sampled_from(["technical", "low", "medium", "high"]),
        "off_delay_ms": st.sampled_from([0, 0, 3 * MINUTE_MS]),
    }
)
steps = st.one_of(
    st.tuples(st.just("find"), findings),
    st.tuples(st.just("find"), findings),
    st.tuples(st.just("silence"), st.none()),
    st.tuples(st.just("escalate"), rules),
    st.tuples(
        st.sampled_from(["acknowledge", "acknowledge", "close"]),
        st.fixed_dictionaries(
            {"rule": rules, "unseen": st.integers(0, 2), "verdict": st.sampled_from([None, "unsure"])}
        ),
    ),
    st.tuples(st.just("erase"), st.none()),
)
histories = st.lists(st.tuples(st.integers(0, 3), steps), max_size=40)


class Both:
    """The board and its twin, told the same."""

    def __init__(self) -> None:
        self.state = State(rows=2)
        self.row = self.state.add("w1", 0)
        self.board = Board(self.state, ("north", "south"))
        self.departures = Departures(self.state, self.board, LateMinutes())
        self.slow = SlowBoard("w1")

    def find(self, what: dict[str, Any], stamp: int) -> None:
        self.board.find(
            self.row,
            Rule[what["rule"]],
            Finding(
                **{k: v for k, v in what.items() if k not in ("rule", "priority", "device_id", "missing")},
                rule=Rule[what["rule"]],
                priority=Priority[what["priority"].upper()],
                missing=tuple(what["missing"]),
            ),
            T_ms=stamp + 5,
            stamp_ms=stamp,
            device_id=what["device_id"],
        )
        self.slow.find(what, stamp)

    def command(self, action: str, rule: str, unseen: int, verdict: str | None, stamp: int) -> None:
        episode = self.board.episodes.get((self.row, Rule[rule]))
        alert_id, seen = ("nobody's", 0) if episode is None else (episode.alert_id, episode.version - unseen)
        known = self.board.of_alert(self.row, alert_id)
        if known is not None and action == "acknowledge":
            self.board.acknowledge(self.row, known[0], seen, "nurse", verdict, stamp)
        elif known is not None:
            self.board.close(self.row, known[0], "nurse", verdict, stamp)
        order = {"alert_id": alert_id, "action": action, "seen_version": seen, "actor": "nurse", "verdict": verdict}
        self.slow.command(order, stamp)

    def play(self, history: list[tuple[int, tuple[str, Any]]], *, received_after_ms: int) -> None:
        now = BEGIN
        for pause, (what, arguments) in history:
            now += pause * MINUTE_MS
            stamp = now + received_after_ms
            match what:
                case "find":
                    self.find(a_finding(now, **arguments), stamp)
                case "find older":
                    self.find(a_finding(now - 10 * MINUTE_MS, **arguments), stamp)
                case "silence":
                    self.board.silence(self.row, stamp)
                    self.slow.silence(stamp)
                case "escalate":
                    self.board.escalate(self.row, Rule[arguments], stamp)
                    self.slow.escalate(arguments, stamp)
                case "erase":
                    self.board.erase(self.row, stamp)
                    self.departures.erase(self.row, stamp)
                    self.slow.erase(stamp)
                case action:
                    self.command(action, **arguments, stamp=stamp)

    def told(self) -> list[dict[str, Any]]:
        return [essence(json.loads(msgspec.json.encode(one.alert))) for one in self.board.take()]


def a_finding(at_ms: int, *, rule: str, says: str, priority: str, off_delay_ms: int) -> dict[str, Any]:
    return found(
        rule,
        raised=says == "raised",
        cleared=says == "cleared",
        event_ms=at_ms,
        start_ms=at_ms - at_ms % (20 * MINUTE_MS),  # so that two episodes may begin at the same time
        priority=priority,
        metric="heart_rate",
        value=100 + at_ms / MINUTE_MS % 50,
        unit="bpm",
        op=">=",
        limit=120.0,
        window_s=600,
        samples=at_ms // MINUTE_MS % 600,
        off_delay_ms=off_delay_ms,
        unverified=priority == "low",
        late=priority == "technical",
        missing=["sleep"] if says == "raised" else [],
        quality=0.5 if rule == "HR_HIGH_REST" else None,
        device_id="cuff" if rule == "BP_SEVERE" else None,
    )


@MANY
@given(histories)
def test_every_version_is_the_one_that_dictionaries_and_ifs_tell(history: list[tuple[int, tuple[str, Any]]]) -> None:
    both = Both()

    both.play(history, received_after_ms=2000)

    assert both.told() == both.slow.told


@MANY
@given(histories)
def test_the_mirror_of_open_alerts_that_the_fast_path_reads_is_what_the_twin_holds(
    history: list[tuple[int, tuple[str, Any]]],
) -> None:
    both = Both()

    both.play(history, received_after_ms=2000)

    state, row = both.state, both.row
    for rule in Rule:
        alert = both.slow.alerts.get(rule.name)
        minute = 0 if alert is None else alert["found"]["event_ms"] // MINUTE_MS
        priority = Priority.TECHNICAL if alert is None else Priority[alert["found"]["priority"].upper()]
        assert bool(state.alert_open[row, rule]) == (alert is not None)
        assert (state.alert_minute[row, rule], state.alert_priority[row, rule]) == (minute, priority)


def a_history(rng: random.Random, length: int) -> list[tuple[int, tuple[str, Any]]]:
    """Mostly one rule, raised and cleared and seen by people again and again."""
    rule = rng.choice(["HR_HIGH_REST", "BP_SEVERE", "RISK_MODEL", "NO_DATA"])
    delay = 3 * MINUTE_MS if rule == "RISK_MODEL" else 0
    levels = {"RISK_MODEL": ["medium"], "NO_DATA": ["technical"]}.get(rule, ["low", "low", "medium", "high"])
    history: list[tuple[int, tuple[str, Any]]] = []
    for _ in range(length):
        what = rng.choices(
            ["find", "find older", "silence", "escalate", "acknowledge", "close", "erase"], [30, 5, 3, 2, 6, 3, 0.3]
        )[0]
        arguments: Any = None
        if what in ("find", "find older"):
            says = rng.choice(["raised", "raised", "cleared", "cleared", "neither"])
            arguments = {"rule": rule, "says": says, "priority": rng.choice(levels), "off_delay_ms": delay}
        elif what == "escalate":
            arguments = rule
        elif what in ("acknowledge", "close"):
            arguments = {"rule": rule, "unseen": rng.choice([0, 0, 0, 1]), "verdict": rng.choice([None, "unsure"])}
        history.append((rng.randint(0, 3), (what, arguments)))
    return history


@pytest.mark.parametrize("received_after_ms", [2000, 40 * MINUTE_MS])
def test_long_lives_of_one_alert_are_told_alike(received_after_ms: int) -> None:
    versions = 0
    for seed in range(400):
        both = Both()

        both.play(a_history(random.Random(seed), 60), received_after_ms=received_after_ms)

        told = both.told()
        assert told == both.slow.told, seed
        versions += len(told)
    assert versions > 400 * 5


def test_an_acknowledgement_hides_nothing_that_was_measured_before_it() -> None:
    both = Both()
    high = {"rule": "HR_HIGH_REST", "priority": "medium", "off_delay_ms": 0}
    seen = {"rule": "HR_HIGH_REST", "unseen": 0, "verdict": None}

    both.play(
        [(1, ("find", {**high, "says": "raised"})), (9, ("find", {**high, "says": "cleared"}))], received_after_ms=0
    )
    both.command("acknowledge", **seen, stamp=BEGIN + 60 * MINUTE_MS)  # type: ignore[arg-type]
    both.find(a_finding(BEGIN + 30 * MINUTE_MS, **high, says="raised"), BEGIN + 70 * MINUTE_MS)  # type: ignore[arg-type]

    assert both.told() == both.slow.told
