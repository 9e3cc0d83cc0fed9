"""What a person sees, as text: everything fits, nothing is said by colour alone, nothing unknown looks like zero."""

import dataclasses
from io import StringIO

import pytest
from rich.console import Console

from monitor.console.frame import AlertLine, Frame, OpenAlerts, TopicLine, WorkerStatus, worst_first
from monitor.console.view import line, view
from monitor.console.wording import against_limit, state
from stream_schemas.topics import INPUTS

T_MS = 1_767_580_000_000
CRISIS = AlertLine(
    alert_id="a1",
    version=1,
    wearer_id="w-00017",
    team="north",
    kind="physiological",
    rule="BP_SEVERE",
    priority="high",
    condition="present",
    workflow="unacked",
    event_time_ms=T_MS - 180_000,
    raised_at_ms=T_MS - 175_000,
    metric="systolic",
    value=224.0,
    limit=180.0,
    op=">=",
    unit="mmHg",
)
SEEN = dataclasses.replace(CRISIS, alert_id="a2", wearer_id="w-2", priority="medium", workflow="acked")
SILENT = dataclasses.replace(
    CRISIS, alert_id="a3", wearer_id="w-3", rule="NO_DATA", priority="technical", metric="silence", value=4300.0,
    limit=240.0, unit="s", kind="technical",
)  # fmt: skip
WORKER = WorkerStatus(
    worker_id="worker-1",
    age_s=0.4,
    dead_letters={"future": 2, "malformed_json": 17},
    T_ms=T_MS,
    lag_records=12,
    scores=1234,
    model_version="3f2a9c1b77de",
    device="cpu",
    rss_mib=612.0,
)


def frame(*alerts: AlertLine, **changes: object) -> Frame:
    topics = [TopicLine(topic, 1000 * number, 10.0 * number) for number, topic in enumerate(INPUTS)]
    lines = worst_first(alerts)
    made = Frame(T_MS, True, 60.2, topics, OpenAlerts(lines, len(lines)), 0.1, [WORKER])
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def shown(what: Frame, width: int = 80, height: int = 24) -> str:
    console = Console(record=True, width=width, height=height, highlight=False, file=StringIO())
    console.print(view(what, width=width, height=height))
    return console.export_text(styles=False)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 50)])
@pytest.mark.parametrize("alerts", [0, 1, 13, 400])
@pytest.mark.parametrize("notices", [0, 5])
def test_a_frame_fills_the_terminal_exactly(width: int, height: int, alerts: int, notices: int) -> None:
    many = [dataclasses.replace(CRISIS, alert_id=f"a{number}") for number in range(alerts)]

    text = shown(frame(*many, notices=["Something is wrong. " * 9] * notices), width, height)

    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_an_alert_says_who_what_against_which_limit_since_when_and_that_it_is_new() -> None:
    (row,) = [text for text in shown(frame(CRISIS)).splitlines() if "w-00017" in text]

    for word in ("*** HIGH", "BP_SEVERE", "systolic 224 ≥ 180 mmHg", "3 min", "NEW"):
        assert word in row


def test_an_id_that_is_too_long_keeps_its_end() -> None:
    text = shown(frame(dataclasses.replace(CRISIS, wearer_id="northern-ward-00017")))

    assert "no…d-00017" in text


def test_priorities_have_a_word_and_a_mark_of_their_own() -> None:
    text = shown(frame())

    for words in (" *** HIGH", " **  MEDIUM", " *   LOW", " -   TECHN."):
        assert words in text


def test_the_worst_comes_first_and_what_nobody_has_seen_before_the_rest() -> None:
    newer = dataclasses.replace(SEEN, alert_id="a4", workflow="unacked", raised_at_ms=T_MS)

    order = [alert.alert_id for alert in worst_first([SILENT, SEEN, newer, CRISIS])]

    assert order == ["a1", "a4", "a2", "a3"]


def test_what_does_not_fit_is_counted_by_priority() -> None:
    many = [dataclasses.replace(CRISIS, alert_id=f"a{number}") for number in range(30)] + [SILENT]

    text = shown(frame(*many))

    assert "and 21 more open: 20 high, 1 technical" in text


def test_unknown_is_a_question_mark_and_not_zero() -> None:
    text = shown(frame(alerts=None, workers=[], T_ms=None, notices=["Redis does not answer."]))

    assert "open alerts are not known" in text
    assert "dead letters ?" in text
    assert "No open alerts" not in text


def test_stale_data_is_marked_in_words() -> None:
    assert "UP TO DATE" in shown(frame())
    stale = shown(frame(notices=["STALE: worker-1 has said nothing for 12 s; its figures are old."]))
    assert "STALE, see below" in stale
    assert "! STALE: worker-1 has said nothing for 12 s" in stale
    assert "UP TO DATE" not in stale


def test_model_device_lag_and_dead_letters_by_reason_are_there() -> None:
    text = shown(frame())

    for words in ("model 3f2a9c1b77de on cpu", "1,234 scores", "12 not read yet", "dead letters 19: malformed_json 17"):
        assert words in text


def test_without_a_model_the_view_says_so() -> None:
    bare = dataclasses.replace(WORKER, model_version=None, device=None)

    assert "no model: limits only" in shown(frame(workers=[bare]))


def test_the_plain_line_counts_and_names_nobody() -> None:
    text = line(frame(CRISIS, SILENT))

    assert "open 2: 1 high, 0 medium, 0 low, 1 technical" in text
    assert "w-00017" not in text
    assert "224" not in text


def test_silence_is_said_as_a_time() -> None:
    assert against_limit(SILENT) == "silent 1 h 11 ≥ 4 min"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "NEW"),
        ({"unverified": True}, "NEW, unconf."),
        ({"workflow": "acked", "condition": "clearing"}, "seen, easing"),
        ({"condition": "absent"}, "NEW, passed"),
        ({"condition": "unknown", "escalation_level": 2}, "NEW L2, no data"),
    ],
)
def test_the_state_is_said_in_few_words(changes: dict[str, object], words: str) -> None:
    assert state(dataclasses.replace(CRISIS, **changes)) == words  # type: ignore[arg-type]
