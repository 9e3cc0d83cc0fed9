"""A worker process with the toy engine; settings from the environment. Run by the tests.

With TOY_POISONED the engine raises where it meets poison.
With TOY_DEAF_TO=N whatever is fetched of partition N gets lost, as when a fetch loop never resumes.
"""

import os
import sys

import structlog

from monitor.errors import PulsewardenError
from monitor.settings import load
from monitor.stream.owner import Owner
from monitor.stream.records import Fetched
from monitor.stream.worker import run
from stream_schemas.topics import INPUTS
from tests.stream.toy_engine import PoisonedEngine, ToyEngine


def deafen(partition: int) -> None:
    receive = Owner.receive

    def hear(self: Owner, fetched: Fetched) -> None:
        if fetched.partition != partition:
            receive(self, fetched)

    Owner.receive = hear  # type: ignore[method-assign]


if __name__ == "__main__":
    if "TOY_DEAF_TO" in os.environ:
        deafen(int(os.environ["TOY_DEAF_TO"]))
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        kind = PoisonedEngine if "TOY_POISONED" in os.environ else ToyEngine
        code = run(load(), lambda settings: kind(INPUTS, settings.teams[0], "TOY_SCORES" in os.environ))
    except PulsewardenError as error:
        sys.exit(f"error: {error}")
    sys.exit(code)
