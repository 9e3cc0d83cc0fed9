"""The model on a thread of its own: loaded there, called there, replaced there.

torch holds the interpreter for long stretches only while it loads; while it computes, the loop goes on stepping.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from models.errors import ModelError
from models.snapshot import Snapshot

if TYPE_CHECKING:
    from models.predict import Predictor, Scores

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores, and which model gave them."""

    scores: "Scores"
    version: str
    heads: tuple[str, ...]
    limits: tuple[float | None, ...]
    modalities: tuple[str, ...]


class BundleMismatch(Exception):
    """A bundle is not the one that the switch names."""


class Device:
    """One predictor and the one thread that may touch it.

    Parameters
    ----------
    device : str
        "auto", "cpu" or "cuda".

    Attributes
    ----------
    version, name : of the model and of the device that it runs on; empty before a model is loaded.
    tried : set when the first attempt to load a model has ended.
    """

    def __init__(self, device: str) -> None:
        self._wanted = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._predictor: Predictor | None = None
        self.version = ""
        self.name = ""
        self.tried = asyncio.Event()

    @property
    def hopeless(self) -> bool:
        """Tell whether there is no model although loading one was tried."""
        return self.tried.is_set() and self._predictor is None

    async def load(self, folder: Path | None, sha256: str | None = None) -> bool:
        """Load a bundle and score with it from now on; None is the packaged one.

        Returns
        -------
        bool
            False if the bundle is damaged or not the one that *sha256* names: the log says so, the model in use stays.
        """
        loop = asyncio.get_running_loop()
        try:
            predictor = await loop.run_in_executor(self._thread, _load, folder, self._wanted, sha256)
        except (ModelError, BundleMismatch, OSError, ValueError, RuntimeError) as problem:  # torch raises the last two
            if self.version:
                log.error("a model was not loaded, the one in use stays", in_use=self.version, why=str(problem))
            else:
                log.error("no model was loaded: rules go on, nobody is scored", why=str(problem))
            self.tried.set()
            return False
        self._predictor, self.version, self.name = predictor, predictor.version, predictor.device
        self.tried.set()
        log.info("scoring", model=self.version, device=self.name)
        return True

    async def score(self, snapshot: Snapshot) -> Answer:
        """Score wearers with the model that is loaded when their turn comes.

        Raises
        ------
        LookupError
            If no model is loaded.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._score, snapshot)

    def _score(self, snapshot: Snapshot) -> Answer:
        predictor = self._predictor
        if predictor is None:
            raise LookupError("no model is loaded")
        return Answer(
            predictor.score(snapshot),
            predictor.version,
            tuple(predictor.heads),
            tuple(predictor.limits),
            tuple(predictor.modalities),
        )

    def stop(self) -> None:
        """Take no more work; what runs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _load(folder: Path | None, device: str, sha256: str | None) -> "Predictor":
    from models.predict import Predictor  # torch takes seconds to import: not in the loop's thread

    predictor = Predictor.load(device=device) if folder is None else Predictor.load(folder, device)
    if sha256 is not None and predictor.sha256 != sha256:
        raise BundleMismatch(f"the bundle in {folder} has sha256 {predictor.sha256}, the switch says {sha256}")
    return predictor
