"""Inputs and circumstances that are unpleasant by themselves, and a kill in the middle of each."""

from tests.faults.fault import Fault
from tests.faults.run import Run
from tests.faults.story import Fate


def one_kill(run: Run) -> None:
    """Kill a worker about half-way."""
    run.wait(max(1.0, run.left_s * (0.4 + 0.2 * run.chance.random())))
    name = run.chance.choice([child.name for child in run.children.workers()])
    run.mark(f"kill -9 of {name}; it is started again")
    run.children.kill(name)
    run.start_worker(name)
    run.recovered()


FAULTS = [
    Fault("duplicates", "30 % of all messages are duplicates", one_kill, 22, 18, plot={"duplicates": 0.3}),
    Fault(
        "shuffles",
        "every message held back by up to the settle time",
        one_kill,
        30,
        plot={"shuffle_s": 1.9, "held": 1.0},
    ),
    Fault(
        "bursts",
        "watches that sync twelve hours at once",
        one_kill,
        25,
        plot={"only": (Fate.BURST, Fate.CALM, Fate.FAST_HEART), "wearers": 160},
        settings={"limits": {"late_after_s": 120.0}},
    ),
    Fault(
        "delayed-input",
        "one topic's fetches come 150 ms late",
        one_kill,
        25,
        workers=2,
        options=("--delay", "vitals.activity.v1:150"),
    ),
    Fault(
        "clock-jumps",
        "the workers' wall clocks jump by an hour, forth and back",
        one_kill,
        25,
        workers=2,
        options=("--clock-jumps", "3600"),
    ),
    Fault("transactions", "the gateways publish in transactions, some aborted", one_kill, 22, 18, transactional=True),
    Fault(
        "scoring",
        "scores on: they are inputs, so a replay need not compute them again",
        one_kill,
        35,
        settings={"scoring": {"enabled": True, "device": "cpu", "every_min": 5}},
    ),
]
