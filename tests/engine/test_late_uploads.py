"""A watch that syncs ten hours at once gives the alerts that the live stream would have given."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.engine.feed import MINUTE, START, Feed, Record, feed

HOURS = 10
BEGIN = START + 5 * 60 * MINUTE
SYNC = BEGIN + HOURS * 60 * MINUTE


def ten_hours(f: Feed, seed: int) -> None:
    """One-minute envelopes of 60 samples that begin at any second, so that most minutes lie in two envelopes."""
    rng = np.random.default_rng(seed)
    for w in range(4):
        wearer, shift_s = f"w{w}", int(rng.integers(1, 60))
        bpm = rng.integers(60, 80, HOURS * 3600)
        for _ in range(3):
            begin, length = int(rng.integers(1800, HOURS * 3600 - 4000)), int(rng.integers(900, 2400))
            bpm[begin : begin + length] = rng.integers(122, 140) if w % 2 else rng.integers(33, 38)
        gap = int(rng.integers(1, HOURS - 1)) * 3600
        for s in range(shift_s, HOURS * 3600 - 60, 60):
            if not gap <= s < gap + 1500:
                f.heart_rate(wearer, BEGIN + s * 1000, bpm[s : s + 60].tolist(), context="at_rest")


def synced_at_once(live: Feed, f: Feed, seed: int, order: str) -> None:
    """The same records, received within a minute, in some order, a third of them twice."""
    rng = np.random.default_rng(seed)
    for key, log in live.records.items():
        if key[0] != "vitals.heart-rate.v1":
            f.records[key] = list(log)
            continue
        records = [r for r in log for _ in range(1 + int(rng.random() < 0.3))]
        if order == "newest first":
            records.reverse()
        elif order == "shuffled":
            records = [records[i] for i in rng.permutation(len(records))]
        stamps = np.sort(rng.integers(0, 60_000, len(records))) + SYNC
        f.records[key] = [Record(int(s), r.key, r.value) for s, r in zip(stamps, records, strict=True)]


def what(f: Feed) -> list[tuple[Any, ...]]:
    """Every episode: whose, which, since when, how bad, against which limit, and how it stands in the end.

    Not how many samples: the live stream decides a minute by the clock when only half of it has come.
    """
    last: dict[str, dict[str, Any]] = {}
    for a in f.out:
        if a["rule"] != "NO_DATA":
            last[a["alert_id"]] = a
    return sorted(
        (a["wearer_id"], a["rule"], a["event_time"], a["priority"], a["trigger"]["limit"], a["condition"])
        for a in last.values()
    )


@cache
def lived(seed: int) -> Feed:
    """The ten hours as the live stream gave them."""
    live = feed()
    ten_hours(live, seed)
    live.run(SYNC + 10 * MINUTE)
    return live


@pytest.mark.parametrize("order", ["oldest first", "newest first", "shuffled"])
def test_ten_hours_at_once_give_the_episodes_of_the_live_stream(order: str) -> None:
    live, burst = lived(1), feed()
    synced_at_once(live, burst, 1, order)

    burst.run(SYNC + 10 * MINUTE, every=7000)

    assert len(what(live)) >= 4
    assert what(burst) == what(live)


def test_minutes_put_together_late_equal_the_live_ones_second_by_second() -> None:
    live, burst = lived(1), feed()
    synced_at_once(live, burst, 5, "shuffled")
    burst.run(SYNC + 10 * MINUTE)

    for wearer in ("w0", "w3"):
        one = live.engine.state.minute_bytes()[live.engine.state.row_of[wearer]]
        other = burst.engine.state.minute_bytes()[burst.engine.state.row_of[wearer]]
        assert (one == other).all()
    assert len(burst.engine.standing.late) > 0
    burst.run(SYNC + 300 * MINUTE, every=MINUTE)
    assert len(burst.engine.standing.late) == 0
