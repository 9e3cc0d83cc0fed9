"""The figures of a scorecard as pictures (PNG), each for a page or a screen 800 pixels wide."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators.scorecard.matching import Standing
from simulators.scorecard.measures import Found, Scorecard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES, DPI = 8.0, 100
BLUE, GREY, ORANGE, GREEN, RED = "#1f6fb2", "#9a9a9a", "#d9822b", "#3c8d5a", "#b5403a"
HOURS_OF_MIN = 60


def sensitivity(rows: Sequence[tuple[str, Found]], title: str, other: Mapping[str, float] | None = None) -> bytes:
    """Draw sensitivities with their intervals, and the chance hit rate of each.

    rows : label and figures, first on top. other : label -> a share to compare with, drawn as a cross.
    """
    figure, axes = _figure(0.3 * max(len(rows), 1) + 1.5)
    for y, (label, found) in enumerate(reversed(rows)):
        if not found.eligible:
            axes.text(0.0, y, "  none was eligible", va="center", color=GREY, fontsize=8)
            continue
        low, high = found.interval
        axes.plot([low, high], [y, y], color=BLUE, linewidth=2)
        axes.plot(found.sensitivity, y, "o", color=BLUE, markersize=6, label="found, 95 %")
        axes.plot([0, found.chance_high], [y - 0.25, y - 0.25], color=ORANGE, linewidth=2, alpha=0.4)
        axes.plot(found.chance, y - 0.25, "|", color=ORANGE, markersize=9, label="by chance, to 97.5 %")
        if other is not None and np.isfinite(other.get(label, np.nan)):
            axes.plot(other[label], y + 0.25, "x", color=RED, markersize=6, label="without the transplant")
    axes.set_yticks(range(len(rows)), [f"{label}  (n={found.eligible})" for label, found in reversed(rows)], fontsize=8)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of eligible events with an alert in their window")
    axes.grid(axis="x", alpha=0.3)
    _legend(axes)
    return _png(figure, title)


def leads(card: Scorecard, title: str) -> bytes:
    """Draw when the first alert came, on a scale that shows minutes and days; one dot an event."""
    kinds = [one for one in card.kinds if len(one.lead_min)]
    figure, axes = _figure(0.4 * max(len(kinds), 1) + 1.4)
    rng = np.random.default_rng(1)
    for y, one in enumerate(reversed(kinds)):
        hours = -one.lead_min / HOURS_OF_MIN
        axes.plot(hours, y + rng.uniform(-0.18, 0.18, len(hours)), ".", color=BLUE, alpha=0.5, markersize=5)
        axes.plot(np.median(hours), y, "|", color=RED, markersize=18, markeredgewidth=2)
    axes.set_xscale("symlog", linthresh=1.0)
    ticks = (-120, -24, -6, -1, 0, 1, 6, 24, 168, 672)
    axes.set_xticks(
        ticks, [f"{abs(tick)} h" if abs(tick) < 48 else f"{abs(tick) // 24} d" for tick in ticks], fontsize=8
    )
    axes.minorticks_off()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(
        range(len(kinds)), [f"{one.kind.outcome}  (n={len(one.lead_min)})" for one in reversed(kinds)], fontsize=8
    )
    axes.set_xlabel("first alert before the onset (left) or after it (right); red: median")
    axes.grid(axis="x", alpha=0.3)
    return _png(figure, title)


def load(card: Scorecard, title: str) -> bytes:
    """Draw alerts a worn wearer-day by rule, split by what they were."""
    parts = (
        (Standing.ANSWER, GREEN, "answers an event"),
        (Standing.BESIDE, BLUE, "in another condition"),
        (Standing.UNJUDGED, GREY, "not judged"),
        (Standing.CONFOUNDED, ORANGE, "during a confounder"),
        (Standing.FALSE, RED, "false"),
    )
    rules = [rule for rule, counts in card.alarms.items() if Standing.TECHNICAL not in counts]
    figure, axes = _figure(0.32 * max(len(rules), 1) + 1.4)
    left = np.zeros(len(rules))
    places = np.arange(len(rules))[::-1]
    for standing, colour, label in parts:
        wide = np.array([card.alarms[rule].get(standing, 0) for rule in rules]) / max(card.worn_days, 1e-9)
        axes.barh(places, wide, left=left, color=colour, label=label, height=0.7)
        left += wide
    axes.axvline(0.02, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(places, rules, fontsize=8)
    axes.set_xlabel("alerts a worn wearer-day (dotted: budget of false ones, 0.02 a rule)")
    _legend(axes)
    axes.grid(axis="x", alpha=0.3)
    return _png(figure, title)


def pictures(card: Scorecard) -> dict[str, bytes]:
    """Return the three pictures of a scorecard by their short names."""
    return {
        "sensitivity": sensitivity([(one.kind.outcome, one.found) for one in card.kinds], f"{card.name}: events found"),
        "lead": leads(card, f"{card.name}: when the first alert came"),
        "load": load(card, f"{card.name}: alerts by rule"),
    }


def _figure(high: float) -> tuple["Figure", Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES, high), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _legend(axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    if once:
        axes.figure.legend(once.values(), once.keys(), fontsize=8, loc="outside lower center", ncols=len(once))


def _png(figure: "Figure", title: str) -> bytes:
    figure.suptitle(title, fontsize=10)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
