import json
from pathlib import Path

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from benchmarks.real_data import __main__ as command
from benchmarks.real_data import fitabase, lifesnaps, people_minutes, quality_gate, resemblance, welltory
from benchmarks.real_data.page import Run, digest, write
from benchmarks.real_data.results import Study, Table, Target
from benchmarks.real_data.studies import ONLY_WHEN_NAMED, STUDIES
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from tests.real_data import small_folder

app = Typer()
app.command()(command.main)


def called(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def row(study: Study, table: int, first: str) -> dict[str, object]:
    rows = study.tables[table].document()["rows"]
    return next(one for one in rows if next(iter(one.values())) == first)


def test_lifesnaps_counts_the_nights_that_were_raised_on_purpose(tmp_path: Path) -> None:
    small_folder.lifesnaps(tmp_path)

    study = lifesnaps.study(tmp_path, Limits())

    found = row(study, 0, "NIGHT_SIGNAL")
    assert found["episodes"] == 1
    assert found["people"] == 2
    assert 60 <= int(str(found["assessable wearer-days"])) <= 100


def test_a_zero_in_lifesnaps_is_missing_and_so_is_a_day_without_a_row(tmp_path: Path) -> None:
    small_folder.lifesnaps(tmp_path)

    first, _ = lifesnaps.read(tmp_path)

    assert len(first) == 60
    assert np.flatnonzero(np.isnan(first.columns["steps"])).tolist() == [10, 20]
    assert np.isnan(first.columns["active_min"][10])


def test_fitabase_goes_through_the_engine_and_a_fast_hour_at_rest_is_one_episode(tmp_path: Path) -> None:
    small_folder.fitabase(tmp_path, people=1, days=1, fast=[0])

    study = fitabase.study(tmp_path, Limits())

    found = row(study, 0, "HR_HIGH_REST")
    assert (found["episodes"], found["assessable wearer-days"]) == (1, 1)
    assert row(study, 0, "NIGHT_SIGNAL")["assessable wearer-days"] == 0
    assert row(study, 1, "BP_SEVERE")["why"] == "needs blood pressure"
    assert all(target.met is None for target in study.targets)


def test_people_of_fitabase_are_whole_days_of_minutes(tmp_path: Path) -> None:
    small_folder.fitabase(tmp_path, people=2, days=3)

    one, _ = people_minutes.fitabase(tmp_path)
    days = one.by_day()

    assert (one.days, one.first % 1440) == (3, 0)
    assert np.flatnonzero(np.isnan(one.bpm))[:30].tolist() == list(range(30))
    assert days.columns["night_bpm"] == pytest.approx(np.full(3, 58), abs=0.5)
    assert days.columns["sleep_min"][1] == 400
    assert np.isnan(days.columns["sleep_min"][0])
    assert one.noon_seen().all()


def test_welltory_takes_who_has_history_and_marks_the_nights_that_were_raised(tmp_path: Path) -> None:
    small_folder.welltory(tmp_path)

    study = welltory.study(tmp_path, Limits())

    assert [one["person"] for one in study.tables[0].document()["rows"]] == ["aa"]
    assert row(study, 0, "aa")["NIGHT_SIGNAL, days from onset"] == "+2"
    picture, _ = study.pictures["welltory-1.png"]
    assert picture.startswith(b"\x89PNG")
    assert not study.targets


def test_rmssd_of_a_spot_measurement_is_that_of_its_intervals(tmp_path: Path) -> None:
    small_folder.welltory(tmp_path)

    (case,), _ = welltory.read(tmp_path)

    assert np.nanmax(case.rmssd_ms) == pytest.approx(20)


def test_the_gate_is_run_on_and_off_and_a_missing_half_is_said(tmp_path: Path) -> None:
    small_folder.stress(tmp_path)

    study = quality_gate.study(tmp_path, Limits())

    assert row(study, 0, "gate on")["alerts of rules on heart rate"] == 0
    assert ("gate off" in str(study.document())) == ("hr_min_quality" in Limits.model_fields)
    assert any("fitabase_2016" in what for what in study.missing)


def test_minutes_of_a_good_sensor_have_a_good_index() -> None:
    full = np.full(40, 70, np.uint8)
    minutes = quality_gate.Minutes(0, full + np.arange(40, dtype=np.uint8) % 3, full, full + 3, full - 10, full * 0)

    assert np.nanmin(minutes.index(1.0)[20:]) > 0.9


def test_realism_compares_people_and_says_when_there_are_too_few(tmp_path: Path) -> None:
    small_folder.fitabase(tmp_path, people=1, days=3)

    study = resemblance.study(tmp_path, draws=1, halvings=1, days=3)

    assert study.missing
    assert not study.targets


def test_gaps_and_lags_are_those_that_were_made() -> None:
    bpm, steps = np.full(2880, 60.0), np.zeros(2880)
    bpm[100:130] = bpm[500] = np.nan
    steps[1000::50] = 80
    bpm[1003::50] = 90
    one = people_minutes.PersonMinutes("a", 0, bpm, steps, np.full(2, np.nan))

    assert resemblance.gaps(one).tolist() == [30, 1]
    assert max(range(-10, 31), key=lambda lag: resemblance.after_steps(one, lag)) == 3
    assert resemblance.autocorrelation(bpm, 50) > 0.8
    assert np.isnan(resemblance.autocorrelation(np.full(10, 5.0), 1))


def test_a_folder_without_recordings_is_skipped_and_a_folder_that_is_none_gets_a_sentence(tmp_path: Path) -> None:
    code, said = called("--data", str(tmp_path), "--only", "lifesnaps", "--json", str(tmp_path / "out.json"))
    assert code == 0
    assert "skipped" in said
    assert json.loads((tmp_path / "out.json").read_text())["studies"][0]["skipped"]

    code, said = called("--data", str(tmp_path / "nowhere"))
    assert (code, said.strip()) == (
        2,
        f"There is no folder {tmp_path / 'nowhere'}: say with --data where the recordings are.",
    )


def test_a_study_that_is_unknown_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    code, said = called("--data", str(tmp_path), "--only", "nothing")

    assert code == 2
    assert "lifesnaps" in said


def test_absent_recordings_beside_the_checkout_end_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DATA", tmp_path / "shared")

    code, said = called()

    assert code == 0
    assert said.startswith("Skipped")


def test_the_short_recordings_are_only_run_when_they_are_named() -> None:
    assert set(ONLY_WHEN_NAMED) < set(STUDIES)
    assert ONLY_WHEN_NAMED == ("af-short",)


def test_json_carries_tables_and_targets_and_the_page_stays_unless_all_are_run(tmp_path: Path) -> None:
    small_folder.lifesnaps(tmp_path)

    out = tmp_path / "out.json"
    code, said = called("--data", str(tmp_path), "--only", "lifesnaps", "--json", str(out), "--write-docs")

    document = json.loads(out.read_text())
    assert code == 0
    assert "stays as it is" in said
    assert document["studies"][0]["tables"][0]["rows"][0]["detector"] == "NIGHT_SIGNAL"


def test_the_page_names_its_data_what_was_missed_and_what_is_missing(tmp_path: Path) -> None:
    made = Study("a", "A study", ["It was done."], [Table("T", ("x", "y"), [["a", 0.5], ["b", None]])])
    made.targets.append(Target("This", "much", "little", False))
    made.pictures["a.png"] = (b"png", "a picture")
    page = tmp_path / "docs" / "real-data.md"
    page.parent.mkdir()

    write(page, [made, Study("b", "B", skipped="There is nothing.")], Run("2026-01-01", "make", "abc", 3))

    text = page.read_text()
    assert "This: wanted much, got little: **missed**." in text
    assert "- b: There is nothing." in text
    assert "| a | 0.500 |" in text
    assert "| b | - |" in text
    assert "![a picture](real-data/a.png)" in text
    assert (tmp_path / "docs" / "real-data" / "a.png").read_bytes() == b"png"


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    made = Study("a", "A", pictures={"a.png": (bytes(200_000), "too much")})

    with pytest.raises(ValueError, match=r"a\.png has 200,000 bytes"):
        write(tmp_path / "p.md", [made], Run("", "", "", 0))


def test_the_digest_changes_with_a_name_and_with_a_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = digest(tmp_path)
    (tmp_path / "a").write_text("2")
    changed = digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")

    assert before[1] == 1
    assert len({before, changed, digest(tmp_path)}) == 3


def test_the_recordings_beside_the_checkout_give_what_they_gave() -> None:
    if not (command.DATA / "lifesnaps_daily").is_dir():
        pytest.skip(f"there are no recordings in {command.DATA}")

    study = command.run("lifesnaps", command.DATA)

    assert not study.skipped
    assert [target.met for target in study.targets] == [True, True]
    assert int(str(row(study, 0, "SLEEP_DEBT")["assessable wearer-days"])) > 1000


def test_staff_acknowledge_so_that_a_second_hour_is_a_second_alert(tmp_path: Path) -> None:
    small_folder.fitabase(tmp_path, people=1, days=1, fast=[0], fast_hours=(13, 18))

    replayed = fitabase.replay(tmp_path, Limits())

    assert replayed.episodes_of(Rule.HR_HIGH_REST) == 2
    assert not replayed.ran.refused
    assert sum(alert.actor == "staff" for alert in replayed.ran.alerts) == 2
