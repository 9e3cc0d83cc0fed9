"""What a Snapshot of the past may hold, and what labels say came of it."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.dataset import Dataset, Ticks, measured_cadence, split
from models.errors import DataUnusable
from models.heads import HEAD_NAMES
from models.journal import read_cohort
from models.snapshot import DAY_FEATURES, LAYOUT
from tests.models.village import DAY, START_DAY, write

BASE = START_DAY * DAY


def _ticks(*pairs: tuple[int, int]) -> Ticks:
    return Ticks(np.array([w for w, _ in pairs]), np.array([m for _, m in pairs]))


def _minutes(folder: Path, wearer: list[str], minute: list[int], hr: list[int]) -> None:
    n = len(minute)
    same = {name: np.array(hr, np.uint8) for name in ("hr_median", "hr_min", "hr_max")}
    write(
        folder,
        "minutes",
        wearer_id=wearer,
        minute=np.array(minute, np.int64),
        **same,
        hr_count=np.full(n, 5, np.uint8),
        irregular=np.full(n, 255, np.uint8),
        steps=np.zeros(n, np.uint8),
        stage=np.full(n, 2, np.uint8),
        reason=np.zeros(n, np.uint8),
    )


def test_what_comes_later_changes_nothing(village: Path, tmp_path: Path) -> None:
    cut = BASE + DAY + 617
    shutil.copytree(village, tmp_path / "cut")
    for table, column, last in (
        ("minutes", "minute", cut - 1),
        ("bp", "minute", cut - 1),
        ("sleep", "end_minute", cut),
        ("weather", "hour", (cut - 1) // 60),
    ):
        file = tmp_path / "cut" / table / "a.parquet"
        rows = pq.read_table(file)
        pq.write_table(rows.filter(pa.compute.less_equal(rows[column], last)), file)
    whole, truncated = Dataset(read_cohort(village)), Dataset(read_cohort(tmp_path / "cut"))
    ticks = Ticks(np.arange(40), np.full(40, cut))

    full, short = whole.snapshot(ticks), truncated.snapshot(ticks)

    for name in LAYOUT:
        np.testing.assert_array_equal(getattr(full, name), getattr(short, name), err_msg=name)
    assert (full.hr_median > 0).any()
    assert (full.bp_minute > 0).any()
    assert np.isfinite(full.days[:, -1]).any()


def test_a_night_is_known_only_when_it_has_ended(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a"] * 600, list(range(BASE, BASE + 600)), [60] * 600)
    write(
        tmp_path,
        "sleep",
        wearer_id=["a"],
        source_record_id=["n"],
        revision=[0],
        start_minute=[BASE],
        end_minute=[BASE + 480],
        total_min=[400.0],
        light_min=[200.0],
        deep_min=[100.0],
        rem_min=[100.0],
        awake_min=[80.0],
    )

    snapshot = Dataset(read_cohort(tmp_path)).snapshot(_ticks((0, BASE + 479), (0, BASE + 480), (0, BASE + 500)))

    assert (snapshot.stage > 0).sum(axis=1).tolist() == [0, 480, 480]
    assert snapshot.sleep_end.max(axis=1).tolist() == [0, BASE + 480, BASE + 480]


def test_a_later_revision_supersedes_and_the_later_file_wins(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a", "a"], [BASE, BASE + 1], [60, 61])
    later = pq.read_table(tmp_path / "minutes" / "a.parquet").slice(1)
    changed = later.set_column(later.column_names.index("hr_median"), "hr_median", pa.array([99], pa.uint8()))
    pq.write_table(changed, tmp_path / "minutes" / "b.parquet")
    write(
        tmp_path,
        "sleep",
        wearer_id=["a", "a"],
        source_record_id=["n", "n"],
        revision=[2, 1],
        start_minute=[BASE - 500, BASE - 400],
        end_minute=[BASE, BASE],
        total_min=[111.0, 222.0],
    )

    snapshot = Dataset(read_cohort(tmp_path)).snapshot(_ticks((0, BASE + 2)))

    assert snapshot.hr_median[0, -2:].tolist() == [60, 99]
    assert (snapshot.sleep_end > 0).sum() == 1
    assert snapshot.sleep_minutes[0, -1, 0] == 111


def test_labels_say_yes_from_the_lead_to_the_end_and_are_unclear_after_it(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a", "a", "b"], [BASE, BASE + 3 * DAY - 1, BASE], [60, 60, 60])
    onset = BASE + DAY
    write(tmp_path, "labels", wearer_id=["a"], outcome=["bradycardia"], onset_minute=[onset], end_minute=[onset + 90])
    dataset = Dataset(read_cohort(tmp_path))
    at = [onset - 61, onset - 60, onset + 89, onset + 90, onset + 150]

    y = dataset.targets(_ticks(*[(0, m) for m in at], (1, onset)))

    np.testing.assert_array_equal(y[:, HEAD_NAMES.index("deterioration_1h")], [0, 1, 1, np.nan, 0, 0])
    np.testing.assert_array_equal(y[:5, HEAD_NAMES.index("deterioration_24h")], [1, 1, 1, np.nan, 0])
    assert np.isnan(y[:, HEAD_NAMES.index("infection")]).all(), "a head without truth learns nothing"


def test_the_end_of_the_data_is_not_taken_for_health(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a", "a"], [BASE, BASE + DAY - 1], [60, 60])
    write(tmp_path, "labels", wearer_id=["a"], outcome=["bradycardia"], onset_minute=[BASE], end_minute=[BASE + 60])

    y = Dataset(read_cohort(tmp_path)).targets(_ticks((0, BASE + DAY - 60), (0, BASE + DAY - 59)))

    np.testing.assert_array_equal(y[:, 0], [0, np.nan])


def test_sub_health_is_learned_from_the_newest_answer_of_a_week(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a", "a"], [BASE, BASE + 9 * DAY], [60, 60])
    write(
        tmp_path,
        "labels",
        wearer_id=["a", "a"],
        outcome=["sub_health"] * 2,
        onset_minute=[BASE, BASE + 60],
        end_minute=[BASE, BASE + 60],
        severity=[0.2, 0.7],
    )

    y = Dataset(read_cohort(tmp_path)).targets(_ticks((0, BASE + 10), (0, BASE + 61), (0, BASE + 8 * DAY)))

    np.testing.assert_array_equal(y[:, HEAD_NAMES.index("sub_health")], [0, 2, np.nan])


def test_a_day_is_summarised_as_by_hand(tmp_path: Path) -> None:
    _minutes(tmp_path, ["a"] * 100, list(range(BASE, BASE + 100)), [50] * 50 + [70] * 50)
    write(
        tmp_path,
        "bp",
        wearer_id=["a", "a"],
        minute=[BASE + 5, BASE + 9],
        systolic=[120, 140],
        diastolic=[70, 80],
        pulse=[-1, -1],
        method=[1, 1],
    )
    wide = pq.read_table(tmp_path / "minutes" / "a.parquet")
    more = wide.slice(0, 1).set_column(1, "minute", pa.array([BASE + DAY], pa.int64()))
    pq.write_table(more, tmp_path / "minutes" / "b.parquet")

    days = Dataset(read_cohort(tmp_path)).snapshot(_ticks((0, BASE + DAY + 1))).days[0, -1]

    day = dict(zip(DAY_FEATURES, days.tolist(), strict=True))
    assert day["resting_bpm"] == 50  # lower median of 50 fifties and 50 seventies
    assert (day["mean_bpm"], day["low_bpm"], day["high_bpm"]) == (60, 50, 70)
    assert (day["steps"], day["worn_min"], day["systolic_mmhg"], day["diastolic_mmhg"]) == (0, 100, 130, 75)
    assert np.isnan(day["sleep_min"]), "the night had no session that ended"
    assert np.isnan(day["temperature_c"])


def test_wearers_stay_in_their_group_when_others_come() -> None:
    few, many = tuple(f"w{n}" for n in range(50)), tuple(f"w{n}" for n in range(200))

    small, large = split(few, (0.6, 0.2, 0.2), 1), split(many, (0.6, 0.2, 0.2), 1)

    assert sorted(np.concatenate(large).tolist()) == list(range(200))
    for before, after in zip(small, large, strict=True):
        assert set(before.tolist()) <= set(after.tolist())


@pytest.mark.parametrize(("every", "count", "seconds"), [(1, 60, 1.0), (1, 12, 5.0), (5, 1, 300.0), (60, 1, 3600.0)])
def test_the_cadence_is_measured_from_the_data(every: int, count: int, seconds: float) -> None:
    hr_count = np.zeros((2, DAY), np.uint8)
    hr_count[0, ::every] = count

    measured = measured_cadence(hr_count)

    assert measured[0] == seconds
    assert np.isnan(measured[1])


def test_a_folder_that_is_no_journal_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match=r"has no minutes table: give a journal that holds"):
        read_cohort(tmp_path)
