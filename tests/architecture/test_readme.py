"""What the README states and a command can check."""

import re
from pathlib import Path

from typer.main import get_command

from monitor.cli import app
from stream_schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def table(mark: str) -> list[list[str]]:
    """Cells of the table after a mark, without head and rule."""
    lines = README.split(f"<!-- {mark}:", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[2:]


def test_every_stage_of_the_readme_exists_with_its_tests() -> None:
    stages = table("stages")

    missing = [cell for row in stages for cell in (row[1], row[4]) if not (ROOT / cell.strip("`")).exists()]

    assert len(stages) >= 10
    assert missing == []


def test_the_readmes_topics_are_the_topics_table() -> None:
    rows = [[t.name, t.schema, t.key, t.writers, t.readers, t.notes] for t in TOPICS]

    assert table("topics") == rows


def test_every_page_and_picture_that_is_linked_exists() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_the_commands_that_the_readme_lists_are_those_of_the_command_line() -> None:
    listed = re.search(r"lists the commands: `([a-z ]+)`", README)
    names = set(get_command(app).commands)  # type: ignore[attr-defined]

    assert listed is not None
    assert set(listed[1].split()) == names
