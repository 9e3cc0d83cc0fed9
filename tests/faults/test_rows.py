"""The rows of several runs, and the page that is made of them."""

from pathlib import Path

from tests.faults import crashes
from tests.faults.fault import named
from tests.faults.page import text
from tests.faults.row import Row
from tests.faults.rows import Rows


def test_a_row_that_is_run_again_replaces_the_one_before_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    first = Rows.of(path)
    for seed in (2, 1):
        first.add(Row("kill-9", seed, lost=3, why=["an alert is lost"]))
    again = Rows.of(path)
    again.add(Row("kill-9", 1))
    assert [(row.seed, row.lost) for row in Rows.of(path).of_fault("kill-9")] == [(1, 0), (2, 3)]
    assert Rows.of(path).of_fault("zombie") == []


def test_the_page_has_a_line_for_each_seed_and_tells_each_fault_once() -> None:
    fault = named(crashes.FAULTS, "kill-9")
    ran = [(fault, Row("kill-9", 1)), (fault, Row("kill-9", 2, lost=1, why=["an alert is lost"]))]
    page = text(ran, "make faults", "2026-12-01", {})
    assert page.count("| `kill-9` |") == 2
    assert page.count(f"- `kill-9`: {fault.what}.") == 1
    assert "1 of 2 runs are not clean: `kill-9` (2)." in page
    assert "- `kill-9`, seed 2: an alert is lost" in page
