"""Logs to verify, and processes that write them."""

from collections.abc import Iterator

import pytest

from monitor.settings import Settings
from tests.stream.conftest import processes
from tests.verifying.author import START_MS, Author

__all__ = ["processes"]


@pytest.fixture
def author(replay_settings: Settings) -> Iterator[Author]:
    """An author with cut 0 written."""
    made = Author(replay_settings)
    made.begin()
    yield made
    made.producer.close()


@pytest.fixture
def written(author: Author) -> Author:
    """Ten minutes in ten cuts: thirty alerts of three wearers."""
    for minute in range(10):
        for wearer in ("a", "b", "c"):
            author.records(wearer, 10, START_MS + minute * 60_000)
        author.cut(START_MS + (minute + 1) * 60_000 - 1)
    return author
