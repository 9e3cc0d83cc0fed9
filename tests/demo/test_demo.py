"""The demo itself, small: a stack of its own, 20 wearers for an hour of theirs, and the report that others read."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import JARS
from tests.demo.test_report import FIELDS
from tests.patience import patience

SECONDS, SPEED = 8, 450


def test_a_small_demo_loses_nothing_misses_no_crisis_and_says_so(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    (tmp_path / "state").mkdir()
    JARS.mkdir(parents=True, exist_ok=True)
    (tmp_path / "state" / "jars").symlink_to(JARS)
    options = {
        "--seconds": str(SECONDS),
        "--speed": str(SPEED),
        "--wearers": "20",
        "--seed": "3",
        "--live-seconds": "4",
        "--report": str(report),
    }

    done = subprocess.run(
        [sys.executable, "-m", "monitor", "demo", "--plain", *(word for option in options.items() for word in option)],
        env={**os.environ, "PULSEWARDEN_STATE_DIR": str(tmp_path / "state"), "PULSEWARDEN_STREAM__PARTITIONS": "4"},
        capture_output=True,
        text=True,
        timeout=patience(150),
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    document = json.loads(report.read_text())
    assert document.keys() >= FIELDS
    assert document["problems"] == []
    assert document["events_published"] > 20 * 60
    assert document["events_ingested"] + sum(document["dead_letters"].values()) == document["events_published"]
    assert {"hypertensive_crisis", "tachycardia_at_rest"} <= {
        episode["kind"] for episode in document["episodes"] if episode["alert_id"] is not None
    }
    assert document["alerts_kafka"] >= document["alerts_redis_open"] == document["alerts_kafka_open"] > 0
    assert document["latency_ms"]["p50"] > 0
    assert len(document["model_version"]) == 12
    assert "w-" not in done.stdout, "lines for logs name no wearer"
    assert not (tmp_path / "state" / "demo" / "stack.json").exists()
