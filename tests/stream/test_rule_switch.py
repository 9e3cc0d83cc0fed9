"""`monitor rules switch` on a real broker: the worker judges by the new limits from the switch on."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from monitor.local.servers import free_ports
from monitor.settings import Settings
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.test_real_engine import WORKER, at
from tests.stream.world import REPOSITORY, environment, publish, read, status, until


def reading(wearer: str, systolic: int) -> tuple[bytes, bytes]:
    event = {
        "schema": "blood-pressure/1",
        "event_id": f"{wearer}-{systolic}",
        "wearer_id": wearer,
        "device_id": "cuff",
        "start": at(1),
        "systolic_mmhg": systolic,
        "diastolic_mmhg": 80,
        "measurement_method": "cuff_oscillometric",
    }
    return wearer.encode(), json.dumps(event).encode()


def rules(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "monitor", "rules", *arguments]
    limits = {f"PULSEWARDEN_LIMITS__{k.upper()}": str(v) for k, v in settings.limits.model_dump().items()}
    return subprocess.run(
        command,
        env=environment(settings) | limits,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )


def test_a_switched_limit_raises_what_the_packaged_one_did_not(
    new_settings: NewSettings, processes: Processes, tmp_path: Path
) -> None:
    settings = new_settings(scoring={"enabled": False})
    processes.start(settings, "monitor", "worker")
    publish(settings, "vitals.blood-pressure.v1", [reading("w1", 165)])
    until("it is read", lambda: status(settings, WORKER).get("events_ingested"))
    file = tmp_path / "rules.toml"
    file.write_text("bp_severe_systolic_mmhg = 160\nbp_severe_clear_systolic_mmhg = 155\n")

    switched = rules(settings, "switch", str(file))

    assert "Told 4 partitions" in switched.stdout, switched.stderr
    assert "bp_severe_systolic_mmhg: 180 -> 160 (packaged: 180)" in switched.stdout
    until("it is read", lambda: status(settings, WORKER)["events_ingested"].get("control.v1") == 4)
    publish(settings, "vitals.blood-pressure.v1", [reading("w2", 165)])
    until("it raises", lambda: read(settings, "alerts.north.v1"))
    assert [json.loads(row.value or b"{}")["wearer_id"] for row in read(settings, "alerts.north.v1")] == ["w2"]


def test_a_wrong_rule_file_is_refused_with_a_sentence(live_settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("bp_severe = 160\n")

    refused = rules(live_settings, "switch", str(file))

    assert refused.returncode == 2
    assert refused.stderr.startswith("pulsewarden: The rule file")
    assert "bp_severe is no limit; did you mean bp_severe_systolic_mmhg?" in refused.stderr
    file.write_text("hr_high_rest_bpm = 110\n")
    refused = rules(live_settings, "switch", str(file))
    assert refused.returncode == 2
    assert "hr_high_rest_clear_bpm = 115 must be below hr_high_rest_bpm = 110" in refused.stderr
    assert not read(live_settings, "control.v1")


def test_show_tells_what_is_in_force_since_when_and_by_whom_and_a_switch_leaves_the_rest_as_it_was(
    new_settings: NewSettings, tmp_path: Path
) -> None:
    settings = new_settings(limits={"risk_consecutive": 3})
    file = tmp_path / "rules.toml"
    file.write_text("hr_high_rest_bpm = 125\n")
    first = rules(settings, "switch", str(file))
    assert "hr_high_rest_bpm: 120 -> 125 (packaged: 120)" in first.stdout, first.stderr
    file.write_text("no_data_cadences = 6\nhr_high_rest_bpm = 125\n")
    second = rules(settings, "switch", str(file))
    assert second.stdout.splitlines()[1:] == ["  no_data_cadences: 4 -> 6 (packaged: 4)"]

    again = rules(settings, "switch", str(file))
    assert (again.returncode, again.stderr) == (
        1,
        f"The rule file {file} changes nothing: these limits are in force already.\n",
    )
    shown = rules(settings, "show")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^hr_high_rest_bpm = 125  # packaged: 120; since 20\S+Z by an operator$", shown.stdout, re.M)
    assert re.search(r"^no_data_cadences = 6  # packaged: 4; since 20\S+Z by an operator$", shown.stdout, re.M)
    assert "risk_consecutive = 3  # packaged: 2; of the settings here\n" in shown.stdout
    assert "hr_low_awake_bpm = 40\n" in shown.stdout
    assert tomllib.loads(shown.stdout)["sub_health_on"] is True
    assert "hr_high_rest_bpm = 120  # Apple Watch" in rules(settings, "show", "--packaged").stdout

    replaced = rules(settings, "switch", "--replace", str(file))
    assert replaced.stdout.splitlines()[1:] == ["  risk_consecutive: 3 -> 2 (packaged: 2)"]
    lone = {"schema": "control/1", "kind": "rules", "content": "hr_window_min = 12", "replace": False, "at": at(1)}
    publish(settings, "control.v1", [(None, json.dumps(lone).encode())])
    odd = rules(settings, "show")
    assert odd.returncode == 1
    assert odd.stdout.startswith("# hr_window_min differs between partitions: 12 in 0; 10 in 1, 2, 3.\n")
    mended = rules(settings, "switch", "--replace", str(file))
    assert mended.stdout.splitlines()[1:] == ["  hr_window_min: 12 -> 10 (packaged: 10) in partitions 0"]
    assert rules(settings, "show").returncode == 0


def test_without_kafka_show_says_so_in_one_sentence(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "monitor", "rules", "show"]
    variables = {"PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{port}", "PULSEWARDEN_STATE_DIR": str(tmp_path)}
    shown = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=patience(60), check=False
    )
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"pulsewarden: Kafka at 127.0.0.1:{port} does not answer: start one with")
    assert len(shown.stderr.splitlines()) == 1
