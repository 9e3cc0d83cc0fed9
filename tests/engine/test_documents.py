"""What docs/rules.md says of the limits is what the code holds."""

from pathlib import Path

from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits, table
from monitor.wearers.fields import BYTES_PER_WEARER
from monitor.wearers.fields import table as table_of_fields

ROOT = Path(__file__).parents[2]


def test_the_rules_page_lists_every_limit_with_its_default_and_source() -> None:
    assert table() in (ROOT / "docs" / "rules.md").read_text()


def test_the_rules_page_has_a_row_for_every_rule() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()

    assert [rule.name for rule in Rule if f"| {rule.name} |" not in page] == []


def test_every_limit_has_a_source() -> None:
    assert [name for name, field in Limits.model_fields.items() if not field.description] == []


def test_a_wearer_takes_at_most_15_kilobytes() -> None:
    assert BYTES_PER_WEARER <= 15_000


def test_the_page_of_the_state_holds_the_table_of_fields_and_their_sum() -> None:
    page = (ROOT / "docs" / "state.md").read_text()

    assert table_of_fields() in page
    assert f"{BYTES_PER_WEARER:,} bytes a wearer" in page
