"""The slow, obvious twins of the rules on minutes: sorted lists and loops over one wearer's dictionary of minutes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.alerting.limits import Limits
from tests.reference.slow_policy import MINUTE_MS, Found, found
from tests.reference.slow_slots import DAY_MIN, SlowMinute

NOTHING = SlowMinute()
LATE_MS = 30 * MINUTE_MS
Minutes = Mapping[int, SlowMinute]


@dataclass
class Whom:
    """What of a wearer's profile matters here; 0 = no own limit."""

    own_high: int = 0
    own_low: int = 0
    defaults_off: bool = False
    vulnerable: bool = False


def lower_median(values: list[int]) -> int:
    return sorted(values)[(len(values) - 1) // 2]


def slow_outlier(values: list[int]) -> bool:
    """Hampel's identifier on the last of the values, 0 = missing."""
    held = [v for v in values if v]
    if len(held) < 5 or not values[-1]:
        return False
    median = lower_median(held)
    mad = lower_median([abs(v - median) for v in held])
    return abs(values[-1] - median) > 3 * 1.4826 * max(mad, 2)


def trailing(minutes: Minutes, last: int, width: int) -> list[SlowMinute]:
    return [minutes.get(m, NOTHING) for m in range(last - width + 1, last + 1)]


def outlier_minutes(gap_s: float) -> int:
    """15, doubled until 12 samples are promised if 15 do not promise 5; a day at most."""
    width = 15
    while 5 * gap_s > 900 and width * 60 < 12 * gap_s and width < DAY_MIN:
        width *= 2
    return min(width, DAY_MIN)


def flag_outlier(minutes: Minutes, minute: int, gap_s: float) -> None:
    if slow_outlier([one.median for one in trailing(minutes, minute, outlier_minutes(gap_s))]):
        minutes[minute].marks.add("outlier")
    else:
        minutes[minute].marks.discard("outlier")


def rest_and_motion(window: list[SlowMinute], limits: Limits) -> tuple[bool, bool]:
    """At rest, moving: as docs/rules.md says. Missing activity is neither."""
    known = [one.steps for one in window if one.steps is not None]
    moving = sum(known) > limits.rest_max_steps or any("exercise" in one.marks for one in window)
    rated = [one for one in window if one.count]
    said = bool(rated) and all({"rest", "asleep"} & one.marks for one in rated)
    still = len(known) >= limits.rest_min_known * len(window)
    return (still or said) and not moving, moving


@dataclass
class Judged:
    """What the last ten minutes say, or the last three samples of a slow device."""

    window: list[SlowMinute]
    enough: bool = False
    slow: bool = False
    median: int = 0
    accepted: tuple[int, ...] = ()
    samples: int = 0
    start: int = 0
    rest: bool = False
    moving: bool = False

    def agree(self, beyond: list[bool]) -> bool:
        """At least half of all valid minutes, outliers included, agree; of three slow samples all."""
        return all(beyond) if self.slow else 2 * sum(beyond) >= sum(1 for one in self.window if one.count)


def judge_window(minutes: Minutes, minute: int, gap_s: float, limits: Limits) -> Judged:
    """Judge the time up to a minute that holds heart rate."""
    width = limits.hr_window_min
    window = trailing(minutes, minute, width)
    valid = [k for k in range(width) if window[k].count]
    accepted = [k for k in valid if "outlier" not in window[k].marks]
    rates = [window[k].median for k in accepted]
    judged = Judged(window, samples=sum(window[k].count for k in accepted), start=minute - width + 1 + valid[0])
    judged.rest, judged.moving = rest_and_motion(window, limits)
    may_lack = max(math.ceil(gap_s / 60) - 1, 1)  # minutes without a sample that the device's cadence explains
    judged.accepted = tuple(rates)
    if rates and judged.samples >= limits.hr_min_samples and valid[0] <= may_lack + 1:
        judged.enough, judged.median = True, lower_median(rates)
    if judged.samples < limits.hr_min_samples:
        _judge_slow(minutes, minute, gap_s, limits, judged)
    return judged


def _judge_slow(minutes: Minutes, minute: int, gap_s: float, limits: Limits, judged: Judged) -> None:
    """Three samples in a row that span ten minutes, each taken at rest or not."""
    at = sorted(m for m in minutes if minute - DAY_MIN < m <= minute and minutes[m].count)[-3:]
    longest = 2.5 * max(gap_s / 60, 1)
    if len(at) < 3 or at[2] - at[0] < limits.hr_window_min or max(at[1] - at[0], at[2] - at[1]) > longest:
        return
    before = [rest_and_motion(trailing(minutes, m, limits.hr_window_min), limits) for m in at]
    judged.enough = judged.slow = True
    judged.accepted = tuple(minutes[m].median for m in at)
    judged.median = lower_median(list(judged.accepted))
    judged.samples, judged.start = 3, at[0]
    judged.rest = all(rest for rest, _ in before)
    judged.moving = any(moving for _, moving in before)


def high_rest(judged: Judged, whom: Whom, limits: Limits) -> dict[str, Any]:
    limit = whom.own_high or limits.hr_high_rest_bpm
    clear = whom.own_high - 5 if whom.own_high else limits.hr_high_rest_clear_bpm
    rates = judged.accepted if judged.slow else [one.median for one in judged.window if one.count]
    may = judged.enough and judged.rest and (whom.own_high > 0 or not whom.defaults_off)
    return {
        "raised": may and judged.median >= limit and judged.agree([bpm >= limit for bpm in rates]),
        "cleared": judged.enough and all(bpm < clear for bpm in judged.accepted),
        "priority": "high" if judged.median >= max(limits.hr_high_rest_urgent_bpm, limit) else "medium",
        "limit": limit,
        "op": ">=",
    }


def low(judged: Judged, whom: Whom, limits: Limits, local_hour: int) -> dict[str, Any]:
    now = judged.window[-1]
    awake = "awake" in now.marks or now.stage == 1 or judged.moving
    asleep = not awake and ("asleep" in now.marks or now.stage > 1)
    night = asleep or (not awake and not limits.day_begins_h <= local_hour < limits.day_ends_h)
    limit = whom.own_low or (limits.hr_low_asleep_bpm if night else limits.hr_low_awake_bpm)
    clear = limits.hr_low_asleep_clear_bpm if night else limits.hr_low_awake_clear_bpm
    clear = whom.own_low + 5 if whom.own_low else clear
    rates = judged.accepted if judged.slow else [one.median for one in judged.window if one.count]
    may = judged.enough and (whom.own_low > 0 or not whom.defaults_off)
    return {
        "raised": may and judged.median <= limit and judged.agree([bpm <= limit for bpm in rates]),
        "cleared": judged.enough and all(bpm >= clear for bpm in judged.accepted),
        "priority": "high" if not night and judged.median <= limits.hr_low_urgent_bpm else "medium",
        "limit": limit,
        "op": "<=",
        "unverified": any("unverified" in one.marks for one in judged.window),
        "missing": [] if awake or asleep else ["sleep"],
    }


def heart_rate_findings(
    minutes: Minutes, minute: int, stamp_ms: int, gap_s: float, whom: Whom, limits: Limits, local_hour: int
) -> list[Found]:
    """What HR_HIGH_REST and HR_LOW say of a minute, decided at a received time."""
    judged = judge_window(minutes, minute, gap_s, limits)
    both = {"HR_HIGH_REST": high_rest(judged, whom, limits), "HR_LOW": low(judged, whom, limits, local_hour)}
    return [
        found(
            rule,
            event_ms=minute * MINUTE_MS,
            start_ms=judged.start * MINUTE_MS,
            metric="heart_rate",
            value=judged.median,
            unit="bpm",
            window_s=max(minute - judged.start + 1, limits.hr_window_min) * 60,
            samples=judged.samples,
            late=stamp_ms - (minute + 1) * MINUTE_MS > LATE_MS,
            **says,
        )
        for rule, says in both.items()
    ]
