"""Colour, mark and word of a priority: always all three, because one in twelve men cannot tell red from amber.

The colours follow the usual order of alarm signals, red, amber, cyan, with grey for what is technical; letters stand
out from their ground by at least 5:1.
"""

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

_NEAR_BLACK = "#111111"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a priority looks."""

    stars: str
    word: str
    style: Style

    def badge(self) -> Text:
        """Return stars and word on the priority's colour."""
        return Text(f" {self.stars:<3} {self.word:<6}", style=self.style)


MARKS = {
    "high": Mark("***", "HIGH", Style(color="#FFFFFF", bgcolor="#C62828", bold=True)),
    "medium": Mark("**", "MEDIUM", Style(color=_NEAR_BLACK, bgcolor="#FFC400", bold=True)),
    "low": Mark("*", "LOW", Style(color=_NEAR_BLACK, bgcolor="#4DD0E1")),
    "technical": Mark("-", "TECHN.", Style(color="#FFFFFF", bgcolor="#5F6368")),
}
UNKNOWN = Mark("?", "OTHER", Style(reverse=True))

GOOD = Style(color="#FFFFFF", bgcolor="#1B5E20", bold=True)
STALE = Style(color=_NEAR_BLACK, bgcolor="#FFC400", bold=True)
TITLE = Style(bold=True)
DIM = Style(dim=True)
"""For labels only, never for a value."""


def mark(priority: str) -> Mark:
    """Return the mark of a priority; a priority of a later version gets one of its own, not another's."""
    return MARKS.get(priority, UNKNOWN)
