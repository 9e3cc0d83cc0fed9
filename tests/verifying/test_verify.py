"""What verify says of a log that is wrong in one known way."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor import topics
from monitor.cuts import Cut, encode_cut
from monitor.errors import TopicsDiffer
from monitor.settings import Settings
from monitor.verifying import NothingToVerify, Report, verify
from monitor.verifying.report import Begun
from monitor.verifying.wording import lines, sentences
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.stream.toy_engine import ToyEngine
from tests.verifying.author import ALERTS, HEART_RATE, START_MS, Author


def judged(author: Author, **how: Any) -> Report:
    return verify(author.settings, new_engine=lambda _: ToyEngine(INPUTS), **how)


def values(author: Author) -> list[bytes]:
    return sorted({out.value for out in author.told})


def counts(report: Report) -> tuple[int, int, int]:
    return report.missing, report.different, report.unexpected


def test_a_log_that_is_as_it_says_is_identical_and_repetitions_are_counted(written: Author) -> None:
    first = written.told[0]
    written.send(first.topic, first.value, first.key)
    report = judged(written)
    assert report.identical
    assert report.status == 0
    assert (report.alerts_expected, report.alerts_seen, report.repeated) == (30, 31, 1)
    assert (report.cuts, report.claims, report.replayed_cuts, report.records) == (11, 1, 11, 300)
    assert report.begun == [Begun(0, "start", 1, 0)]


def test_an_alert_that_was_never_sent_is_missing_but_one_of_the_last_cut_may_yet_come(author: Author) -> None:
    author.records("a", 20, START_MS)
    author.cut(START_MS + 60_000, withheld=[1])
    author.records("a", 10, START_MS + 60_000)
    author.cut(START_MS + 120_000, withheld=[0])
    report = judged(author)
    assert (counts(report), report.outstanding, report.status) == ((1, 0, 0), 1, 1)
    (found,) = report.differences
    lost = json.loads(author.told[1].value)
    assert (found.kind, found.what, found.version) == ("missing", lost["alert_id"], lost["version"])


def test_the_same_alert_with_other_bytes_is_different_and_the_fields_are_named(written: Author) -> None:
    alert = json.loads(written.told[4].value)
    alert["condition"], alert["priority"] = "absent", "high"
    at = written.send(ALERTS, json.dumps(alert).encode(), written.told[4].key)
    report = judged(written)
    assert counts(report) == (0, 1, 0)
    (found,) = report.differences
    assert (found.topic, found.partition, found.offset) == (ALERTS, 0, at)
    assert (found.what, found.version) == (alert["alert_id"], alert["version"])
    assert found.fields == ("condition", "priority")
    told, shown = "\n".join(lines(report, show=False)), "\n".join(lines(report, show=True))
    assert "condition, priority" in told
    assert alert["wearer_id"] not in told.replace(alert["alert_id"], "")
    assert "'priority': 'high'" in shown
    assert "high" not in json.dumps(report.document())
    assert report.document(show=True)["differences"][0]["found"]["priority"] == "high"


def test_an_alert_under_another_key_is_different(written: Author) -> None:
    written.send(ALERTS, written.told[0].value, b"another")
    (found,) = judged(written).differences
    assert (found.kind, found.fields[0]) == ("different", "(key)")


def test_what_no_cut_gives_is_unexpected_even_if_it_is_no_alert(written: Author) -> None:
    alert = {**json.loads(written.told[0].value), "alert_id": "invented"}
    invented = written.send(ALERTS, json.dumps(alert).encode(), b"invented")
    nothing = written.send("dead-letter.v1", b"\xff\x00")
    report = judged(written)
    assert counts(report) == (0, 0, 2)
    found = {(one.topic, one.offset, one.what) for one in report.differences}
    assert found == {(ALERTS, invented, "invented"), ("dead-letter.v1", nothing, None)}


def test_a_cut_of_an_older_epoch_is_ignored_and_counted(written: Author) -> None:
    stale = Cut(0, 0, written.epoch, 5, START_MS, (7,) * len(INPUTS), (0,) * len(INPUTS), 3)
    written.begin((300,) + (0,) * (len(INPUTS) - 1))  # a new claim, and anew: nobody knows the state here
    written.send("cuts.v1", encode_cut(stale))
    written.send("cuts.v1", b"no cut at all")
    report = judged(written)
    assert report.identical
    assert (report.void_cuts, report.foreign, report.claims) == (1, 1, 2)


def test_a_forged_cut_of_the_epoch_in_force_is_named_and_the_owner_s_own_are_still_followed(author: Author) -> None:
    author.records("a", 20, START_MS)
    last = author.cut(START_MS + 60_000)
    forged = replace(last, seq=last.seq + 1, digest=last.digest ^ 1, T=last.T + 5)
    at = author.send("cuts.v1", encode_cut(forged))
    author.records("a", 10, START_MS + 60_000)
    author.cut(START_MS + 120_000)
    beyond = author.send("cuts.v1", encode_cut(replace(forged, seq=3, next=(10**6,) * len(INPUTS))))
    report = judged(author)
    assert counts(report) == (0, 0, 0)
    assert [(one.partition, one.seq, one.offset) for one in report.not_following] == [(0, 2, at), (0, 3, beyond)]
    assert "digest" in report.not_following[0].why
    assert "does not hold" in report.not_following[1].why
    assert report.status == 1
    assert f"cut 2 at offset {at}" in "\n".join(sentences(report))


def test_an_engine_that_decides_otherwise_is_found_at_every_step_that_differs(replay_settings: Settings) -> None:
    class Other(ToyEngine):
        def _alert(self, cut, stamp, offset, wearer, n):  # type: ignore[no-untyped-def]
            out = super()._alert(cut, stamp, offset, wearer, n)
            return replace(out, value=out.value.replace(b'"medium"', b'"low"')) if wearer == "b" else out

    author = Author(replay_settings, Other(INPUTS))
    author.begin()
    for minute, wearer in enumerate("aabaaba"):
        author.records(wearer, 10, START_MS + minute * 60_000)
        author.cut(START_MS + (minute + 1) * 60_000)
    author.producer.close()
    report = judged(author)
    assert counts(report) == (0, 2, 0)
    assert {one.fields for one in report.differences} == {("priority",)}
    assert [one.seq for one in report.not_following] == [4, 7]  # the cuts behind those that gave the two alerts


def test_alerts_that_retention_took_are_not_called_missing(written: Author) -> None:
    written.cut_off(ALERTS, 12)
    report = judged(written)
    assert (report.identical, report.expired) == (True, 12)
    told = "\n".join(sentences(report))
    assert "12 outputs lie before the start of their topic" in told
    assert "18 of 30 outputs were found" in told
    assert "Every output is there" not in told


def test_it_begins_at_the_oldest_checkpoint_if_asked_and_by_itself_where_the_log_s_start_is_gone(
    author: Author,
) -> None:
    for minute in range(4):
        author.records("a", 10, START_MS + minute * 60_000)
        author.cut(START_MS + (minute + 1) * 60_000)
        if minute in (1, 2):
            author.checkpoint()
    whole = judged(author)
    assert (whole.begun[0].how, whole.alerts_expected) == ("start", 4)
    asked = judged(author, from_checkpoint=True, other_cuts=5)
    assert (asked.begun, asked.alerts_expected, asked.earlier) == ([Begun(0, "checkpoint", 3, 2)], 2, 2)
    assert asked.identical
    author.cut_off(INPUTS[HEART_RATE], 25)
    forced = judged(author)
    assert (forced.begun, forced.alerts_expected) == ([Begun(0, "checkpoint", 4, 3)], 1)
    assert forced.records_lost == 25
    assert "25 records that older cuts name are no longer in the log" in "\n".join(sentences(forced))
    early = json.loads(author.told[0].value)
    author.send(ALERTS, json.dumps({**early, "alert_id": "invented"}).encode())
    author.send(ALERTS, author.told[0].value, author.told[0].key)  # a zombie repeats itself
    assert counts(judged(author)) == (0, 0, 1)
    author.cut_off(INPUTS[HEART_RATE], 35)
    with pytest.raises(NothingToVerify, match="retention took 35 records"):
        judged(author)


def test_a_partition_that_began_anew_is_verified_from_each_of_its_beginnings(written: Author) -> None:
    written.begin((200,) + (0,) * (len(INPUTS) - 1))  # as after a loss: what it reads again it decides again
    written.records("d", 20, START_MS + 11 * 60_000)
    written.cut(START_MS + 12 * 60_000)
    written.records("d", 10, START_MS + 12 * 60_000)
    written.cut(START_MS + 13 * 60_000)
    report = judged(written, other_cuts=1)
    assert report.identical
    assert (report.alerts_expected, report.outstanding, report.replayed_cuts) == (30 + 10 + 3, 0, 11 + 3)
    assert len({(one["alert_id"], one["version"]) for one in map(json.loads, values(written))}) < len(values(written))


def test_i4_other_cuts_of_the_same_records_are_drawn_by_a_seed(written: Author) -> None:
    reports = [judged(written, other_cuts=seed).other_cuts for seed in (1, 2, 1)]
    found = [one for one in reports if one is not None]
    assert [one.different for one in found] == [0, 0, 0]
    assert [one.compared for one in found] == [30, 30, 30]
    assert found[0].cuts == found[2].cuts
    assert found[0].cuts > 15


class Hasty(ToyEngine):
    """An engine whose alerts tell of the cut that decided them."""

    def _alert(self, cut, stamp, offset, wearer, n):  # type: ignore[no-untyped-def]
        out = super()._alert(cut, stamp, offset, wearer, n)
        return replace(out, value=json.dumps({**json.loads(out.value), "cut": cut.next[HEART_RATE]}).encode())


def test_alerts_that_depend_on_the_cut_are_found_but_not_promised_where_a_record_came_below_T(
    replay_settings: Settings,
) -> None:
    author = Author(replay_settings, Hasty(INPUTS))
    author.begin()
    author.records("a", 30, START_MS)
    author.records("b", 30, START_MS + 30_000)
    author.cut(START_MS + 60_000)
    author.producer.close()
    report = verify(author.settings, new_engine=lambda _: Hasty(INPUTS), other_cuts=1)
    assert (counts(report), report.status) == ((0, 0, 0), 1)
    assert report.other_cuts is not None
    assert report.other_cuts.different > 0
    assert report.differences[0].fields == ("cut",)
    assert report.differences[0].offset is not None


def test_of_wearers_with_a_record_stamped_below_T_other_cuts_promise_nothing(replay_settings: Settings) -> None:
    author = Author(replay_settings, Hasty(INPUTS))
    author.begin()
    author.records("a", 20, START_MS)
    author.scores(START_MS)
    author.cut(START_MS + 60_000)
    author.records("a", 10, START_MS + 1_000)  # overtaken on its way: the running maximum is 19 s
    author.scores(START_MS)
    author.cut(START_MS + 60_000)
    author.producer.close()
    report = verify(author.settings, new_engine=lambda _: Hasty(INPUTS), other_cuts=1)
    assert report.other_cuts is not None
    assert (report.other_cuts.different, report.status) == (0, 0)
    assert report.other_cuts.below_T == 10
    assert report.other_cuts.not_promised > 0
    assert "nothing is promised of their wearers" in "\n".join(sentences(report))


def test_it_refuses_what_it_cannot_verify_with_a_sentence(new_settings: NewSettings, tmp_path: Path) -> None:
    settings = new_settings()
    with pytest.raises(NothingToVerify, match="No cut is in"):
        verify(settings, new_engine=lambda _: ToyEngine(INPUTS))
    eight = settings.model_copy(update={"stream": settings.stream.model_copy(update={"partitions": 8})})
    with pytest.raises(TopicsDiffer, match="4 partitions, but the settings say 8"):
        verify(eight)
    elsewhere = settings.model_copy(
        update={"kafka": settings.kafka.model_copy(update={"topic_prefix": "not-there."}), "state_dir": tmp_path}
    )
    with pytest.raises(TopicsDiffer, match="Missing topics"):
        verify(elsewhere)
    assert len(topics.wanted(settings)) > 10
