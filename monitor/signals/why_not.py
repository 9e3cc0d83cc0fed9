"""Why a signal has no value: beside every NaN stands one of these codes."""

from enum import IntEnum


class WhyNot(IntEnum):
    """Reason for a missing result; KNOWN stands beside a value.

    >>> WhyNot.TOO_FEW.name, int(WhyNot.KNOWN)
    ('TOO_FEW', 0)
    """

    KNOWN = 0
    NOTHING = 1  # no sample at all
    TOO_FEW = 2  # samples, but fewer than the method needs
    TOO_OLD = 3  # samples, but the newest says nothing of now
    CONTRADICTION = 4  # what was told cannot be true together
    NO_PROFILE = 5  # age or another fact of the wearer is not known
    OUT_OF_SCOPE = 6  # the formula was not made for this wearer or this weather
