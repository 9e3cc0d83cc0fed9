"""`monitor rules switch` on a real broker: the worker judges by the new limits from the switch on."""

import json
import subprocess
import sys
from pathlib import Path

from monitor.settings import Settings
from tests.conftest import NewSettings
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
    return subprocess.run(
        command, env=environment(settings), cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
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
    assert "bp_severe_systolic_mmhg = 160 (packaged: 180)" in switched.stdout
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
    assert "bp_severe: Extra inputs are not permitted" in refused.stderr
    assert not read(live_settings, "control.v1")
