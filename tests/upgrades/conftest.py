"""Acceptance tests run the real processes; the fixture that starts them is the stream tests' own."""

from tests.stream.conftest import processes

__all__ = ["processes"]
