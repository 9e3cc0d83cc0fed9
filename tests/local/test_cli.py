"""The command line starts fast and ends in one sentence when the environment is broken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import patience

HEAVY = ("torch", "faust", "kafka", "redis", "scipy", "pyarrow", "monitor.settings")


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(60),
    )


def test_help_imports_none_of_the_heavy_packages() -> None:
    program = f"import sys; import monitor.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert python("-c", program).stdout.strip() == "[]"


def test_help_names_every_command() -> None:
    shown = python("-m", "monitor", "--help").stdout
    for command in ("up", "demo", "watch", "doctor", "topics", "worker", "projector", "trainer"):
        assert f" {command} " in shown


@pytest.mark.parametrize("command", [["worker"], ["topics", "check"], ["doctor"], ["up"]])
def test_a_wrong_setting_ends_any_command_with_its_sentence_and_status_2(command: list[str]) -> None:
    ended = python("-m", "monitor", *command, PULSEWARDEN_STREAM__PARTITIONS="many")
    assert ended.returncode == 2
    assert ended.stderr.startswith("pulsewarden: Setting PULSEWARDEN_STREAM__PARTITIONS is wrong")
    assert len(ended.stderr.splitlines()) == 1


def test_a_worker_without_kafka_says_how_to_start_one(tmp_path: Path) -> None:
    ended = python(
        "-m", "monitor", "worker",
        PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1", PULSEWARDEN_STATE_DIR=str(tmp_path),
    )  # fmt: skip
    assert ended.returncode == 2
    assert "No Kafka answers at 127.0.0.1:1: start one with `python -m monitor up`" in ended.stderr
    assert "Traceback" not in ended.stderr
