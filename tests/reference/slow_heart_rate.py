"""The slow, obvious twins of the signals on heart rate: one wearer's minutes as a list, None where there is nothing."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

NAN = math.nan


@dataclass(frozen=True)
class Minute:
    """A minute: rate None = no heart rate, steps None = not known."""

    rate: int | None = None
    low: int = 0
    high: int = 0
    count: int = 0
    outlier: bool = False
    steps: int | None = None


Minutes = Sequence[Minute]


def span(gap_s: float) -> int:
    minutes = 15
    while gap_s > 0 and minutes * 60 / gap_s < 12 and minutes < 1440:
        minutes *= 2
    return min(minutes, 1440)


def longest_silence(gap_s: float) -> int:
    return max(5, math.ceil(2.5 * gap_s / 60)) if gap_s > 0 else 5


def is_held(minutes: Minutes) -> bool:
    """Walk through the window with an accepted level and candidates for the next one."""
    level: int | None = None
    waiting: list[int] = []  # values in a row that follow each other and not the level
    last_seen = -1
    for k, one in enumerate(minutes):
        if one.rate is None:
            continue
        allowed = 40 * min(k - last_seen, 6)
        last_seen = k
        moved = any(m.steps for m in minutes[max(k - 1, 0) : k + 1])
        if level is None or moved or abs(one.rate - level) <= allowed:
            level, waiting = one.rate, []
        elif waiting and abs(one.rate - waiting[-1]) <= allowed:
            waiting.append(one.rate)
            if len(waiting) == 3:
                level, waiting = one.rate, []
        else:
            waiting = [one.rate]
    return bool(waiting) and bool(minutes) and minutes[-1].rate is not None


def flat_run(minutes: Minutes) -> list[Minute]:
    """Minutes of the flat line that the window ends in."""
    if not minutes or minutes[-1].rate is None:
        return []
    line = minutes[-1].high
    run = []
    for one in reversed(minutes):
        if one.rate is None:
            continue
        if not one.low == one.high == line:
            break
        run.append(one)
    steps = [one.steps for one in run if one.steps is not None]
    return run if len(run) >= 10 and steps and max(steps) - min(steps) >= 20 else []


def locked_run(minutes: Minutes) -> list[Minute]:
    run = []
    for one in reversed(minutes):
        if one.rate is None or one.steps is None or one.steps < 60 or abs(one.rate - one.steps) > 3:
            break
        run.append(one)
    return run if len(run) >= 3 else []


def worn(minutes: Minutes, gap_s: float) -> list[bool]:
    reach = longest_silence(gap_s)
    return [any(one.rate is not None for one in minutes[max(k - reach, 0) : k + 1]) for k in range(len(minutes))]


@dataclass(frozen=True)
class Parts:
    index: float
    validity: float
    outlier_share: float
    wear: float
    plausibility: float


def quality(minutes: Minutes, gap_s: float) -> Parts:
    on = worn(minutes, gap_s)
    wear = sum(on) / len(on)
    if not on[-1]:
        return Parts(NAN, NAN, NAN, wear, NAN)
    rated = [one for one in minutes if one.rate is not None]
    validity = _validity(rated, sum(on), gap_s) if gap_s > 0 else NAN
    outliers = sum(one.outlier for one in rated) / len(rated)
    flat = flat_run(minutes)
    flat = flat if flat and flat[0].high < 120 else []
    doubted = [id(one) for one in [*flat, *locked_run(minutes), *[m for m in rated if m.low < 25]]]
    doubted += [id(minutes[-1])] if is_held(minutes) else []
    plausibility = 1 - len(set(doubted)) / len(rated)
    return Parts(validity * (1 - outliers) * wear * plausibility, validity, outliers, wear, plausibility)


def _validity(rated: Minutes, worn_minutes: int, gap_s: float) -> float:
    if gap_s > 60:
        return min(len(rated) / (worn_minutes * 60 / gap_s), 1.0)
    enough = max(int(min(30 / gap_s, 30)), 1)  # half of what the cadence promises a minute
    return sum(min(one.count / enough, 1.0) for one in rated) / worn_minutes


def still(minutes: Minutes, gap_s: float) -> list[bool]:
    on = worn(minutes, gap_s)
    return [
        minutes[k].rate is not None and k >= 11 and all(on[j] and minutes[j].steps == 0 for j in range(k - 11, k + 1))
        for k in range(len(minutes))
    ]


def resting_rate(minutes: Minutes, gap_s: float) -> float:
    rates = [one.rate for one, rest in zip(minutes, still(minutes, gap_s), strict=True) if rest and one.rate]
    return float(statistics.median_low(rates)) if len(rates) >= 12 else NAN


def night_rate(minutes: Minutes, night: Sequence[bool]) -> float:
    rates = [one.rate for one, dark in zip(minutes, night, strict=True) if dark and one.rate and one.steps == 0]
    return statistics.mean(rates) if len(rates) >= 12 else NAN


@dataclass(frozen=True)
class Ended:
    """The end of an effort."""

    column: int
    peak: float
    drop_1: float
    drop_2: float


def recoveries(minutes: Minutes, resting: float) -> list[Ended]:
    found = []
    for end in range(4, len(minutes) - 7):
        effort, ending, after = minutes[end - 4 : end + 1], minutes[end + 1], minutes[end + 2 : end + 4]
        peak = max(one.rate or 0 for one in effort[-3:])
        if (
            all(one.steps is not None and one.steps >= 80 for one in effort)
            and (ending.steps is None or ending.steps < 80)
            and all(one.steps is not None and one.steps < 60 for one in after)
            and peak
            and peak - resting >= 20
        ):
            drops = [NAN if one.rate is None else float(peak - one.rate) for one in after]
            found.append(Ended(end, float(peak), *drops))
    return found
