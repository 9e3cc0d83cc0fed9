"""Minutes of one wearer for the tests: drawn, or written down, and as the columns that the signals take."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.quality import MinuteColumns
from tests.reference.slow_heart_rate import Minute, Minutes

GAPS_S = st.sampled_from([0.0, 1.0, 5.0, 12.0, 45.0, 60.0, 75.0, 300.0, 600.0, 3600.0])


@st.composite
def rated_minutes(draw: st.DrawFn) -> Minute:
    rate = draw(st.sampled_from([22, 60, 62, 88, 88, 88, 110, 130, 165]) | st.integers(20, 240))
    low = draw(st.sampled_from([rate, rate, max(rate - 4, 20)]))
    steps = draw(st.sampled_from([None, 0, 0, 7, 60, rate, max(rate - 3, 0), min(rate + 4, 254)]))
    return Minute(rate, low, rate, draw(st.integers(1, 60)), draw(st.booleans()), steps)


@st.composite
def unrated_minutes(draw: st.DrawFn) -> Minute:
    return Minute(outlier=draw(st.booleans()), steps=draw(st.sampled_from([None, 0, 30, 120])))


@st.composite
def windows(draw: st.DrawFn, shortest: int = 1, longest: int = 40) -> list[Minute]:
    """Draw runs of like minutes, so that lines, locks and gaps come up."""
    minutes: list[Minute] = []
    length = draw(st.integers(shortest, longest))
    while len(minutes) < length:
        one = draw(rated_minutes() | rated_minutes() | unrated_minutes())
        for _ in range(draw(st.sampled_from([1, 1, 2, 5, 12]))):
            walks = draw(st.booleans()) and one.steps == 0
            minutes.append(Minute(one.rate, one.low, one.high, one.count, one.outlier, 25 if walks else one.steps))
    return minutes[:length]


def minutes_of(rates: Sequence[int | None], steps: Sequence[int | None] | int | None = 0) -> list[Minute]:
    """Write down minutes with 12 samples each; rate None = missing."""
    each = list(steps) if isinstance(steps, Sequence) else [steps] * len(rates)
    return [
        Minute(rate, rate or 0, rate or 0, 12 if rate else 0, False, step)
        for rate, step in zip(rates, each, strict=True)
    ]


def columns_of(rows: Sequence[Minutes]) -> MinuteColumns:
    """Columns of equally long rows; steps that are not known hold 0 or 255, which must not matter."""

    width = len(rows[0]) if rows else 15

    def column(values: list[list[int]]) -> NDArray[np.uint8]:
        return np.array(values, np.uint8).reshape(len(rows), width)

    return MinuteColumns(
        bpm=column([[one.rate or 0 for one in row] for row in rows]),
        low=column([[one.low for one in row] for row in rows]),
        high=column([[one.high for one in row] for row in rows]),
        count=column([[one.count for one in row] for row in rows]),
        outlier=column([[one.outlier for one in row] for row in rows]).astype(bool),
        steps=column([[k % 2 * 255 if one.steps is None else one.steps for k, one in enumerate(row)] for row in rows]),
        known=column([[one.steps is not None for one in row] for row in rows]).astype(bool),
    )


def cut(window: MinuteColumns, end: int) -> MinuteColumns:
    """Drop what comes after the first `end` minutes."""
    return MinuteColumns(**{one.name: getattr(window, one.name)[:, :end] for one in dataclasses.fields(window)})
