"""What deploy/ and docker-compose.yml say is true of this program; neither Docker nor root is needed to check it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from monitor.settings import LEAVE_S, PREFIX, Settings, StreamSettings
from monitor.stream import app

REPOSITORY = Path(__file__).parent.parent.parent
DEPLOY = REPOSITORY / "deploy"
MANIFEST = DEPLOY / "kubernetes" / "pulsewarden.yaml"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SPEAKS_OF_SETTINGS = [
    REPOSITORY / "docker-compose.yml",
    REPOSITORY / "docs" / "operating.md",
    *sorted(path for path in DEPLOY.rglob("*") if path.is_file()),
]


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], Any]:
    """The Kubernetes objects by kind and name."""
    documents = YAML(typ="safe", pure=True).load_all(MANIFEST)
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def known(variable: str) -> bool:
    model: type[BaseModel] = Settings
    *sections, last = variable.removeprefix(PREFIX).lower().split("__")
    for section in sections:
        field = model.model_fields.get(section)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return False
        model = field.annotation
    return last in model.model_fields


@pytest.mark.parametrize("path", SPEAKS_OF_SETTINGS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z][A-Z_]*[A-Z]", path.read_text()))
    assert [name for name in sorted(named) if not known(name)] == []


def test_a_misspelt_setting_would_be_noticed() -> None:
    assert known("PULSEWARDEN_STREAM__WORKER_ID")
    assert not known("PULSEWARDEN_STREAM__WORKER")
    assert not known("PULSEWARDEN_STREAMS__WORKER_ID")


def gone_within_s(part: str) -> float:
    """The time in which a part has ended, in any case, after it was told to."""
    return StreamSettings().gone_within_s if part == "worker" else app.STOPS_WITHIN_S + LEAVE_S


def container(objects: dict[tuple[str, str], Any], kind: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = objects[kind, name]["spec"]["template"]["spec"]
    (only,) = spec["containers"]
    return spec, only


def test_workers_are_static_members_under_their_pods_names(objects: dict[tuple[str, str], Any]) -> None:
    _, worker = container(objects, "StatefulSet", "pulsewarden-worker")
    variables = {one["name"]: one for one in worker["env"]}
    assert variables["PULSEWARDEN_STREAM__WORKER_ID"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert variables["PULSEWARDEN_STREAM__STATIC_MEMBERSHIP"]["value"] == "true"


@pytest.mark.parametrize(
    ("kind", "part"), [("StatefulSet", "worker"), ("Deployment", "projector"), ("Deployment", "trainer")]
)
def test_each_part_runs_what_it_is_called_has_time_to_stop_and_its_volumes(
    objects: dict[tuple[str, str], Any], kind: str, part: str
) -> None:
    spec, only = container(objects, kind, f"pulsewarden-{part}")
    assert only["args"] == ["monitor", part]
    assert spec["terminationGracePeriodSeconds"] > gone_within_s(part)
    assert {one["name"] for one in only["volumeMounts"]} == {one["name"] for one in spec["volumes"]}
    assert only["envFrom"] == [{"configMapRef": {"name": "pulsewarden"}}]
    labels = objects[kind, f"pulsewarden-{part}"]["spec"]["template"]["metadata"]["labels"]
    assert objects[kind, f"pulsewarden-{part}"]["spec"]["selector"]["matchLabels"] == labels


def test_checkpoints_lie_where_all_workers_see_them(objects: dict[tuple[str, str], Any]) -> None:
    data = objects["ConfigMap", "pulsewarden"]["data"]
    spec, worker = container(objects, "StatefulSet", "pulsewarden-worker")
    shared = next(one["mountPath"] for one in worker["volumeMounts"] if one["name"] == "shared")
    assert data["PULSEWARDEN_CHECKPOINT__PLACE"].startswith(shared + "/")
    claim = next(one["persistentVolumeClaim"]["claimName"] for one in spec["volumes"] if one["name"] == "shared")
    assert objects["PersistentVolumeClaim", claim]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert all(isinstance(value, str) for value in data.values()), "Kubernetes takes nothing but text"


def test_composed_parts_share_their_checkpoints_and_come_back() -> None:
    composed = YAML(typ="safe", pure=True).load(REPOSITORY / "docker-compose.yml")
    for part in ("worker", "projector", "trainer"):
        service = composed["services"][part]
        assert service["restart"] == "unless-stopped"
        assert int(service["stop_grace_period"].removesuffix("s")) > gone_within_s(part)
        place = service["environment"]["PULSEWARDEN_CHECKPOINT__PLACE"]
        assert f"checkpoints:{place}" in service["volumes"]
    assert "checkpoints" in composed["volumes"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_restart_for_ever_and_leave_time_to_stop(unit: Path) -> None:
    said = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    assert said["Restart"] == "always"
    assert said["StartLimitIntervalSec"] == "0"
    assert "WatchdogSec" not in said, "nothing here sends WATCHDOG=1"
    part = re.split(r"[-@.]", unit.name)[1]
    assert int(said["TimeoutStopSec"]) > gone_within_s(part)
    assert said["ExecStart"] == f"/opt/pulsewarden/.venv/bin/python -m monitor {part}"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here to judge the units")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_units(unit: Path, tmp_path: Path) -> None:
    python = "/opt/pulsewarden/.venv/bin/python"
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(unit.read_text().replace(python, sys.executable))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in judged.stderr.splitlines() if copy.name in line]
    assert about_ours == []
    assert judged.returncode == 0, judged.stderr
    copy.write_text(copy.read_text().replace("RestartSec", "RestratSec"))
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert "RestratSec" in judged.stderr, "a misspelling would be noticed"
