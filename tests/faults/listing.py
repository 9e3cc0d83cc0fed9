"""All faults, in the order in which they run."""

from tests.faults import crashes, freezing
from tests.faults.fault import Fault

FAULTS: list[Fault] = [*crashes.FAULTS, *freezing.FAULTS]
SWITCHED_OFF: list[Fault] = []
