"""The fixtures that give a test a real Kafka and Valkey: one of each for the run, topics of its own for each test.

Use ``live_settings`` (time is the broker's) or ``replay_settings`` (time is the log's); a test that needs other values
calls ``new_settings(stream={"pace_ms": 0}, ...)``. Each of them has its own topic prefix, key prefix and state folder,
4 partitions, and its topics created.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings
from kafka import KafkaAdminClient

from monitor.local import kafka_jars
from monitor.local.stack import Stack
from monitor.settings import Settings, load

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("any machine")  # a busy machine is no finding; what is drawn stays random, so that runs add up

REPOSITORY = Path(__file__).parent.parent
JARS = REPOSITORY / ".pulsewarden" / "jars"  # fetched once for all runs
PARTITIONS = 4


class NewSettings(Protocol):
    """Makes settings that point at the session's stack, with topics of their own."""

    def __call__(self, **values: Any) -> Settings: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the stack, so that `pytest -m "not stack"` runs without it."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def jars() -> Path:
    """The folder with Kafka's jars, fetched if this is the first run here."""
    kafka_jars.ensure(JARS)
    return JARS


@pytest.fixture(scope="session")
def stack(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Kafka and one Valkey for all tests."""
    with Stack.start(tmp_path_factory.mktemp("stack"), jars=jars) as running:
        yield running


@pytest.fixture
def topics_prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def new_settings(stack: Stack, topics_prefix: str, tmp_path: Path) -> Iterator[NewSettings]:
    """Make settings with other values; the topics exist when it returns, and go when the test ends."""
    from monitor import topics

    made: list[Settings] = []

    def make(**values: Any) -> Settings:
        prefix = f"{topics_prefix}{len(made)}."
        values["kafka"] = {
            "bootstrap_servers": stack.bootstrap_servers,
            "topic_prefix": prefix,
            **values.get("kafka", {}),
        }
        values["redis"] = {"url": stack.redis_url, "key_prefix": f"{prefix}:", **values.get("redis", {})}
        values["stream"] = {"partitions": PARTITIONS, **values.get("stream", {})}
        values.setdefault("state_dir", tmp_path / f"state-{len(made)}")
        settings = load(**values)
        topics.create(settings)
        made.append(settings)
        return settings

    yield make
    if made:
        admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
        try:
            admin.delete_topics([name for name in admin.list_topics() if name.startswith(topics_prefix)])
        finally:
            admin.close()


@pytest.fixture
def live_settings(new_settings: NewSettings) -> Settings:
    """Settings whose time is the broker's."""
    return new_settings()


@pytest.fixture
def replay_settings(new_settings: NewSettings) -> Settings:
    """Settings whose time is the log's: record times are the writer's."""
    return new_settings(stream={"clock": "log"})
