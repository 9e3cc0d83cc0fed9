"""A worker process with the toy engine; settings from the environment. Run by the tests."""

import os
import sys

import structlog

from monitor.errors import PulsewardenError
from monitor.settings import load
from monitor.stream.worker import run
from stream_schemas.topics import INPUTS
from tests.stream.toy_engine import ToyEngine

if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        code = run(load(), lambda settings: ToyEngine(INPUTS, settings.teams[0], "TOY_SCORES" in os.environ))
    except PulsewardenError as error:
        sys.exit(f"error: {error}")
    sys.exit(code)
