"""The version of the engine: a name for everything that decides what alerts a log gives.

Two workers of one version give the same bytes for the same log. A changed word in a text, another limit in the package,
another zone database or another numpy is another version: across versions the recorded outputs stand, and the first cut
of the new one says from where on it decides (docs/upgrading.md).
"""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import models
import monitor
import stream_schemas

DECIDES = (
    (monitor, ("alerting", "deciding", "signals", "wearers")),
    (monitor, ("engine.py", "inputs.py", "outputs.py", "saving.py")),
    (stream_schemas, (".",)),
    (models, ("snapshot.py",)),
)
"""Files and folders of our packages that have a say."""
LIBRARIES = ("msgspec", "numpy", "pydantic", "pydantic_core", "scipy", "tzdata")
"""Libraries that have one; pydantic words the refusals."""


@cache
def engine_version() -> str:
    """Return 12 hex digits that name what decides: a hash of its sources and of the versions of its libraries."""
    digest = hashlib.sha256()
    for library in LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}\n".encode())
    for package, parts in DECIDES:
        root = Path(package.__path__[0])
        for path in sorted(path for part in parts for path in _sources(root / part)):
            digest.update(f"{package.__name__}/{path.relative_to(root).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources(place: Path) -> list[Path]:
    return [place] if place.is_file() else list(place.rglob("*.py"))
