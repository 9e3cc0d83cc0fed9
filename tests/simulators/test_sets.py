"""What a parameter set must be, whoever wrote it: every kind has a course that stays within its span, and is pure."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators import parameters
from simulators.courses import Change, Episode, Form, ParameterSet
from simulators.effects import NEUTRAL
from simulators.errors import ScenarioRefused
from simulators.kinds import CONFOUNDERS, TECHNICAL, Kind

SETS = [parameters.load(name) for name in parameters.NAMES]
KINDS = [kind for kind in Kind if kind not in TECHNICAL]
FAR = 4 * 1440


def episode(kind: Kind, chosen: ParameterSet, form: Form, u: float, female: bool = True) -> Episode:
    span = chosen.spans[kind]
    long = int(span.shortest_min + u * (span.longest_min - span.shortest_min))
    return Episode(kind, long, form, u, (u, 1 - u, u**2, 0.3, u, 0.7), 62.0, 120.0, 76.0, 0.5, female)


def laid(chosen: ParameterSet, e: Episode, minute: NDArray[np.int64]) -> Change:
    return chosen.courses[e.kind](e, minute, ((minute + 600) % 1440 / 60).astype(np.float32))


def neutral(name: str, value: NDArray[np.generic]) -> NDArray[np.bool_]:
    known = NEUTRAL.get(name, 0.0)
    if name == "swing_s":
        return np.ones(len(value), bool)
    return np.asarray(np.isnan(value.astype(float)) if np.isnan(known) else value.astype(float) == known)


@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: chosen.name)
def test_every_kind_that_changes_the_body_has_a_course_and_a_span(chosen: ParameterSet) -> None:
    assert set(KINDS) <= set(chosen.courses)
    assert set(KINDS) <= set(chosen.spans)
    assert all(0 < span.shortest_min <= span.longest_min for span in chosen.spans.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.outcome)
@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: chosen.name)
def test_a_course_changes_something_within_its_span_and_nothing_outside(chosen: ParameterSet, kind: Kind) -> None:
    span = chosen.spans[kind]
    for form, u in ((Form.CLEAR, 0.1), (Form.CLEAR, 0.95), (Form.MILD, 0.5), (Form.SILENT, 0.5)):
        e = episode(kind, chosen, form, u)
        after = min(span.after_min, FAR)
        minute = np.arange(-span.before_min - FAR, e.minutes + after + FAR)
        change = laid(chosen, e, minute)
        outside = minute < -span.before_min
        if span.after_min < FAR:
            outside |= minute >= e.minutes + span.after_min
        touched = False
        for field in fields(Change):
            value = getattr(change, field.name)
            if value is None:
                continue
            assert value.shape == minute.shape, field.name
            assert field.name in ("hold_bpm", "irregular_cv") or np.isfinite(value).all(), field.name
            same = neutral(field.name, value)
            assert same[outside].all(), f"{field.name} reaches outside of its span"
            touched |= not same.all()
        assert touched or form == Form.SILENT


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.outcome)
@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: chosen.name)
def test_a_course_looks_at_each_minute_for_itself(chosen: ParameterSet, kind: Kind) -> None:
    e = episode(kind, chosen, Form.CLEAR, 0.6)
    minute = np.arange(-60, min(e.minutes, 3 * 1440))
    whole, part = laid(chosen, e, minute), laid(chosen, e, minute[100:160])
    for field in fields(Change):
        value = getattr(whole, field.name)
        if value is not None:
            np.testing.assert_array_equal(value[100:160], getattr(part, field.name), err_msg=field.name)


@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: chosen.name)
def test_silent_infections_hide_among_the_days(chosen: ParameterSet) -> None:
    for u in (0.0, 0.5, 1.0):
        e = episode(Kind.INFECTION, chosen, Form.SILENT, u)
        change = laid(chosen, e, np.arange(e.minutes))
        assert change.add_bpm is None or np.abs(change.add_bpm).max() <= 2


def test_the_sets_differ_in_what_they_do() -> None:
    a, b = SETS
    for kind in KINDS:
        e = episode(kind, a, Form.CLEAR, 0.6)
        minute = np.arange(0, min(e.minutes, 1440))
        one, other = laid(a, e, minute), laid(b, e, minute)
        names = [f.name for f in fields(Change) if getattr(one, f.name) is not None]
        assert any(
            getattr(other, name) is None or not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
            for name in names
        ), kind.outcome


def test_an_unknown_set_is_refused_with_a_sentence() -> None:
    with pytest.raises(ScenarioRefused, match="one of a, b"):
        parameters.load("c")


def test_confounders_are_no_condition() -> None:
    assert not set(CONFOUNDERS) & set(TECHNICAL)
