"""A worker process with the toy engine; settings from the environment. Run by the tests.

With TOY_POISONED the engine raises where it meets poison.
With TOY_DEAF_TO=N whatever is fetched of partition N gets lost, as when a fetch loop never resumes. With TOY_SLOW_S=S
the place of the checkpoints takes S seconds for each.
"""

import os
import sys
import time
from collections.abc import Sequence

import structlog

from monitor.errors import PulsewardenError
from monitor.settings import load
from monitor.stream.owner import Owner
from monitor.stream.records import Fetched
from monitor.stream.worker import run
from monitor.wearers.folder import FolderStore
from stream_schemas.topics import INPUTS
from tests.stream.toy_engine import PoisonedEngine, ToyEngine


def deafen(partition: int) -> None:
    receive = Owner.receive

    def hear(self: Owner, fetched: Fetched) -> None:
        if fetched.partition != partition:
            receive(self, fetched)

    Owner.receive = hear  # type: ignore[method-assign]


def slow_down(seconds: float) -> None:
    write = FolderStore.write

    def take_long(self: FolderStore, name: str, parts: Sequence[memoryview | bytes]) -> None:
        time.sleep(seconds if name.endswith(".safetensors") else 0.0)
        write(self, name, parts)

    FolderStore.write = take_long  # type: ignore[method-assign]


if __name__ == "__main__":
    if "TOY_SLOW_S" in os.environ:
        slow_down(float(os.environ["TOY_SLOW_S"]))
    if "TOY_DEAF_TO" in os.environ:
        deafen(int(os.environ["TOY_DEAF_TO"]))
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        kind = PoisonedEngine if "TOY_POISONED" in os.environ else ToyEngine
        code = run(load(), lambda settings: kind(INPUTS, settings.teams[0], "TOY_SCORES" in os.environ))
    except PulsewardenError as error:
        sys.exit(f"error: {error}")
    sys.exit(code)
