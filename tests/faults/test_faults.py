"""The short version of `make faults`: everything that can happen to workers, at once; and each protection switched off.

The runs share the broker of the session and go on beside each other, because most of what they do is wait.
"""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from monitor.local.stack import Stack
from tests.faults import exceptions, switched_off
from tests.faults.fault import Fault, logs_say, named
from tests.faults.ground import Ground
from tests.faults.row import Row
from tests.faults.run import Run
from tests.faults.short import run_three
from tests.faults.storage import SAYS_DAMAGED, damage, generations, has_checkpoints

SHORT = {"wearers": 48, "seconds": 12.0, "minutes": 60, "shuffle_s": 0.4}
LONGER = {**SHORT, "wearers": 120, "seconds": 20.0}
"""Long enough that whoever was frozen for 9.5 s still finds something to do wrong afterwards."""
SEED = 4


def all_at_once(run: Run) -> None:
    """Kill one of two workers and damage the newest checkpoints; freeze the other past its session; thaw it."""
    run.until("every partition has two checkpoints", lambda: has_checkpoints(run, 2))
    run.mark("kill -9 of w1; every newest checkpoint is damaged; SIGSTOP of w2; w3 joins")
    run.children.kill("w1")
    frozen = run.children.running["w2"]
    frozen.send(signal.SIGSTOP)
    for files in generations(run).values():
        damage(files[0], run.chance.random(), cut_off=run.chance.random() < 0.5)
    run.start_worker("w3")
    run.recovered()
    run.tell("w2 goes on")
    frozen.send(signal.SIGCONT)
    run.wait(2)
    run.recovered()


ALL_AT_ONCE = Fault(
    "all-at-once",
    "kill -9, a damaged checkpoint and a zombie",
    all_at_once,
    workers=2,
    settings={"checkpoint": {"interval_s": 2.0}},
    plot=SHORT,
    judge_more=logs_say(SAYS_DAMAGED),
)


OFF = [replace(fault, plot=LONGER) for fault in (*switched_off.FAULTS, exceptions.WITHOUT_FORGETTING)]


@pytest.fixture(scope="module")
def rows(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Row]]]:
    """All runs, begun together."""
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(4) as pool:
        yield {fault.name: pool.submit(one, fault, folder, stack) for fault in (ALL_AT_ONCE, *OFF)}


def one(fault: Fault, folder: Path, stack: Stack) -> Row:
    """Run it; where the checker must find something, up to three times: on a busy machine a moment may hit nothing."""
    row = Row(fault.name, SEED)
    for seed in range(SEED, SEED + 3):
        ground = Ground(folder / f"{fault.name}-{seed}", stack.bootstrap_servers, stack.redis_url)
        row = fault.run(ground, seed, 0.0, lambda line: print(fault.name, line))
        if row.findings or not fault.must_fail:
            break
    return row


def test_nothing_is_lost_or_doubled_or_different_whatever_happens_to_the_workers(
    rows: dict[str, Future[Row]],
) -> None:
    row = rows["all-at-once"].result()
    assert row.clean, row.why
    assert row.alerts_expected > 20
    assert row.outputs > row.alerts_expected
    assert row.recovery_s is not None
    assert row.recovery_s > 1  # something did stand still


@pytest.mark.parametrize("name", [fault.name for fault in OFF])
def test_with_a_protection_switched_off_the_checker_finds_it(rows: dict[str, Future[Row]], name: str) -> None:
    row = rows[name].result()
    assert named(OFF, name).must_fail
    assert row.findings > 0, row.why


def test_nothing_is_lost_when_one_of_three_brokers_is_killed(stack: Stack, jars: Path, tmp_path: Path) -> None:
    # In a process of its own: kafka-python leaves a socket open for each connection that a dead broker refuses.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        row = pool.submit(run_three, tmp_path, stack.bootstrap_servers, stack.redis_url, jars, SEED).result()
    assert row.clean, row.why
    assert row.alerts_expected > 20
    assert row.healthy_still_s is not None


def test_every_fault_has_a_name_of_its_own_and_a_sentence() -> None:
    from tests.faults.listing import CLUSTER, FAULTS, SWITCHED_OFF

    every: Sequence[Fault] = [*FAULTS, *CLUSTER, *SWITCHED_OFF]
    assert len({fault.name for fault in every}) == len(every) > 20
    assert all(fault.what and not fault.what.endswith(".") for fault in every)
