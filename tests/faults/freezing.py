"""Processes that are frozen: longer than the group waits, at the worst points, alone."""

import signal
import time

from tests.faults.children import Child
from tests.faults.fault import Fault
from tests.faults.run import Run

LONGER_THAN_THE_SESSION_S = 9.5  # the session lasts 6 s
ALONE_S = 24.0


def thaw(run: Run, child: Child) -> None:
    run.tell(f"{child.name} goes on")
    child.send(signal.SIGCONT)


def zombie(run: Run) -> None:
    """Freeze one of two workers until the other has taken over, then let it go on, in turn."""
    turn = 0
    while run.left_s > LONGER_THAN_THE_SESSION_S or not turn:
        run.wait(1 + 2 * run.chance.random())
        child = run.children.workers()[turn % 2]
        turn += 1
        run.mark(f"SIGSTOP of {child.name} for {LONGER_THAN_THE_SESSION_S} s")
        child.send(signal.SIGSTOP)
        run.wait(LONGER_THAN_THE_SESSION_S)
        thaw(run, child)
        run.recovered()
        run.owned_again()


def lone(run: Run) -> None:
    """Freeze the only worker for 24 s: nobody takes over, and no time has passed that nobody saw."""
    run.wait(3 + 2 * run.chance.random())
    (child,) = run.children.workers()
    run.mark(f"SIGSTOP of the only worker for {ALONE_S} s")
    child.send(signal.SIGSTOP)
    run.wait(ALONE_S)
    thaw(run, child)
    run.recovered()


def at_a_point(run: Run) -> None:
    """Let the workers freeze themselves at the point of their options; each goes on after its successor took over."""
    frozen: dict[str, float] = {}
    while run.left_s > 1 or frozen:
        run.wait(0.2)
        for child in run.children.workers():
            if child.frozen and child.name not in frozen:
                run.mark(f"{child.name} froze itself")
                frozen[child.name] = time.monotonic() + LONGER_THAN_THE_SESSION_S
        for name, until_s in list(frozen.items()):
            if time.monotonic() > until_s:
                del frozen[name]
                thaw(run, run.children.running[name])


def late_claim(run: Run) -> None:
    """Let one worker after the other join and freeze before its first claim; its share is claimed by the others.

    Then it goes on: its claim comes late and overtakes owners that did nothing wrong.
    """
    number = 2
    while run.left_s > LONGER_THAN_THE_SESSION_S or number == 2:
        number += 1
        name = f"w{number}"
        run.tell(f"{name} joins")
        run.start_worker(name, "--freeze", "before-claim")
        child = run.children.running[name]
        run.until("it is about to claim", lambda child=child: child.frozen)  # type: ignore[misc]
        run.mark(f"{name} froze before its claim")
        run.wait(LONGER_THAN_THE_SESSION_S)
        thaw(run, child)
        run.wait(2)
        run.recovered()
        run.tell(f"kill -9 of {name}")
        run.children.kill(name)


FAULTS = [
    Fault("zombie", "SIGSTOP of one of two workers for longer than the session", zombie, 50, least_s=20, workers=2),
    Fault(
        "frozen-before-outputs",
        "workers freeze themselves between a valid cut and its outputs",
        at_a_point,
        40,
        workers=2,
        options=("--freeze", "before-outputs:0.15", "--freeze-after", "8"),
    ),
    Fault(
        "frozen-before-claim",
        "workers freeze themselves before a claim, which then comes late",
        late_claim,
        50,
        least_s=25,
    ),
    Fault("frozen-alone", f"the only worker frozen for {ALONE_S:.0f} s", lone, 38, least_s=35),
]
