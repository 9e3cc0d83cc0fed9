"""What a rule found: its evidence for many wearers, as columns."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Priority(IntEnum):
    """How soon a human should look; technical alerts are about the data, not the wearer."""

    TECHNICAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Rule(IntEnum):
    """The alert rules, one a group: a wearer has at most one open alert of each."""

    HR_HIGH_REST = 0
    HR_LOW = 1
    BP_SEVERE = 2
    BP_LOW = 3
    HEAT_LOAD = 4
    RISK_MODEL = 5
    NO_DATA = 6


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one rule says of n moments; all columns (n,).

    Attributes
    ----------
    raised : the condition holds. cleared : the value is past the clear limit. Both False: neither, or not assessable.
    assessable : the rule had what it needs.
    priority : codes of `Priority`, of the condition if it holds.
    value, limit : in the rule's unit. samples : how many samples decided. start_minute : epoch minute the episode
    begins. unverified : the value may be an artefact and is reported all the same.
    """

    rule: Rule
    raised: NDArray[np.bool_]
    cleared: NDArray[np.bool_]
    assessable: NDArray[np.bool_]
    priority: NDArray[np.uint8]
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    samples: NDArray[np.int64]
    start_minute: NDArray[np.int64]
    unverified: NDArray[np.bool_]
