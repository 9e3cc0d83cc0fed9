"""Pictures of the page: PNG, 120 dpi, drawn without a window system; legends beside the data, units on every axis."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 120
COLOURS = ("#1f5f8b", "#c8553d", "#5b8c5a", "#8d6a9f", "#b58900", "#4d4d4d")
MARKS = ("v", "s", "D", "P", "X", "o")
Floats = NDArray[np.float64]


def figure(rows: int, columns: int, width: float, height: float, **more: Any) -> "tuple[Figure, NDArray[Any]]":
    """Return a figure with its axes (rows, columns), without the frames on top and right."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False, **more)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
        one.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        one.set_axisbelow(True)
    return made, axes


def png(made: "Figure") -> bytes:
    """Return a figure as PNG of 64 colours, which is a third of the size, without a date in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(made)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.fromarray(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True, dpi=(DPI, DPI))
    return buffer.getvalue()


def _name(axes: "Axes", title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)


def rates_of_errors(positive: NDArray[np.bool_], scores: Mapping[str, Floats]) -> bytes:
    """Draw receiver operating curves."""
    made, grid = figure(1, 2, 8.4, 3.6)
    for axes, most in zip(grid[0], (1.0, 0.2), strict=True):
        for (name, score), colour in zip(scores.items(), COLOURS, strict=False):
            order = np.argsort(-score, kind="stable")
            found = np.cumsum(positive[order]) / max(positive.sum(), 1)
            false = np.cumsum(~positive[order]) / max((~positive).sum(), 1)
            axes.plot(false, found, color=colour, linewidth=1.4, label=name)
        axes.set_xlim(0, most)
        axes.set_ylim(1 - most, 1.005)
        _name(
            axes,
            "All" if most == 1 else "The upper left corner",
            "share of windows without AF that are told as AF",
            "share of windows with AF found",
        )
    made.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return png(made)


def rates(where: str, names: Sequence[str], values: Floats, low: Floats, high: Floats, budget: float) -> bytes:
    """Draw rates with their intervals as a line of dots each, and the budget."""
    made, grid = figure(1, 1, 7.2, 0.9 + 0.34 * max(len(names), 2))
    axes, at = grid[0, 0], np.arange(len(names))[::-1]
    axes.errorbar(
        values,
        at,
        xerr=np.stack([values - low, high - values]),
        fmt="o",
        markersize=4,
        color=COLOURS[0],
        elinewidth=1.3,
        capsize=2,
        label="rate and 95 % interval",
    )
    axes.axvline(budget, color=COLOURS[1], linewidth=1.2, linestyle="--", label=f"budget {budget}")
    axes.set_yticks(at, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(left=0)
    _name(axes, where, "episodes a wearer-day", "")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)
    return png(made)


def around_onset(
    title: str,
    days: Floats,
    panels: Mapping[str, tuple[Floats, Floats | None]],
    marks: Mapping[str, Floats],
) -> bytes:
    """Draw a person's days around an onset.

    Parameters
    ----------
    days : (D,) days from the onset. panels : axis label with unit -> values (D,), and what is usual or None.
    marks : detector -> days on which it was raised.
    """
    made, grid = figure(len(panels) + 1, 1, 8.4, 0.9 + 1.55 * len(panels), sharex=True, height_ratios=_heights(panels))
    top = grid[0, 0]
    for level, when in enumerate(marks.values()):
        inside = when[(when >= days[0]) & (when <= days[-1])]
        top.plot(inside, np.full(len(inside), level), MARKS[level % len(MARKS)], color=COLOURS[1], markersize=4)
        top.set_ylim(-0.7, len(marks) - 0.3)
    top.set_yticks(range(len(marks)), list(marks))
    top.set_title(title, fontsize=9, loc="left")
    handles: dict[str, Any] = {}
    for axes, (label, (values, usual)) in zip(grid[1:, 0], panels.items(), strict=True):
        handles["day"] = axes.plot(days, values, ".-", color=COLOURS[0], markersize=4, linewidth=0.7)[0]
        if usual is not None:
            handles["median of the 28 days before"] = axes.plot(days, usual, color=COLOURS[5], linewidth=1.1)[0]
        axes.set_ylabel(label, fontsize=8)
    for axes in grid[:, 0]:
        handles["first symptoms, as the person said"] = axes.axvline(0, color=COLOURS[1], linestyle="--", linewidth=1)
    grid[-1, 0].set_xlabel("days from the first symptoms", fontsize=8)
    grid[-1, 0].set_xlim(days[0] - 1, days[-1] + 1)
    made.align_ylabels(list(grid[1:, 0]))
    made.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return png(made)


def _heights(panels: Mapping[str, Any]) -> list[float]:
    return [0.45, *[1.0] * len(panels)]


def two_groups(panels: Sequence[tuple[str, str, str, Mapping[str, tuple[Floats, Floats]], bool]]) -> bytes:
    """Draw panels of curves: the median of each group, and a band from the 10th to the 90th percentile of its people.

    Parameters
    ----------
    panels : title, x label, y label, group -> (x (K,), curves (people, K)), and whether x is logarithmic.
    """
    made, grid = figure(2, -(-len(panels) // 2), 8.8, 5.8)
    for axes, (title, x_label, y_label, groups, logarithmic) in zip(grid.flat, panels, strict=False):
        for (name, (x, curves)), colour in zip(groups.items(), COLOURS, strict=False):
            known = (~np.isnan(curves)).sum(axis=0) > 0
            low, middle, high = np.full((3, len(x)), np.nan)
            if known.any():
                low[known], middle[known], high[known] = np.nanpercentile(curves[:, known], [10, 50, 90], axis=0)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(x, middle, color=colour, linewidth=2, label=name)
        if logarithmic:
            axes.set_xscale("log")
        _name(axes, title, x_label, y_label)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    made.legend(
        handles,
        [f"{label}: median of the people, and 10th to 90th percentile" for label in labels],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    return png(made)
