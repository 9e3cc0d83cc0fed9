"""`python -m stream_schemas`: what it prints and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent / "examples"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream_schemas", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def line(name: str) -> str:
    return json.dumps(json.loads((EXAMPLES / f"{name}.json").read_bytes()))


def test_a_file_of_valid_events_of_several_kinds_ends_with_zero(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f"{line('heart-rate/v1/valid/full')}\n\n{line('sleep/v1/valid/least')}\n", encoding="utf-8")
    done = run("validate", str(file))
    assert done.returncode == 0, done.stdout
    assert "2 accepted, 0 refused" in done.stdout
    assert "vitals.sleep.v1" in done.stdout


def test_refused_lines_are_listed_with_number_reason_and_field_and_end_with_one(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    bad = line("heart-rate/v1/invalid/invalid_field.bpm_301")
    file.write_text(f"{line('heart-rate/v1/valid/full')}\n{bad}\n{{\n", encoding="utf-8")
    done = run("validate", str(file), "--topic", "vitals.heart-rate.v1")
    assert done.returncode == 1
    assert "invalid_field" in done.stdout
    assert "bpm.1" in done.stdout
    assert "1 accepted, 2 refused (1 invalid_field, 1 malformed_json)" in done.stdout


def test_a_record_with_its_topic_has_its_key_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    value = json.loads(line("heart-rate/v1/valid/full"))
    records = [{"topic": "vitals.heart-rate.v1", "key": key, "value": value} for key in ("w1", "w2", None)]
    records.append({"topic": "context.wearer.v1", "key": "w1", "value": None})
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    done = run("validate", str(file))
    assert done.returncode == 1
    assert "2 accepted, 2 refused (2 key_mismatch)" in done.stdout


def test_an_empty_file_and_an_unknown_topic_are_not_a_success(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("", encoding="utf-8")
    assert run("validate", str(file)).returncode == 1
    assert run("validate", str(file), "--topic", "vitals.mood.v1").returncode == 2


def test_export_prints_the_files_it_wrote(tmp_path: Path) -> None:
    done = run("export", str(tmp_path / "schemas"))
    assert done.returncode == 0, done.stderr
    for name in done.stdout.split():
        assert json.loads(Path(name).read_text(encoding="utf-8"))
    assert "asyncapi.json" in done.stdout
