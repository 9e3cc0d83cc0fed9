"""The truth is told: with forms, confounders and sets, on labels.v1, in JSON and in Parquet; training is as before."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.dataset import Dataset
from models.heads import HEADS
from models.journal import read_cohort
from monitor.retraining.labels import _rows
from simulators import journal, occasions, options, scenario, truth, wearable
from simulators.errors import ScenarioRefused
from simulators.kinds import CONFOUNDERS, Kind
from simulators.world import world
from stream_schemas.codec import decode
from stream_schemas.label import OUTCOMES, LabelEvent
from stream_schemas.topics import LABELS

START_MIN = options.start_min(options.LOG_START)


def test_labels_know_every_kind() -> None:
    assert {kind.outcome for kind in Kind} | {"unknown"} == set(OUTCOMES)


def test_confounders_have_rows_of_their_own() -> None:
    drawn = world(scenario.load("mixed"), 11, 1000, START_MIN, 3 * 1440)
    rows = truth.truths(drawn, drawn.episodes)
    counted = Counter(row.kind for row in rows)
    confounders = [kind.outcome for kind in CONFOUNDERS if kind != Kind.HEAT_WAVE]  # it is January
    assert all(counted[kind] > 1 for kind in confounders), counted
    assert counted["heat_wave"] == 0
    assert {row.form for row in rows if row.kind == "infection"} == {"silent", "mild", "clear"}
    assert all(row.silent == (row.form == "silent") for row in rows)


def test_the_truth_is_a_table_with_what_it_is_about(tmp_path: Path) -> None:
    for name in ("t.parquet", "t.json"):
        wearable.run(
            wearers=40, duration="2d", seed=3, journal_folder=tmp_path / "j", truth_file=tmp_path / name, plain=True
        )
    table, document = pq.read_table(tmp_path / "t.parquet"), json.loads((tmp_path / "t.json").read_text())
    assert table.schema.equals(truth.SCHEMA)
    assert table.num_rows == len(document["episodes"]) + len(document["faults"]) > 20
    assert {b"seed": b"3", b"scenario": b"mixed", b"parameters": b"a"}.items() <= (table.schema.metadata or {}).items()
    assert pc.all(pc.less_equal(table["onset"], table["end"])).as_py()
    assert set(table["family"].to_pylist()) == {"acute", "slow", "confounder", "technical", "fault"}


def test_the_same_seed_gives_the_same_truth_and_a_set_other_bodies(tmp_path: Path) -> None:
    def of(name: str) -> tuple[bytes, bytes]:
        drawn = world(scenario.load("mixed").model_copy(update={"parameters": name}), 5, 64, START_MIN, 1440)
        block = drawn.block(0)
        return block.bpm.tobytes(), block.seen.steps.tobytes()

    assert of("a") == of("a")
    assert of("a") != of("b")


def test_training_ignores_outcomes_that_no_head_asks_about(tmp_path: Path) -> None:
    drawn = world(scenario.load("mixed"), 12, 64, START_MIN, 3 * 1440)
    journal.write(drawn, tmp_path / "all", ["north"])
    journal.write(drawn, tmp_path / "asked", ["north"])
    asked = {outcome for head in HEADS for outcome in head.outcomes}
    for file in (tmp_path / "asked" / "labels").iterdir():
        rows = pq.read_table(file)
        kept = rows.filter(pc.is_in(rows["outcome"], pa.array(sorted(asked))))
        assert kept.num_rows < rows.num_rows
        pq.write_table(kept, file)
    every, some = (Dataset(read_cohort(tmp_path / name)) for name in ("all", "asked"))
    ticks = every.ticks(np.arange(64), 60)
    np.testing.assert_array_equal(every.targets(ticks), some.targets(ticks))


def test_the_copied_labels_hold_the_new_outcomes() -> None:
    for kind in Kind:
        row = truth.Truth("w-1", kind.outcome, START_MIN, START_MIN + 90, "mild", 0.5, False)
        event = decode(LABELS, b"w-1", occasions.label(row, ended=True))
        assert isinstance(event, LabelEvent)
        assert event.outcome == kind.outcome
        assert _rows([event]).num_rows == 1


def test_scenarios_are_put_together_from_files(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'description = "d"\ninclude = ["mixed", "more.toml"]\nparameters = "b"\n'
        "[episodes]\ninfection = { per_day = 0.5 }\n"
    )
    (tmp_path / "more.toml").write_text(
        'description = "more"\n[transport]\nlate_share = 0.2\n[episodes]\nalcohol = { per_day = 0.0 }\n'
    )
    mine, mixed = scenario.load(str(tmp_path / "mine.toml")), scenario.load("mixed")
    assert (mine.name, mine.description, mine.parameters) == ("mine", "d", "b")
    assert mine.transport.late_share == 0.2
    assert mine.episodes["infection"].per_day == 0.5
    assert mine.episodes["alcohol"].per_day == 0
    assert mine.episodes["bradycardia"] == mixed.episodes["bradycardia"]
    (tmp_path / "more.toml").write_text('include = ["mine.toml"]\n')
    with pytest.raises(ScenarioRefused, match="includes itself"):
        scenario.load(str(tmp_path / "mine.toml"))
