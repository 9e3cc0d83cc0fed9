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
    DEHYDRATION = 10
    OVERTRAINING = 11
    SLEEP_APNOEA = 12
    BETA_BLOCKER_START = 13
    DETERIORATION = 14
    ALCOHOL = 15
    LATE_EXERCISE = 16
    STRESS = 17
    TRAVEL = 18
    VACCINATION = 19
    MENSTRUAL_PHASE = 20
    NEW_DEVICE = 21
    HEAT_WAVE = 22

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

# Kinds that build up and fade over days to weeks.
SLOW = (
    Kind.INFECTION,
    Kind.POOR_RECOVERY,
    Kind.DEHYDRATION,
    Kind.OVERTRAINING,
    Kind.SLEEP_APNOEA,
    Kind.BETA_BLOCKER_START,
    Kind.DETERIORATION,
)

# What looks like illness and is none: an alert during one of these is a false one, unless something else is the matter.
CONFOUNDERS = (
    Kind.ALCOHOL,
    Kind.LATE_EXERCISE,
    Kind.STRESS,
    Kind.TRAVEL,
    Kind.VACCINATION,
    Kind.MENSTRUAL_PHASE,
    Kind.NEW_DEVICE,
    Kind.HEAT_WAVE,
)

# About the data and not about the wearer.
TECHNICAL = (Kind.WATCH_OFF, Kind.GATEWAY_SILENT)
