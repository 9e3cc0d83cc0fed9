"""The benchmarks that run live, in small: they come to their end, and their figures are what they are called."""

import math
from pathlib import Path

import pytest

from benchmarks.broker import Bench, BenchmarkFailed
from benchmarks.cut_cost import OFTEN_MS, SELDOM_MS, CutCost
from benchmarks.hundred_thousand import HundredThousand, Way
from benchmarks.publishing import LIVE_SWEEPS, live
from monitor.local.stack import Stack


@pytest.fixture
def bench(stack: Stack, tmp_path: Path) -> Bench:
    return Bench(stack, tmp_path)


def test_a_fleet_is_checkpointed_measured_killed_and_caught_up(bench: Bench) -> None:
    ways = [Way("recovery", scoring=False, static=True)]
    fleet = HundredThousand(bench, wearers=LIVE_SWEEPS, history_min=1, seconds=3, interval_s=2, ways=ways)
    fleet.prepare()
    fleet.round()
    assert fleet.failures == []
    figures = {figure.name: figure for figure in fleet.figures()}
    assert set(figures) == {
        *("checkpoint-stall", "checkpoint-stall-else", "checkpoint-copy", "checkpoint-time", "checkpoint-size"),
        *("live-cpu", "live-memory", "recovery"),
    }
    assert all(math.isfinite(figure.value) and figure.value >= 0 for figure in figures.values())
    assert figures["checkpoint-copy"].value <= figures["checkpoint-stall"].value + 6, "a copy holds the loop up"
    assert 1 < figures["checkpoint-size"].value < 100


def test_the_cost_of_a_cut_is_what_more_cuts_cost_more(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    runs = {SELDOM_MS: (8.0, 0.05), OFTEN_MS: (158.0, 0.065)}
    monkeypatch.setattr(CutCost, "_run", lambda self, idle_cut_ms: runs[idle_cut_ms])
    cost = CutCost(bench)
    cost.round()
    (figure,) = cost.figures()
    assert figure.value == pytest.approx(100)
    runs[OFTEN_MS] = runs[SELDOM_MS]
    with pytest.raises(BenchmarkFailed, match="cut alike"):
        cost.round()


def test_the_live_fleet_sends_everybody_once_a_minute_when_the_minute_is_over() -> None:
    begin_ms = 1_767_571_200_000
    seen: dict[bytes, int] = {}
    for due_ms, sweep in live(LIVE_SWEEPS * 2, begin_ms + 12_345):
        if due_ms >= begin_ms + 72_345:
            break
        assert sweep.arrived_ms <= due_ms + 1_000
        for key, _ in sweep.heart_rate:
            assert key not in seen
            seen[key] = due_ms
    assert len(seen) == LIVE_SWEEPS * 2
    assert min(seen.values()) == begin_ms + 12_360
