"""How recovery is measured, on cuts written by hand; and that the watch's rule of validity is the product's."""

import json
from collections import defaultdict
from typing import Any

from monitor.cuts import encode_claim, valid_cuts
from tests.faults.cut_watch import CutWatch, Followed


class _Stream:
    partitions = 2


class _Settings:
    stream = _Stream


def watch(*stamps: list[int]) -> CutWatch:
    made = CutWatch.__new__(CutWatch)
    made.of = defaultdict(Followed)
    made._settings = _Settings  # type: ignore[assignment]
    made.of.update({p: Followed(stamps=one) for p, one in enumerate(stamps)})
    return made


def steps(*spans: tuple[int, int]) -> list[int]:
    return [at for begin, end in spans for at in range(begin, end, 300)]


def test_recovery_lasts_until_the_last_partition_steps_again() -> None:
    seen = watch(steps((0, 10_000), (15_000, 40_000)), steps((0, 10_000), (17_000, 40_000)))
    assert seen.recovery_s(10_000, 40_000) == 7.0


def test_a_fault_that_stopped_nothing_took_no_time() -> None:
    assert watch(steps((0, 40_000)), steps((0, 40_000))).recovery_s(10_000, 40_000) == 0.0


def test_a_partition_that_stays_away_has_not_recovered() -> None:
    assert watch(steps((0, 40_000)), steps((0, 10_000))).recovery_s(10_000, 30_000) is None


def test_another_stop_soon_after_counts_to_the_same_fault() -> None:
    seen = watch(steps((0, 10_000), (14_000, 14_500), (20_000, 40_000)), steps((0, 40_000)))
    assert seen.recovery_s(10_000, 40_000) == 10.0


def test_the_watch_counts_the_cuts_that_the_product_counts() -> None:
    def cut(epoch: int, seq: int) -> bytes:
        return json.dumps({"e": epoch, "q": seq, "T": 0, "n": [0], "s": [0], "d": 0}).encode()

    values = [
        encode_claim("a"),
        cut(0, 0),
        cut(0, 1),
        encode_claim("b"),
        cut(0, 2),
        cut(3, 2),
        encode_claim("a"),
        cut(3, 3),
    ]
    seen, followed = watch([], []), Followed()
    for offset, value in enumerate(values):
        seen._take(followed, offset, offset, value)
    records: list[Any] = [(offset, offset, value) for offset, value in enumerate(values)]
    assert followed.stamps == [valid.at for valid in valid_cuts(records, 0)]
    assert followed.void == 2
