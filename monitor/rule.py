"""The alert rules by name. What is kept of them is kept under these names: order and number may change freely."""

from enum import IntEnum


class Rule(IntEnum):
    """The alert rules, one a group: a wearer has at most one open alert of each.

    The codes are columns of the `alert_` fields of `monitor.wearers.fields`, from 0 on without holes.
    """

    HR_HIGH_REST = 0
    HR_LOW = 1
    BP_SEVERE = 2
    BP_LOW = 3
    HEAT_LOAD = 4
    RISK_MODEL = 5
    NO_DATA = 6
    NEWS2_PARTS = 7
    NIGHT_SIGNAL = 8
    PERSONAL_CUSUM = 9
    AF_BURDEN = 10
    BP_TREND = 11
    TREND_DEV = 12
    POOR_RECOVERY = 13
    SLEEP_DEBT = 14
    SUB_HEALTH = 15
