"""The doctor says what is wrong and how to mend it."""

import os
import subprocess
import sys
from pathlib import Path

import redis

from monitor.doctor import examine
from monitor.doctoring.finding import Finding
from monitor.local import servers
from monitor.settings import Settings, load
from tests.patience import patience


def finding(what: str, settings: Settings) -> Finding:
    return next(one for one in examine(settings) if one.what == what)


def test_a_healthy_stack_has_nothing_wrong(live_settings: Settings) -> None:
    found = examine(live_settings)
    assert [one for one in found if one.verdict == "wrong"] == []
    looked_at = {"stack", "Kafka", "topics", "copies", "Redis", "projector", "group", "workers", "disk"}
    assert {one.what for one in found} == looked_at | {"dead letters", "teams", "model", "GPU"}
    assert "acks=all waits for that one" in finding("copies", live_settings).found
    assert "with 4 partitions each" in finding("topics", live_settings).found


def test_nothing_running_names_the_command_that_starts_it_and_ends_with_status_1(tmp_path: Path) -> None:
    kafka, valkey = servers.free_ports(2)
    result = subprocess.run(
        [sys.executable, "-m", "monitor", "doctor"],
        env={
            **os.environ,
            "PULSEWARDEN_STATE_DIR": str(tmp_path),
            "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
            "PULSEWARDEN_REDIS__URL": f"redis://:secret@127.0.0.1:{valkey}/0",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(60),
    )
    assert result.returncode == 1, result.stderr
    assert f"No Kafka answers at 127.0.0.1:{kafka}" in result.stdout
    assert "python -m monitor up" in result.stdout
    assert "no answer from redis://127.0.0.1" in result.stdout
    assert "secret" not in result.stdout + result.stderr


def test_missing_topics_name_the_command_that_creates_them(live_settings: Settings) -> None:
    other = live_settings.kafka.model_copy(update={"topic_prefix": "nobody-made-these."})
    found = finding("topics", live_settings.model_copy(update={"kafka": other}))
    assert found.verdict == "wrong"
    assert "topics create" in found.mend


def test_a_redis_that_may_drop_open_alerts_is_wrong(live_settings: Settings) -> None:
    with redis.Redis.from_url(live_settings.redis.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            wrong = [one for one in examine(live_settings) if one.verdict == "wrong"]
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert [one.mend for one in wrong] == ["Set maxmemory-policy to noeviction: another one may drop open alerts."]


def test_a_bundle_that_is_not_there_is_named(live_settings: Settings, tmp_path: Path) -> None:
    scoring = live_settings.scoring.model_copy(update={"bundle": tmp_path / "no-bundle"})
    found = finding("model", live_settings.model_copy(update={"scoring": scoring}))
    assert found.verdict == "wrong"
    assert "no-bundle" in found.found


def test_insisting_on_a_gpu_that_does_not_exist_says_what_to_set() -> None:
    found = finding("GPU", load(scoring={"device": "cuda:63"}))
    assert found.verdict == "wrong"
    assert "PULSEWARDEN_SCORING__DEVICE=auto" in found.mend
