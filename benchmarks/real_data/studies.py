"""The studies by name, in the order of the page; each takes the data folder and the limits of the rules."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.real_data.results import Study
from monitor.alerting.limits import Limits

Make = Callable[[Path, Limits], Study]


def _rhythm(data: Path, _: Limits) -> Study:
    from benchmarks.real_data import rhythm

    return rhythm.study(data)


def _short(data: Path, _: Limits) -> Study:
    from benchmarks.real_data import rhythm

    return rhythm.short(data)


def _fitabase(data: Path, limits: Limits) -> Study:
    from benchmarks.real_data import fitabase

    return fitabase.study(data, limits)


def _lifesnaps(data: Path, limits: Limits) -> Study:
    from benchmarks.real_data import lifesnaps

    return lifesnaps.study(data, limits)


def _welltory(data: Path, limits: Limits) -> Study:
    from benchmarks.real_data import welltory

    return welltory.study(data, limits)


def _gate(data: Path, limits: Limits) -> Study:
    from benchmarks.real_data import quality_gate

    return quality_gate.study(data, limits)


def _realism(data: Path, _: Limits) -> Study:
    from benchmarks.real_data import resemblance

    return resemblance.study(data)


STUDIES: dict[str, Make] = {
    "af": _rhythm,
    "fitabase": _fitabase,
    "lifesnaps": _lifesnaps,
    "gate": _gate,
    "welltory": _welltory,
    "realism": _realism,
    "af-short": _short,
}
ONLY_WHEN_NAMED = ("af-short",)
"""Untouched until everything else is settled, and run once: a figure that was looked at while working is no proof."""
