"""All faults, in the order in which they run."""

from tests.faults import crashes, freezing, inputs, outages, same_log, storage, switched_off
from tests.faults.fault import Fault

FAULTS: list[Fault] = [
    *crashes.FAULTS,
    *freezing.FAULTS,
    *outages.FAULTS,
    *storage.FAULTS,
    *inputs.FAULTS,
    *same_log.FAULTS,
]
SWITCHED_OFF: list[Fault] = switched_off.FAULTS
