"""What a rule found: its evidence for many wearers, as columns."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from monitor.rule import Rule as Rule  # the alerting knows it from here


class Priority(IntEnum):
    """How soon a human should look; technical alerts are about the data, not the wearer."""

    TECHNICAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Lack(IntFlag):
    """What a rule did not have: bits of `Evidence.lacked`."""

    HEART_RATE = 1
    STEPS = 2
    SLEEP = 4
    RR = 8
    BLOOD_PRESSURE = 16
    WEATHER = 32
    HISTORY = 64
    PROFILE = 128


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
    lacked : bit masks of `Lack`, 0 where nothing was missing; None = the rule does not tell. A row that is not
    assessable says here why, and one that is assessable may have lacked a part.
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
    lacked: NDArray[np.uint32] | None = None
