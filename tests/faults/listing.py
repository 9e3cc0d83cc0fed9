"""All faults, in the order in which they run."""

from tests.faults import (
    brokers,
    brokers_told,
    crashes,
    exceptions,
    freezing,
    inputs,
    outages,
    same_log,
    storage,
    switched_off,
)
from tests.faults.fault import Fault

FAULTS: list[Fault] = [
    *crashes.FAULTS,
    *freezing.FAULTS,
    *outages.FAULTS,
    *storage.FAULTS,
    *inputs.FAULTS,
    *exceptions.FAULTS,
    *same_log.FAULTS,
]
CLUSTER: tuple[Fault, ...] = (*brokers.FAULTS, *brokers_told.FAULTS)
"""On three brokers, which are started for the first of them."""
SWITCHED_OFF: list[Fault] = [*switched_off.FAULTS, exceptions.WITHOUT_FORGETTING]
