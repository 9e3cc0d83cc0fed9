"""docker-compose.yml and .ci/run say what the README says they do; no Docker engine is needed to check that."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from monitor.local.servers import BROKER_PROPERTIES

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(REPOSITORY / "docker-compose.yml")
    return document


def test_the_compose_file_fits_the_compose_schema(compose: dict[str, Any]) -> None:
    """Use the schema that check-jsonschema vendors, but not its command: that needs a newer click than Faust allows."""
    found = importlib.util.find_spec("check_jsonschema")
    assert found is not None
    assert found.origin is not None
    schema = json.loads((Path(found.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []
    assert not validator.is_valid({"services": {"worker": {"imagee": "x"}}}), "the schema would notice a misspelling"


def test_every_port_is_bound_to_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_official_images_are_pinned_and_the_rest_is_built_here(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert re.fullmatch(r"apache/kafka:4\.\d+\.\d+", services["kafka"]["image"])
    assert services["redis"]["image"].startswith("redis:8")
    ours = set(services) - {"kafka", "redis"}
    assert ours == {"topics", "worker", "projector", "trainer", "simulator"}
    for name in ours:
        assert (REPOSITORY / services[name]["build"]["dockerfile"]).exists()


def test_servers_say_when_they_are_healthy_and_the_rest_waits_for_that(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "healthcheck" in services["kafka"]
    assert "healthcheck" in services["redis"]
    assert services["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    for name in ("worker", "projector", "trainer", "simulator"):
        assert services[name]["depends_on"]["topics"]["condition"] == "service_completed_successfully"


def test_no_credential_stands_in_the_file() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    assert not re.search(r"(?im)^\s*\S*(password|secret|token|api_?key)\S*\s*:", text)
    assert not re.search(r"://[^/\s]*:[^/\s]*@", text)


def test_the_composed_broker_has_the_limits_of_the_embedded_one(compose: dict[str, Any]) -> None:
    composed = compose["services"]["kafka"]["environment"]
    for key in ("auto.create.topics.enable", "message.max.bytes", "replica.fetch.max.bytes"):
        embedded = re.search(rf"^{re.escape(key)}=(.*)$", BROKER_PROPERTIES, re.MULTILINE)
        assert embedded is not None
        assert str(composed["KAFKA_" + key.upper().replace(".", "_")]) == embedded.group(1)


def test_continuous_integration_runs_make_test_and_reads_no_keyboard() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert re.search(r"^exec make .*test < /dev/null$", script.read_text(), re.MULTILINE)
