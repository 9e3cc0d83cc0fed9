"""The workers' status files: one JSON object a worker, rewritten every second by an atomic rename."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.console.frame import WorkerStatus


def folder(state_dir: Path) -> Path:
    """Return the folder in which workers write their status."""
    return state_dir / "status"


def read_all(state_dir: Path, now_ms: int) -> list[WorkerStatus]:
    """Read every worker's status, by name; a file that is not a status is not one of ours and is left out.

    Parameters
    ----------
    state_dir : Path
        The settings' state folder.
    now_ms : int
        The machine's clock, epoch milliseconds, for the files' age.
    """
    found = []
    for path in sorted(folder(state_dir).glob("*.json")):
        status = read(path, now_ms)
        if status is not None:
            found.append(status)
    return found


def read(path: Path, now_ms: int) -> WorkerStatus | None:
    """Read one status file; None if it is gone or not a status."""
    try:
        written_ms = path.stat().st_mtime_ns // 1_000_000
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    return WorkerStatus(
        worker_id=path.stem,
        age_s=max(0.0, (now_ms - written_ms) / 1000),
        ingested=_counts(document.get("events_ingested")),
        dead_letters=_counts(document.get("dead_letters")),
        envelopes_per_s=_number(document.get("envelopes_per_s")) or 0.0,
        T_ms=_whole(document.get("T_ms")) or None,
        lag_records=_whole(document.get("lag_records")),
        below_T=_whole(document.get("below_T")) or 0,
        late=_whole(document.get("late")) or 0,
        scores=_whole(document.get("scores")) or 0,
        model_version=_text(document.get("model_version")),
        device=_text(document.get("device")),
        rss_mib=_number(document.get("rss_mib")),
        assigned=_length(document.get("assigned")),
        owned=_partitions(document.get("assigned")),
        T_held_by=_text(document.get("T_held_by")),
        left_out=_counts(document.get("left_out")),
        partitions=_whole(document.get("partitions")),
        unowned=_texts(document.get("unowned")),
        quarantined=_whole(document.get("quarantined")) or 0,
        clock_ahead=_numbers(document.get("clock_ahead")),
        versions=_version(document.get("versions")),
        oldest_checkpoint_s=_number(document.get("oldest_checkpoint_s")),
        checkpoints_failing=_whole(document.get("checkpoints_failing_in_a_row")) or 0,
    )


def _counts(value: Any) -> Mapping[str, int]:
    if not isinstance(value, dict):
        return {}
    return {str(name): int(number) for name, number in value.items() if isinstance(number, int)}


def _partitions(value: Any) -> frozenset[int]:
    return frozenset(p for p in value if isinstance(p, int)) if isinstance(value, list) else frozenset()


def _texts(value: Any) -> Mapping[str, str]:
    """Read reasons by partition; a list says which partitions, and no reason."""
    if isinstance(value, list):
        return {str(name): "" for name in value}
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _numbers(value: Any) -> Mapping[str, float]:
    if not isinstance(value, dict):
        return {}
    return {str(name): float(number) for name, number in value.items() if isinstance(number, int | float)}


def _version(value: Any) -> str | None:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in sorted(value.items())) or None
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value in {None, ""} else str(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else _whole(value) or 0
