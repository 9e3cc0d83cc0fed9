"""One protection switched off at a time: the checker must find something, or it would not find it when it is broken."""

from tests.faults.crashes import kill_again_and_again
from tests.faults.fault import Fault
from tests.faults.freezing import zombie

FAULTS = [
    Fault(
        "without-epochs",
        "claims are ignored: a frozen worker goes on as if nobody had taken over",
        zombie,
        30,
        least_s=20,
        workers=2,
        options=("--without", "epochs"),
        must_fail=True,
        may_end=True,
    ),
    Fault(
        "without-cuts",
        "outputs leave before their cut is acknowledged",
        kill_again_and_again,
        30,
        least_s=20,
        options=("--without", "cuts"),
        must_fail=True,
        may_end=True,
    ),
    Fault(
        "without-ledger",
        "checkpoint and commit get ahead of the outputs",
        kill_again_and_again,
        30,
        least_s=20,
        options=("--without", "ledger"),
        must_fail=True,
        may_end=True,
    ),
]
