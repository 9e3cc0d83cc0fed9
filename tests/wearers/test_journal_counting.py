"""Whatever happens to owners, checkpoints and files: every row of the valid history counts once."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.wearers import journal_merging
from tests.wearers.journal_history import History

WHO = st.integers(-3, -1)
HOW: dict[str, tuple[int, st.SearchStrategy[tuple[object, ...]]]] = {
    "cut": (8, st.tuples(st.integers(1, 4))),
    "checkpoint": (4, st.tuples(st.sampled_from([-1, -1, -2, -3]))),
    "write": (6, st.tuples(WHO)),
    "write_in_vain": (2, st.tuples(WHO, st.integers(0, 2))),
    "take_over": (4, st.tuples(st.integers(0, 2))),
    "replay": (2, st.tuples(WHO, st.integers(1, 6))),
    "merge": (4, st.tuples(st.sampled_from([-1, -1, -2]))),
    "lose": (1, st.tuples()),
}
"""What may happen, how often, and with which arguments."""
STEPS = st.sampled_from([what for what, (often, _) in HOW.items() for _ in range(often)]).flatmap(
    lambda what: HOW[what][1].map(lambda how: (what, *how))
)


@pytest.fixture
def merges_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_merging, "MERGE_FILES", 3)


@pytest.mark.usefixtures("merges_soon")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(st.lists(STEPS, min_size=25, max_size=60))
def test_every_row_of_the_valid_history_counts_once_and_none_of_a_dead_branch(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        steps.insert(len(steps) * 2 // 3, ("create_topics_anew",))
        for number, (what, *how) in enumerate(steps):
            getattr(history, str(what))(*how)
            if number % 4 == 0 or what == "merge":
                history.check()
        history.check()
