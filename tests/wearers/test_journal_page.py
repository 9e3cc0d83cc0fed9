"""The page about the journal says what the code writes."""

from pathlib import Path

import pytest

from models.journal_tables import TABLES

PAGE = (Path(__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")


def documented() -> dict[str, list[tuple[str, ...]]]:
    """Read the page's tables: name -> rows of cells."""
    found = {}
    for section in PAGE.split("\n### ")[1:]:
        lines = section.partition("\n## ")[0].splitlines()
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("| ")]
        found[lines[0]] = rows[1:]
    return found


def test_the_page_has_the_tables_of_the_code_in_its_order() -> None:
    assert list(documented()) == list(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_every_column_with_type_unit_and_code(table: str) -> None:
    assert documented()[table] == [(c.name, str(c.type), c.means) for c in TABLES[table].columns]


@pytest.mark.parametrize("table", TABLES)
def test_the_page_names_the_key(table: str) -> None:
    assert f"Key: {', '.join(TABLES[table].key)}." in PAGE.split(f"\n### {table}\n")[1].partition("|")[0]
