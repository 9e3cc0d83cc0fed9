"""Room where state, checkpoints and journal lie."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from monitor.doctoring.finding import Finding, Verdict
from monitor.settings import Settings

GIB = 1 << 30
LEAST_BYTES = GIB
LEAST_SHARE, LITTLE_SHARE = 0.02, 0.10


def disks(settings: Settings) -> list[Finding]:
    """Look at the free space of the state folder and of the places of checkpoints and journal; once for each disk."""
    places = {
        "the state folder": str(settings.state_dir),
        "checkpoints": settings.checkpoint_place,
        "the journal": settings.journal_place,
    }
    by_disk: dict[int, tuple[Path, list[str]]] = {}
    found = []
    for name, place in places.items():
        if "://" in place and not place.startswith("file://"):
            found.append(Finding("disk", "ok", f"{name}: {place.partition('://')[0]} storage, not looked at"))
            continue
        path = _existing(Path(urlsplit(place).path) if place.startswith("file://") else Path(place))
        by_disk.setdefault(path.stat().st_dev, (path, []))[1].append(name)
    return [_room(path, names) for path, names in by_disk.values()] + found


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _room(path: Path, names: list[str]) -> Finding:
    usage = shutil.disk_usage(path)
    share = usage.free / usage.total if usage.total else 0.0
    verdict: Verdict = "ok"
    if usage.free < LEAST_BYTES or share < LEAST_SHARE:
        verdict = "wrong"
    elif share < LITTLE_SHARE:
        verdict = "note"
    mend = "" if verdict == "ok" else "Make room: without, checkpoints fail and Kafka ends."
    return Finding("disk", verdict, f"{', '.join(names)}: {usage.free / GIB:.1f} GiB free ({share:.0%})", mend)
