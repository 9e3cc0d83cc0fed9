"""Workers that are killed, that join and that leave."""

from monitor.verifying import verify
from tests.faults.fault import Fault
from tests.faults.row import Row
from tests.faults.run import Run


def kill_again_and_again(run: Run) -> None:
    """Kill the only worker at random moments, one time in four while it is still recovering."""
    while run.left_s > 3:
        run.wait(0.3 + 2.2 * run.chance.random())
        run.mark("kill -9 of the worker; it is started again")
        run.children.kill("w1")
        run.start_worker("w1")
        if run.chance.random() < 0.75:
            run.recovered()
        else:
            run.wait(0.5 + 5 * run.chance.random())
    run.recovered()


def kill_and_join(run: Run) -> None:
    """Kill one of two or three workers, or let one more join, at random."""
    number = 2
    while run.left_s > 6:
        run.wait(1 + 4 * run.chance.random())
        workers = [child.name for child in run.children.workers()]
        if len(workers) > 1 and run.chance.random() < 0.6:
            name = run.chance.choice(workers)
            run.mark(f"kill -9 of {name}, of {len(workers)} workers")
            run.children.kill(name)
        if len(run.children.workers()) < 3:
            number += 1
            run.mark(f"w{number} joins")
            run.start_worker(f"w{number}")
        if run.chance.random() < 0.6:
            run.recovered()
    run.recovered()


def scale_out_and_in(run: Run) -> None:
    """1 -> 3 -> 2 -> 1 workers, each step when the one before has settled."""
    run.wait(2)
    run.mark("two more workers join: 3")
    run.start_worker("w2")
    run.start_worker("w3")
    run.owned_again()
    run.wait(3)
    run.mark("the first worker is asked to leave: 2")
    run.children.stop(["w1"])
    run.owned_again()
    run.wait(3)
    run.mark("the second is asked to leave: 1")
    run.children.stop(["w2"])
    run.owned_again()


def verified_from_checkpoints(run: Run, row: Row) -> None:
    """Let verify begin at checkpoints too: it must come to the same end."""
    report = verify(run.settings, from_checkpoint=True)
    if not report.identical or report.unverified:
        row.why.append(
            f"verify from checkpoints: {report.missing} missing, {report.different} different, "
            f"{report.unexpected} unexpected, not verified {report.unverified}"
        )
    if not any(begun.how == "checkpoint" for begun in report.begun):
        row.why.append("verify found no checkpoint to begin at")


FAULTS = [
    Fault("kill-9", "kill -9 of the only worker at random moments", kill_again_and_again, 205, least_s=18),
    Fault(
        "kill-9-static",
        "the same with static membership: no rebalance, a restart takes over what it had",
        kill_again_and_again,
        seconds=40,
        settings={"stream": {"static_membership": True}},
        judge_more=verified_from_checkpoints,
    ),
    Fault("kills-and-joins", "two or three workers, killed and joined at random", kill_and_join, 75, workers=2),
    Fault("scale-out", "1 -> 3 -> 2 -> 1 workers under load", scale_out_and_in, 40, least_s=30),
]
