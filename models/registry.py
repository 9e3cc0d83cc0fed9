"""Models on disk: immutable versions, and one pointer to the champion that moves in one step.

``folder/versions/<version>/`` are bundles, ``folder/champion`` holds the champion's version. Going back is promoting an
older version again.
"""

import os
import shutil
from pathlib import Path

from models import bundle
from models.errors import RegistryRefused

POINTER = "champion"


class Registry:
    """A folder of models. One process writes at a time; any number may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def versions(self) -> list[str]:
        """Return the versions that are there, in alphabetical order."""
        return sorted(path.name for path in (self.folder / "versions").glob("*") if not path.name.startswith("."))

    def path(self, version: str) -> Path:
        """Return a version's bundle folder.

        Raises
        ------
        RegistryRefused
            If the registry does not have it.
        """
        folder = self.folder / "versions" / version
        if version not in self.versions():
            raise RegistryRefused(
                f"{self.folder} has no model {version!r}: it has {', '.join(self.versions()) or 'none'}."
            )
        return folder

    def add(self, source: Path) -> str:
        """Copy a verified bundle in under its own version; adding it again changes nothing.

        Raises
        ------
        BundleDamaged
            If the source is not a whole bundle.
        """
        _, identity = bundle.verified(source)
        version = identity[:12]
        target = self.folder / "versions" / version
        if not target.exists():
            staged = target.parent / f".{version}.staged-{os.getpid()}"
            shutil.rmtree(staged, ignore_errors=True)
            shutil.copytree(source, staged)
            bundle.verified(staged)
            staged.rename(target)
        return version

    def promote(self, version: str) -> None:
        """Point to a version as champion; readers see the old one or the new one, never neither.

        Raises
        ------
        RegistryRefused
            If the registry does not have it.
        BundleDamaged
            If it is no longer whole.
        """
        bundle.verified(self.path(version))
        staged = self.folder / f".{POINTER}.staged-{os.getpid()}"
        with staged.open("w", encoding="ascii") as file:
            file.write(version + "\n")
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self.folder / POINTER)

    def champion(self) -> str | None:
        """Return the champion's version; None = none was promoted yet."""
        pointer = self.folder / POINTER
        return pointer.read_text(encoding="ascii").strip() if pointer.exists() else None

    def champion_path(self) -> Path | None:
        """Return the champion's bundle folder; None = none was promoted yet."""
        version = self.champion()
        return None if version is None else self.path(version)
