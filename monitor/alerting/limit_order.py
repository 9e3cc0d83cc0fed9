"""Which limits must stand in which order: a rule that clears on the wrong side of where it raises would never rest.

The bounds of each limit alone are in `monitor.alerting.limits`; here is what only two of them together can get wrong.
"""

from collections.abc import Mapping
from typing import Literal

Order = Literal["below", "above", "at most", "at least"]

ORDERS: tuple[tuple[str, Order, str, str], ...] = (
    ("hr_high_rest_clear_bpm", "below", "hr_high_rest_bpm", "a high rate clears below where it raises"),
    ("hr_high_rest_urgent_bpm", "at least", "hr_high_rest_bpm", "urgent is no lower than high"),
    ("hr_low_awake_clear_bpm", "above", "hr_low_awake_bpm", "a low rate clears above where it raises"),
    ("hr_low_asleep_clear_bpm", "above", "hr_low_asleep_bpm", "a low rate clears above where it raises"),
    ("hr_low_asleep_bpm", "at most", "hr_low_awake_bpm", "who sleeps may have a lower rate, not a higher one"),
    ("hr_low_urgent_bpm", "at most", "hr_low_awake_bpm", "urgent is no higher than low"),
    ("hr_low_awake_bpm", "below", "hr_high_rest_bpm", "no rate is low and high at once"),
    ("day_begins_h", "below", "day_ends_h", "the day begins before it ends"),
    (
        "bp_severe_clear_systolic_mmhg",
        "below",
        "bp_severe_systolic_mmhg",
        "severe pressure clears below where it raises",
    ),
    (
        "bp_severe_clear_diastolic_mmhg",
        "below",
        "bp_severe_diastolic_mmhg",
        "severe pressure clears below where it raises",
    ),
    ("bp_severe_urgent_systolic_mmhg", "at least", "bp_severe_systolic_mmhg", "urgent is no lower than severe"),
    ("bp_severe_diastolic_mmhg", "below", "bp_severe_systolic_mmhg", "diastolic is below systolic"),
    ("bp_pregnant_systolic_mmhg", "at most", "bp_severe_systolic_mmhg", "pregnancy has no milder limit than others"),
    ("bp_pregnant_diastolic_mmhg", "at most", "bp_severe_diastolic_mmhg", "pregnancy has no milder limit than others"),
    ("bp_pregnant_diastolic_mmhg", "below", "bp_pregnant_systolic_mmhg", "diastolic is below systolic"),
    ("bp_low_clear_systolic_mmhg", "above", "bp_low_systolic_mmhg", "low pressure clears above where it raises"),
    ("bp_low_systolic_mmhg", "below", "bp_pregnant_systolic_mmhg", "no pressure is low and severe at once"),
    ("heat_clear_c", "below", "heat_index_c", "heat clears below where it raises"),
    ("heat_vulnerable_clear_c", "below", "heat_index_vulnerable_c", "heat clears below where it raises"),
    ("heat_index_vulnerable_c", "at most", "heat_index_c", "the vulnerable have no milder limit than others"),
    (
        "no_data_floor_min",
        "at most",
        "no_data_grace_min",
        "the least wait is no longer than the wait without a cadence",
    ),
    ("late_settle_s", "at most", "late_settle_most_s", "the pause is no longer than the longest wait"),
    ("news2_parts_clear_sum", "at most", "news2_parts_sum", "points clear below where they raise"),
    ("night_signal_clear_bpm", "at most", "night_signal_above_bpm", "it clears below where it raises"),
    ("personal_cusum_clear_sum", "at most", "personal_cusum_sum", "it clears below where it raises"),
    ("bp_trend_diastolic_mmhg", "below", "bp_trend_systolic_mmhg", "diastolic is below systolic"),
    ("trend_dev_clear_z", "at most", "trend_dev_z", "it clears below where it raises"),
    ("trend_dev_min_days", "at most", "trend_dev_days", "no more days can be known than are looked at"),
    ("poor_recovery_clear_bpm", "at most", "poor_recovery_above_bpm", "it clears below where it raises"),
    ("sleep_debt_clear_h", "at most", "sleep_debt_h", "it clears below where it raises"),
    ("sleep_debt_min_nights", "at most", "sleep_debt_nights", "no more nights can be known than are looked at"),
    ("sleep_need_least_h", "at most", "sleep_need_most_older_h", "the least need is no more than the most"),
    ("sleep_need_most_older_h", "at most", "sleep_need_most_h", "older people need no more than others"),
    ("sub_health_clear_share", "at most", "sub_health_share", "it clears below where it raises"),
    ("sub_health_few_steps", "at most", "sub_health_steps", "two points are no easier to get than one"),
    (
        "sub_health_resting_far_up_bpm",
        "at least",
        "sub_health_resting_up_bpm",
        "two points are no easier to get than one",
    ),
    ("sub_health_sleep_wide_sd_min", "at least", "sub_health_sleep_sd_min", "two points are no easier to get than one"),
)
"""One limit, how it must stand to another, and why."""


def out_of_order(values: Mapping[str, float]) -> str | None:
    """Return a sentence about the first pair that stands wrong, or None.

    >>> from monitor.alerting.limits import Limits
    >>> out_of_order({**Limits().model_dump(), "heat_clear_c": 41.0})
    'heat_clear_c = 41.0 must be below heat_index_c = 39.4: heat clears below where it raises'
    """
    for one, order, other, why in ORDERS:
        if not _stands(values[one], order, values[other]):
            return f"{one} = {values[one]} must be {order} {other} = {values[other]}: {why}"
    return None


def _stands(one: float, order: Order, other: float) -> bool:
    if order == "below":
        return one < other
    if order == "above":
        return one > other
    return one <= other if order == "at most" else one >= other
