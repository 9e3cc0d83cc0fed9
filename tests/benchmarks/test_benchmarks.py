"""The command's options and the shape of what it writes. No figure is judged: this machine may be busy."""

import json
import math
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from benchmarks.__main__ import NAMES, main
from benchmarks.burst_memory import BurstMemory
from benchmarks.catching_up import counted, measured
from benchmarks.detector_cost import DetectorCosts
from benchmarks.engine_sweep import EngineSweeps
from benchmarks.figure import Figure, Target
from benchmarks.fleet_load import Fleet
from benchmarks.one_wearer import OneWearer
from benchmarks.page import Run, text
from monitor.errors import PulsewardenError

RUN = Run({"processor": "a processor"}, "2026-01-05", "python -m benchmarks", 3)


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, list(arguments))


def test_help_names_every_measurement() -> None:
    result = run("--help")

    assert result.exit_code == 0
    assert all(name in result.output for name in NAMES)


def test_an_unknown_name_is_refused() -> None:
    result = run("--only", "spede")

    assert result.exit_code == 2
    assert "spede" in result.output


def test_json_holds_a_list_of_finite_figures(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    result = run("--only", "model", "--rounds", "2", "--json", str(path))

    assert result.exit_code == 0
    (figure,) = json.loads(path.read_text())
    assert set(figure) == {"name", "value", "unit", "peer", "ratio", "spread"}
    assert figure["name"] == "model"
    assert math.isfinite(figure["value"])
    assert figure["value"] > 0
    assert figure["spread"] >= 0


def test_the_engine_takes_the_whole_load_in_decides_its_minutes_and_alerts() -> None:
    sweeps = EngineSweeps(Fleet(wearers=400, sweeps=2), warm_up_min=6)

    sweeps.prepare()  # it raises if a record is refused
    sweeps.round(8)

    assert sweeps.decided >= 400 * 12
    assert sweeps.alerts >= 2
    assert [figure.name for figure in sweeps.figures()] == ["engine", "decode"]


def test_detectors_and_the_daily_sweep_have_a_figure() -> None:
    costs = DetectorCosts(wearers=800)

    costs.prepare()
    costs.round()

    assert [figure.name for figure in costs.figures()] == ["detectors", "daily-sweep"]
    assert costs.figures()[1].value > 0


def test_one_wearers_records_are_all_taken_in_and_decided() -> None:
    one = OneWearer(records=400)

    one.prepare()
    one.round()  # it raises if a record is refused

    assert one.decided >= 200
    assert [figure.name for figure in one.figures()] == ["one-wearer", "one-wearer-seconds"]
    assert all(figure.value > 0 for figure in one.figures())


def test_a_gateways_burst_is_taken_in_by_a_process_that_tells_its_peak() -> None:
    burst = BurstMemory(wearers=2, hours=1)

    burst.prepare()
    burst.round()

    peak, speed = burst.figures()
    assert (peak.name, speed.name) == ("burst-memory", "burst-memory-rate")
    assert 20 < peak.value < 1000
    assert "122 envelopes" in peak.note
    assert "; 0 versions" not in peak.note  # the tachycardia of the second wearer is found


def test_the_same_fleet_gives_the_same_bytes() -> None:
    assert list(Fleet(40, 2).minute(5)) == list(Fleet(40, 2).minute(5))
    assert list(Fleet(40, 2).minute(5)) != list(Fleet(40, 2, seed=2).minute(5))


def test_a_figure_is_the_median_of_its_rounds_and_knows_how_far_they_lie_apart() -> None:
    figure = Figure("x", "things/s", (90.0, 100.0, 120.0), "note", Target("at least", 110))

    assert figure.value == 100
    assert figure.spread == pytest.approx(0.3)
    assert figure.shortfall == "`x` is 100 things/s; the target is at least 110."
    assert Figure("x", "MiB", (100.0,), "note", Target("at most", 110)).shortfall is None
    assert Figure("x", "MiB", (100.0,), "note").spread is None


def test_a_ratio_is_judged_by_the_ratio() -> None:
    target = Target("at least", 2, "ratio")

    assert Figure("x", "things/s", (1.0,), "note", target, "the peer", 2.5).shortfall is None
    assert "1.5 x the peer" in (Figure("x", "things/s", (9.0,), "note", target, "the peer", 1.5).shortfall or "")


def test_the_page_says_what_falls_short_and_what_was_not_measured() -> None:
    short = Figure("memory", "MiB", (900.0,), "note", Target("at most", 800))
    broken = Run({}, "2026-01-05", "python -m benchmarks", 3, ["latency could not be measured: no broker."])

    page = text([short], broken)

    assert "`memory` is 900 MiB; the target is at most 800." in page
    assert "latency could not be measured: no broker." in page
    assert "Nothing" in text([Figure("memory", "MiB", (700.0,), "note", Target("at most", 800))], RUN)


def test_the_worker_is_measured_between_its_start_and_the_end_of_the_log() -> None:
    points = [(float(i), i / 2, done) for i, done in enumerate([0, 50, 200, 400, 700, 1000])]

    assert measured(points, 1000) == (2, 4)
    with pytest.raises(PulsewardenError, match="too short"):
        measured([(0.0, 0.0, 0), (1.0, 0.5, 1000)], 1000)


def test_a_load_that_is_refused_is_no_figure() -> None:
    with pytest.raises(PulsewardenError, match="refused"):
        counted({"dead_letters": {"future": 1}, "events_ingested": {}})
