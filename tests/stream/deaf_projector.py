"""A projector whose consumer hands nothing over, as Faust's does now and then."""

import sys

from monitor.errors import PulsewardenError
from monitor.settings import load
from monitor.stream import projector


def receive(self: projector.Projector, fetched: object) -> None:
    """Lose it."""


if __name__ == "__main__":
    projector.Projector.receive = receive  # type: ignore[method-assign]
    try:
        projector.run(load())
    except PulsewardenError as error:
        print(error, flush=True)
        sys.exit(2)
