"""One protection switched off at a time: the checker must find something, or it would not find it when it is broken.

The moment is not left to chance: the worker is killed where the protection would have been needed.
"""

from tests.faults.fault import Fault
from tests.faults.freezing import zombie
from tests.faults.ground import patiently
from tests.faults.records import ends
from tests.faults.run import Run
from tests.faults.storage import generations

CALMLY = {"shuffle_s": 0.5}
"""What is found comes from what is switched off: a story told faster is shuffled by more than its settle time."""
ALERTS = ("alerts.north.v1", "alerts.south.v1")


def kill_after_an_alert(run: Run) -> None:
    """Kill the worker as soon as an alert is out: is the cut that it came from there too?"""
    while not run.faults or run.left_s > 8:
        run.wait(1)
        before = sum(patiently(lambda: ends(run.settings, ALERTS)).values())
        run.until("an alert is out", lambda: sum(ends(run.settings, ALERTS).values()) > before)  # noqa: B023
        run.mark("an alert is out: kill -9 of the worker")
        run.children.kill("w1")
        run.start_worker("w1")
        run.recovered()


def kill_after_a_checkpoint(run: Run) -> None:
    """Kill the worker as soon as a checkpoint is there: are the outputs that it follows from out too?"""
    while not run.faults or run.left_s > 8:
        run.wait(2)
        before = {file for files in generations(run).values() for file in files}
        run.until(
            "a new checkpoint is there",
            lambda: {file for files in generations(run).values() for file in files} - before,  # noqa: B023
        )
        run.mark("a checkpoint is there: kill -9 of the worker")
        run.children.kill("w1")
        run.start_worker("w1")
        run.recovered()


FAULTS = [
    Fault(
        "without-epochs",
        "claims are ignored: a frozen worker goes on as if nobody had taken over",
        zombie,
        20,
        least_s=12,
        workers=2,
        options=("--without", "epochs"),
        plot=CALMLY,
        must_fail=True,
        may_end=True,
    ),
    Fault(
        "without-cuts",
        "outputs leave before their cut is acknowledged",
        kill_after_an_alert,
        20,
        least_s=12,
        options=("--without", "cuts"),
        plot=CALMLY,
        must_fail=True,
        may_end=True,
    ),
    Fault(
        "without-ledger",
        "checkpoint and commit get ahead of the outputs",
        kill_after_a_checkpoint,
        20,
        least_s=12,
        options=("--without", "ledger"),
        settings={"checkpoint": {"interval_s": 60.0}},
        plot=CALMLY,
        must_fail=True,
        may_end=True,
    ),
]
