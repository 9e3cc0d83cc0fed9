"""Settings come from the environment, a misspelt one is refused, and a running stack is found without any."""

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.errors import SettingsInvalid
from monitor.local.address import address_file, lock_file, running_environment, try_lock
from monitor.settings import Settings, load
from simulators import running


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the developer's and no stack in the current folder."""
    for name in [name for name in os.environ if name.startswith("PULSEWARDEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def leave_addresses(state_dir: Path) -> None:
    environment = {
        "PULSEWARDEN_STATE_DIR": str(state_dir),
        "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1111",
        "PULSEWARDEN_REDIS__URL": "redis://127.0.0.1:2222/0",
    }
    state_dir.mkdir(exist_ok=True)
    address_file(state_dir).write_text(json.dumps({"pid": os.getpid(), "environment": environment}))


def test_nested_variables_reach_their_setting_and_leave_its_neighbours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("PULSEWARDEN_TEAMS", "east, west")
    settings = load(kafka={"topic_prefix": "x."})
    assert settings.kafka.bootstrap_servers == "kafka.example:9092"
    assert settings.kafka.topic_prefix == "x."
    assert settings.kafka.replication_factor == 1
    assert settings.teams == ("east", "west")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PULSEWARDEN_KAFKAA", "x", "PULSEWARDEN_KAFKAA is not a setting"),
        (
            "PULSEWARDEN_KAFKA__BOOTSTRAP",
            "x",
            "PULSEWARDEN_KAFKA__BOOTSTRAP is wrong: there is no such setting",
        ),
        ("PULSEWARDEN_STREAM__PARTITIONS", "many", "PULSEWARDEN_STREAM__PARTITIONS is wrong"),
        ("PULSEWARDEN_STREAM__PARTITIONS", "0", "PULSEWARDEN_STREAM__PARTITIONS is wrong"),
        ("PULSEWARDEN_STREAM__CLOCK", "sundial", "PULSEWARDEN_STREAM__CLOCK is wrong"),
        ("PULSEWARDEN_TEAMS", "North Wing", "PULSEWARDEN_TEAMS is wrong"),
        ("PULSEWARDEN_TEAMS", "", "name at least one"),
        ("PULSEWARDEN_TEAMS", "north,north", "a team is named twice"),
        ("PULSEWARDEN_STREAM__SESSION_TIMEOUT_S", "1", "PULSEWARDEN_STREAM__SESSION_TIMEOUT_S is wrong"),
        ("PULSEWARDEN_STREAM__SESSION_TIMEOUT_S", "300", "PULSEWARDEN_STREAM__SESSION_TIMEOUT_S is wrong"),
        ("PULSEWARDEN_STREAM__HEARTBEAT_S", "8", "is more than half of session_timeout_s 10: one late heartbeat"),
        ("PULSEWARDEN_STREAM__CUT_TIMEOUT_S", "0.0001", "PULSEWARDEN_STREAM__CUT_TIMEOUT_S is wrong"),
        ("PULSEWARDEN_REDIS__URL", "redis://127.0.0.1:notaport/0", "it is no redis://host:port/number"),
        ("PULSEWARDEN_REDIS__URL", "redis://", "it is no redis://host:port/number"),
        ("PULSEWARDEN_REDIS__URL", "localhost:6379", "PULSEWARDEN_REDIS__URL is wrong"),
        ("PULSEWARDEN_KAFKA", "no json", "cannot be read"),
    ],
)
def test_a_wrong_variable_is_named_in_the_refusal(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=sentence):
        load()


def test_a_wrong_value_is_not_repeated_because_it_may_hold_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEWARDEN_REDIS__URL", "http://:hunter2@localhost")
    with pytest.raises(SettingsInvalid) as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_settings_are_frozen() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.teams = ("other",)  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.kafka.topic_prefix = "x"  # type: ignore[misc]


def test_folders_follow_the_state_folder_unless_they_are_set() -> None:
    settings = load(state_dir=Path("/srv/pulsewarden"))
    assert settings.journal_place == "/srv/pulsewarden/journal"
    assert settings.registry_folder == Path("/srv/pulsewarden/registry")
    assert load(journal={"place": "s3://bucket/journal"}).journal_place == "s3://bucket/journal"


def test_a_running_stack_is_found_and_variables_win_over_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = tmp_path / ".pulsewarden"
    leave_addresses(state)
    lock = try_lock(state)
    assert lock is not None
    try:
        assert load().kafka.bootstrap_servers == "127.0.0.1:1111"
        assert load().redis.url == "redis://127.0.0.1:2222/0"
        assert running.bootstrap_servers() == "127.0.0.1:1111", "a simulator finds it by the same rule"
        monkeypatch.setenv("PULSEWARDEN_REDIS__URL", "redis://elsewhere:6379/0")
        settings = load(kafka={"topic_prefix": "p."})
        assert settings.redis.url == "redis://elsewhere:6379/0"
        assert settings.kafka.bootstrap_servers == "127.0.0.1:1111"
        assert settings.kafka.topic_prefix == "p."
        assert Settings(kafka={"bootstrap_servers": "given:1"}).kafka.bootstrap_servers == "given:1"
    finally:
        os.close(lock)


def test_addresses_that_a_killed_stack_left_are_not_believed(tmp_path: Path) -> None:
    state = tmp_path / ".pulsewarden"
    leave_addresses(state)
    lock_file(state).touch()
    assert running_environment(state) == {}
    assert running.bootstrap_servers() is None
    assert load().kafka.bootstrap_servers == "127.0.0.1:9092"
