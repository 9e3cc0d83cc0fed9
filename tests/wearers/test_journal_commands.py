"""`python -m monitor journal` as a stranger would use it."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from models.journal_files import LATER_OWNER, listed
from models.place import Place
from monitor.cli import app
from monitor.errors import JournalUnusable
from monitor.journal.show import held
from monitor.journal.stats import opened, stats
from monitor.journal.wording import print_held, print_stats
from monitor.wearers.journal import Journal
from tests.wearers.a_day import HOUR, ILL, WELL, write_day
from tests.wearers.test_journal_files import files, minutes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    write_day(folder)
    return folder


@pytest.fixture
def place(day: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSEWARDEN_JOURNAL__PLACE", str(day))
    return day


def told(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["journal", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def refused(*arguments: str) -> str:
    with pytest.raises(JournalUnusable) as problem:
        told(*arguments)
    return str(problem.value)


def document(*arguments: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(told(*arguments, "--json"))["tables"]
    return read


@pytest.mark.usefixtures("place")
def test_stats_count_files_rows_wearers_times_and_bytes_of_every_table() -> None:
    tables = document("stats")
    assert list(tables) == ["minutes", "bp", "sleep", "weather", "profiles", "days", "scores", "alerts"]
    assert tables["minutes"]["wearers"] == 2
    assert tables["minutes"]["rows"] >= 2 * 26 * 60 - 10
    assert (tables["minutes"]["first"], tables["minutes"]["last"]) == ("2026-01-05T00:00Z", "2026-01-06T01:58Z")
    assert tables["minutes"]["files"] > 20
    assert tables["bp"] | {"bytes": 0} == {
        "files": 1,
        "rows": 1,
        "wearers": 1,
        "first": "2026-01-05T10:00Z",
        "last": "2026-01-05T10:00Z",
        "bytes": 0,
        "ignored": {},
        "damaged": [],
    }
    assert tables["profiles"]["first"] is None


@pytest.mark.usefixtures("place")
def test_stats_hold_no_wearer_and_no_vital_sign() -> None:
    text = told("stats") + told("stats", "--json")
    assert ILL not in text
    assert WELL not in text
    assert "130" not in text.replace("2026", "")


def test_stats_name_a_damaged_file_count_the_others_and_say_why_files_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSEWARDEN_JOURNAL__PLACE", str(tmp_path))
    write_day(tmp_path)
    whole = document("stats")["minutes"]
    path = files(tmp_path)[3]
    path.write_bytes(path.read_bytes()[:500])
    last = next(one.written for one in listed(Place.of(tmp_path))["days"] if one.written)
    journal = Journal(tmp_path, log=last.log)
    journal.add(minutes(last.end, 70, partition=last.partition))
    journal.write(last.partition, last.end + 1, last.begin, last.end, journal.take(last.partition))
    harmed = document("stats")["minutes"]
    assert len(harmed["damaged"]) == 1
    assert harmed["ignored"] == {LATER_OWNER: 1}
    assert (harmed["files"], harmed["rows"] < whole["rows"]) == (whole["files"] - 1, True)
    text = told("stats")
    assert f"minutes/{path.name} is damaged or no Parquet file" in text
    assert f"files are ignored: {LATER_OWNER}" in text


@pytest.mark.usefixtures("place")
def test_show_holds_what_was_known_of_the_wearer_and_when_alerts_were_told() -> None:
    tables = document("show", ILL)
    first = tables["alerts"][0]
    assert (first["rule"], first["condition"], first["version"]) == ("HR_HIGH_REST", "present", 1)
    assert tables["bp"] == [
        {"minute": 29460120, "systolic": 150, "diastolic": 90, "pulse": -1, "method": 1},
    ]
    assert tables["scores"][1] | {"scored_at_ms": 0} == {
        "scored_at_ms": 0,
        "model_version": "abcdef012345",
        "head": "heat_strain",
        "probability": None,
    }
    assert len(tables["minutes"]) == len({row["minute"] for row in tables["minutes"]}) > 1500
    assert tables["profiles"][0]["weight_kg"] == 70.5
    assert tables["labels"] == []


@pytest.mark.usefixtures("place")
def test_show_can_be_narrowed_to_a_table_and_a_time() -> None:
    minutes = document(
        "show", ILL, "--table", "minutes", "--from", "2026-01-05T09:00", "--to", "2026-01-05T11:00+01:00"
    )
    assert list(minutes) == ["minutes"]
    assert [row["hr_median"] for row in minutes["minutes"]] == [130] * 60
    assert minutes["minutes"][0]["minute"] * 60_000 == 1_767_571_200_000 + 9 * HOUR


@pytest.mark.usefixtures("place")
def test_show_says_codes_and_gaps_in_words_and_how_many_rows_are_left_out() -> None:
    text = told("show", ILL, "--limit", "3")
    for words in ("HR_HIGH_REST", "cuff_oscillometric", "female", "copd", "2026-01-05T10:00Z", "the last 3 of 1,5"):
        assert words in text
    assert "nan" not in text
    assert "Nothing in labels." in text


@pytest.mark.usefixtures("place")
def test_what_is_not_there_is_refused_with_a_sentence() -> None:
    assert "There are no rows of this wearer in the journal: check the id" in refused("show", "nobody")
    assert "The journal has no table 'minute': ask for one of profiles, alerts" in refused(
        "show", ILL, "--table", "minute"
    )
    assert "--from is 'yesterday': give a date or a time" in refused("show", ILL, "--from", "yesterday")


def test_an_empty_journal_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEWARDEN_JOURNAL__PLACE", str(tmp_path / "none"))
    assert f"There is no journal in {tmp_path}/none yet" in refused("stats")
    assert "There is no journal in" in refused("show", ILL)


def test_a_damaged_file_ends_show_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEWARDEN_JOURNAL__PLACE", str(tmp_path))
    write_day(tmp_path, every_h=26)
    (path, *_) = files(tmp_path, "alerts")
    path.write_bytes(b"PAR1")
    assert f"alerts/{path.name} is damaged or no Parquet file" in refused("show", ILL)
    assert document("show", ILL, "--table", "bp")["bp"]


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_cut_short_on_a_narrow_terminal(day: Path, width: int) -> None:
    console = Console(width=width)
    journal = opened(str(day))
    with console.capture() as captured:
        print_stats(console, "here", stats(journal))
        print_held(console, ILL, held(journal, ILL, None, None, None), limit=3)
    assert "…" not in captured.get()
    assert "2026-01-05T10:00Z" in captured.get()
