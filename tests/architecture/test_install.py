"""What a fresh clone relies on: locks without addresses, a guard against the wrong Python, complete package data."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.patience import patience

REPOSITORY = Path(__file__).parent.parent.parent
LOCKS = sorted([*REPOSITORY.glob("*.lock"), *REPOSITORY.glob("monitor/**/*.lock")])


def test_there_are_locks_to_look_at() -> None:
    assert {path.name for path in LOCKS} >= {"requirements.lock", "requirements-uv.lock", "kafka.lock"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_lock_holds_an_address(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_thing_has_a_hash(lock: Path) -> None:
    lines = lock.read_text().replace("\\\n", " ").splitlines()
    pinned = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert pinned
    for line in pinned:
        assert re.search(r"sha256:[0-9a-f]{64}", line), line[:80]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE))
    for requirement in wanted:
        name = re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        assert name in locked, f"{name} is in pyproject.toml but not in requirements.lock: run `make lock`"


@pytest.mark.parametrize(("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_a_wrong_python_gets_one_sentence_and_nothing_is_touched(
    version: tuple[int, int], fits: bool, tmp_path: Path
) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-uv.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    python = tmp_path / "python"
    # Answers the guard as a Python of that version would, and refuses to do anything else.
    python.write_text(
        "#!/bin/sh\n"
        '[ "$1" = -c ] || { echo "went on to: $*"; exit 9; }\n'
        f'exec python3 -c "import sys; sys.version_info = ({version[0]}, {version[1]}, 0); $2"\n'
    )
    python.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    made = subprocess.run(
        ["make", "PYTHON=./python", "test"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=patience(60),
    )  # fmt: skip
    assert made.returncode != 0
    assert ("went on to: -m venv" in made.stdout) == fits
    said = [line for line in made.stderr.splitlines() if not line.startswith("make")]
    assert bool(said) != fits
    if not fits:
        assert len(said) == 1
        assert "Pulsewarden needs Python 3.11 to 3.13" in said[0]
        assert "make PYTHON=python3.12 test" in said[0]
        assert not (tmp_path / ".venv").exists()


def test_a_second_make_installs_nothing() -> None:
    stamp = REPOSITORY / ".venv" / "ready"
    if not stamp.exists() or stamp.stat().st_mtime < (REPOSITORY / "pyproject.toml").stat().st_mtime:
        pytest.skip("this checkout was not installed by make, or pyproject.toml was edited since")
    dry = subprocess.run(
        ["make", "--dry-run", "install"],
        cwd=REPOSITORY,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
        capture_output=True, text=True, check=True, timeout=patience(60),
    )  # fmt: skip
    assert "pip" not in dry.stdout
    assert "venv --clear" not in dry.stdout


def test_a_wheel_carries_what_the_packages_read_at_run_time(tmp_path: Path) -> None:
    """Ask the build backend for the list of files, without building 3 GB of environment."""
    from hatchling.builders.wheel import WheelBuilder

    builder = WheelBuilder(str(REPOSITORY))
    files = {file.distribution_path for file in builder.recurse_included_files()}
    assert {
        "monitor/local/kafka.lock",
        "monitor/sinks/projection.lua",
        "models/bundles/default/weights.safetensors",
        "models/bundles/default/bundle.json",
    } <= files
    assert not any(path.startswith("tests/") for path in files)


def test_the_console_script_is_the_module() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert project["project"]["name"] == "pulsewarden"
    assert json.dumps(project["project"]["scripts"]) == '{"pulsewarden": "monitor.__main__:main"}'
