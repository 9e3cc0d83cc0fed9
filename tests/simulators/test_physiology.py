"""The simulated bodies lie within the published bands, and their episodes are what the truth says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators import options, pressure, sensor
from simulators.courses import Episode, Form
from simulators.episodes import Episodes
from simulators.kinds import ACUTE, Kind
from simulators.people import people
from simulators.physiology import BODY
from simulators.scenario import load
from simulators.set_a import SET
from simulators.world import Block, World

START_MIN = options.start_min(options.LOG_START)

Crowd = tuple[World, list[Block]]


def spans(crowd: Crowd, kind: Kind) -> list[tuple[Block, int, slice, Episodes]]:
    """Return (block, row of the wearer, columns, the one episode) of all episodes of a kind within the grid."""
    drawn, blocks = crowd
    found = []
    for block in blocks:
        for row in np.flatnonzero(block.episodes.kind == kind):
            one = block.episodes.rows(np.array([row]))
            begin, end = int(one.onset_min[0]) - drawn.first_min, int(one.end_min[0]) - drawn.first_min
            if begin >= 0 and end <= drawn.grid_minutes:
                found.append((block, int(one.wearer[0]), slice(begin, end), one))
    assert found, f"no {kind.outcome} to look at"
    return found


def test_resting_rates_of_people_are_spread_as_published() -> None:
    folk = people(load("mixed"), BODY, 3, 4000, START_MIN)
    assert folk.rest_bpm.mean() == pytest.approx(65.5, abs=1.0)
    assert folk.rest_bpm.std() == pytest.approx(7.7, abs=1.2)
    assert folk.rest_bpm.min() >= 40
    assert folk.rest_bpm.max() <= 109


def test_a_larger_crowd_adds_people_and_changes_none() -> None:
    few, many = (people(load("mixed"), BODY, 3, n, START_MIN) for n in (10, 100))
    assert np.array_equal(few.rest_bpm, many.rest_bpm[:10])


def test_the_day_has_the_rhythm_of_recorded_days(crowd: Crowd) -> None:
    drawn, blocks = crowd
    profile = np.zeros(24)
    for block in blocks:
        minute = drawn.first_min + np.arange(block.bpm.shape[1])
        hour = (minute[None, :] + block.people.utc_offset_min[:, None]) % 1440 // 60
        profile += np.array([block.bpm[hour == k].mean() for k in range(24)]) / len(blocks)
    wave = np.fft.fft(profile)
    assert profile.mean() == pytest.approx(73.6, abs=4)
    assert 2 * abs(wave[1]) / 24 == pytest.approx(12.6, abs=4)
    assert (-np.angle(wave[1]) * 24 / (2 * np.pi)) % 24 == pytest.approx(15.8, abs=2)


def test_walking_raises_the_rate_and_most_minutes_have_no_steps(crowd: Crowd) -> None:
    _, blocks = crowd
    still = np.concatenate([b.bpm[(b.movement.steps == 0) & (b.stage == 0)] for b in blocks])
    walking = np.concatenate([b.bpm[b.movement.steps > 85] for b in blocks])
    steps = np.mean([b.movement.steps.mean() for b in blocks]) * 1440
    assert 12 < walking.mean() - still.mean() < 45
    assert 4000 < steps < 13000
    assert 0.65 < np.mean([(b.movement.steps[b.stage == 0] == 0).mean() for b in blocks]) < 0.92


def test_nights_have_the_stages_of_nights(crowd: Crowd) -> None:
    _, blocks = crowd
    shares = np.bincount(np.concatenate([b.nights.stage for b in blocks]), minlength=5)
    shares = shares / shares.sum()
    assert 0.02 < shares[1] < 0.15
    assert 0.1 < shares[3] < 0.27
    assert 0.13 < shares[4] < 0.3


def test_tachycardia_holds_at_rest_above_120(crowd: Crowd) -> None:
    for block, row, columns, _ in spans(crowd, Kind.TACHYCARDIA_AT_REST):
        assert block.bpm[row, columns].min() >= 120
        assert block.movement.steps[row, columns].max() == 0
        assert 20 <= columns.stop - columns.start <= 60
        assert np.median(block.seen.bpm[row, columns]) >= 120


def test_bradycardia_holds_at_or_below_38(crowd: Crowd) -> None:
    for block, row, columns, _ in spans(crowd, Kind.BRADYCARDIA):
        assert np.median(block.bpm[row, columns]) <= 38
        assert (block.bpm[row, columns] <= 40).mean() > 0.98


def test_a_crisis_is_measured_twice_within_15_minutes(crowd: Crowd) -> None:
    drawn, _ = crowd
    for block, row, columns, _ in spans(crowd, Kind.HYPERTENSIVE_CRISIS):
        r = block.readings
        minute = r.at_s // 60 - drawn.first_min
        mine = (r.wearer == row) & (minute >= columns.start) & (minute < columns.stop) & (r.method == pressure.CUFF)
        severe = mine & ((r.systolic >= 180) | (r.diastolic >= 120))
        at = r.at_s[severe]
        assert len(at) >= 2
        assert at[0] / 60 - drawn.first_min - columns.start <= 8
        assert np.diff(at).min() <= 15 * 60


def test_severe_readings_outside_of_a_crisis_are_rare(crowd: Crowd) -> None:
    _, blocks = crowd
    r = [b.readings.systolic[(b.readings.method == pressure.CUFF)] for b in blocks]
    calm = [
        np.ones(len(b.people), bool) if b.effects.add_systolic_mmhg is None else b.effects.add_systolic_mmhg.max(1) < 15
        for b in blocks
    ]
    severe = sum(
        int((b.readings.systolic[c[b.readings.wearer]] >= 180).sum()) for b, c in zip(blocks, calm, strict=True)
    )
    assert severe < 0.01 * sum(map(len, r))


def in_fibrillation(block: Block) -> NDArray[np.bool_]:
    cv = block.effects.irregular_cv
    return np.zeros(block.bpm.shape, bool) if cv is None else ~np.isnan(cv)


def test_beats_lose_their_order_in_fibrillation_only(crowd: Crowd) -> None:
    for block, row, columns, _ in spans(crowd, Kind.ATRIAL_FIBRILLATION):
        irregular = block.seen.irregular[row, columns]
        irregular = irregular[irregular != sensor.NO_RR]
        if len(irregular) > 5:
            assert np.median(irregular) >= 15
    _, blocks = crowd
    sinus = np.concatenate([b.seen.irregular[~in_fibrillation(b) & (b.seen.irregular != 255)] for b in blocks])
    assert np.median(sinus) <= 6


def test_a_silent_infection_hardly_moves_the_rate_and_a_clear_one_does() -> None:
    peak = {}
    for form in Form:
        e = Episode(Kind.INFECTION, 10_000, form, 0.5, (0.5,) * 6)
        change = SET.courses[Kind.INFECTION](e, np.arange(10_000), np.zeros(10_000, np.float32))
        peak[form] = float(np.max(change.add_bpm))  # type: ignore[arg-type]
    assert peak[Form.SILENT] <= 1 < peak[Form.MILD] < 5 < peak[Form.CLEAR]


def test_acute_episodes_of_one_wearer_never_overlap(crowd: Crowd) -> None:
    drawn, _ = crowd
    e = drawn.episodes.rows(np.isin(drawn.episodes.kind, ACUTE))
    for wearer in np.unique(e.wearer):
        mine = e.rows(e.wearer == wearer)
        order = np.argsort(mine.onset_min)
        assert (mine.onset_min[order][1:] >= mine.end_min[order][:-1]).all()


def test_nothing_is_seen_while_the_watch_is_off(crowd: Crowd) -> None:
    drawn, blocks = crowd
    for block in blocks:
        counts = sensor.minutes(block.people, block.seen, drawn.seed, 0, drawn.first_min)
        for row in range(len(block.off)):
            begin, end = (int(block.off.onset_min[row]), int(block.off.end_min[row]))
            columns = slice(max(begin - drawn.first_min, 0), end - drawn.first_min)
            assert counts.hr_count[block.off.wearer[row], columns].max(initial=0) == 0


def test_slow_devices_have_a_sample_a_cadence(crowd: Crowd) -> None:
    drawn, blocks = crowd
    counts = np.concatenate([sensor.minutes(b.people, b.seen, 1, 0, drawn.first_min).hr_count for b in blocks])
    cadence = drawn.people.worn("cadence_s")
    assert counts[cadence == 1].max() == 60
    assert counts[cadence == 60].max() == 1
    assert counts[cadence == 300].mean() < 0.21
