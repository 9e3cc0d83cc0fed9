"""The names of what can happen to a wearer, and the codes that arrays carry for them."""

from enum import IntEnum


class Kind(IntEnum):
    """A kind of episode; the lower-case name is the `outcome` on the wire."""

    TACHYCARDIA_AT_REST = 0
    BRADYCARDIA = 1
    HYPERTENSIVE_CRISIS = 2
    HYPOTENSION = 3
    INFECTION = 4
    HEAT_STRAIN = 5
    ATRIAL_FIBRILLATION = 6
    POOR_RECOVERY = 7
    WATCH_OFF = 8
    GATEWAY_SILENT = 9

    @property
    def outcome(self) -> str:
        """The name on the wire."""
        return self.name.lower()


# Kinds that take hold of heart or vessels for minutes to hours: a wearer has one of them at a time.
ACUTE = (
    Kind.TACHYCARDIA_AT_REST,
    Kind.BRADYCARDIA,
    Kind.HYPERTENSIVE_CRISIS,
    Kind.HYPOTENSION,
    Kind.HEAT_STRAIN,
    Kind.ATRIAL_FIBRILLATION,
)
