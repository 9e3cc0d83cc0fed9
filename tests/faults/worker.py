"""A worker or projector process that misbehaves on demand: the product's classes, patched in this process only.

    python -m tests.faults.worker --freeze before-outputs:0.2 --seed 3

It freezes itself (SIGSTOP) at a point, raises, delays an input, lets the wall clock jump, fetches little at once, or
has one of the protections switched off. Settings come from the environment, as for `python -m monitor worker`.
"""

import argparse
import asyncio
import contextlib
import ctypes
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.faults.raising import keep_half_a_step, poison, raise_at

PR_SET_PDEATHSIG = 1
SENDER = "sender"
"""Header of every record that such a worker writes: which of them sent it."""
FREEZES = 2
"""A process freezes itself so often at most."""


class Signed:
    """An aiokafka producer that says who sends."""

    def __init__(self, producer: Any, sender: str) -> None:
        self._producer, self._headers = producer, [(SENDER, sender.encode())]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def send(self, *args: Any, **options: Any) -> Any:
        return await self._producer.send(*args, headers=self._headers, **options)


def sign() -> None:
    """Say in every output who sent it."""
    from monitor.sinks.kafka import KafkaSink

    running = KafkaSink._running
    sender = f"{os.environ['PULSEWARDEN_STREAM__WORKER_ID']}/{os.getpid()}"
    KafkaSink._running = lambda self: Signed(running(self), sender)  # type: ignore[method-assign]


def freeze(point: str, chance: random.Random, after_s: float) -> None:
    """Stop this process at a point, with a probability each time it comes by; whoever started it lets it go on."""
    from monitor.stream.cut_log import CutLog
    from monitor.stream.stepping import Stepper

    where, _, probability = point.partition(":")
    began = time.monotonic()
    left = [FREEZES if probability else 1]

    def perhaps() -> None:
        if left[0] and time.monotonic() - began > after_s and chance.random() < float(probability or 1):
            left[0] -= 1
            print(f"frozen {where}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

    if where == "before-outputs":
        send = Stepper._send

        async def frozen_send(self: Stepper, valid: Any, step: Any) -> Any:
            if any(out.topic.startswith("alerts.") for outs in step.outputs.values() for out in outs):
                perhaps()
            return await send(self, valid, step)

        Stepper._send = frozen_send  # type: ignore[method-assign]
    elif where == "before-claim":
        claim = CutLog.claim

        async def frozen_claim(self: CutLog, partition: int) -> int:
            perhaps()
            return await claim(self, partition)

        CutLog.claim = frozen_claim  # type: ignore[method-assign]
    else:
        raise SystemExit(f"{where} is no point at which to freeze")


def delay(topic: str, milliseconds: float) -> None:
    """Hand every fetch of a topic over so much later than it came."""
    from monitor.stream.owner import Owner
    from monitor.stream.records import Fetched

    receive = Owner.receive

    def late_receive(self: Owner, fetched: Fetched) -> None:
        if fetched.topic.endswith(topic):
            asyncio.get_running_loop().call_later(milliseconds / 1000, receive, self, fetched)
        else:
            receive(self, fetched)

    Owner.receive = late_receive  # type: ignore[method-assign]


def jump(jump_s: float, chance: random.Random) -> None:
    """Let this process's wall clock jump to and fro by so much; call it before anything imports the clock."""
    real_s, real_ns = time.time, time.time_ns
    state = {"next": 0.0, "off": 0.0}

    def off() -> float:
        if time.monotonic() >= state["next"]:
            state["next"] = time.monotonic() + 1 + 3 * chance.random()
            state["off"] = chance.choice((0.0, jump_s, -jump_s))
        return state["off"]

    time.time = lambda: real_s() + off()
    time.time_ns = lambda: real_ns() + int(off() * 1e9)


def fetch(records: int) -> None:
    """Fetch and step about so many records at once, replays included."""
    from monitor.stream import app, planning, reading

    app.POLL_RECORDS = planning.STEP_RECORDS = records
    app.FETCH_BYTES = reading.FETCH_BYTES = min(max(1_000, 300 * records), 1024 * 1024)


def without_epochs() -> None:
    """Let no claim overtake anybody: whoever thinks that it owns a partition goes on."""
    from monitor.stream import cut_log

    cut_log.overtaken = lambda between: False  # type: ignore[attr-defined]


def without_cuts() -> None:
    """Let outputs leave before their cut is acknowledged, as a stream does that writes its position afterwards."""
    from monitor.cuts import Cut
    from monitor.sinks.kafka import Posted
    from monitor.stream.cut_log import CutLog, Refused
    from monitor.stream.partition import Partition

    background: set[asyncio.Task[Any]] = set()
    post = CutLog.post

    async def post_later(self: CutLog, cuts: Mapping[int, Cut]) -> dict[int, Posted]:
        async def later() -> None:
            await asyncio.sleep(0.8)
            with contextlib.suppress(Exception):
                await post(self, cuts)

        task = asyncio.create_task(later())
        background.add(task)
        task.add_done_callback(background.discard)
        made: dict[int, Posted] = {p: asyncio.get_running_loop().create_future() for p in cuts}
        for future in made.values():
            assert isinstance(future, asyncio.Future)
            future.set_result(None)
        return made

    async def judge(self: CutLog, part: Partition, cut: Cut, posted: Posted) -> Cut | Refused:
        return cut

    CutLog.post = post_later  # type: ignore[method-assign]
    CutLog.judge = judge  # type: ignore[method-assign]


def without_ledger() -> None:
    """Let a checkpoint, and with it the commit, get ahead of the outputs: it is durable before they leave."""
    from monitor.stream.checkpointing import Checkpointer
    from monitor.stream.stepping import Stepper
    from monitor.wearers.checkpoint import Checkpoints

    send = Stepper._send

    async def checkpoint_then_send(self: Stepper, valid: Any, step: Any) -> Any:
        for item in valid:
            p = item.part.number
            if step.outputs.get(p):
                checkpoint = self._core.save(p)
                await asyncio.to_thread(places[0].write, checkpoint)
                await asyncio.sleep(0.6)  # a slow network
        return await send(self, valid, step)

    Stepper._send = checkpoint_then_send  # type: ignore[method-assign]
    places: list[Checkpoints] = []
    begin = Checkpointer.__init__

    def begin_and_tell(self: Checkpointer, core: Any, checkpoints: Checkpoints, *args: Any, **options: Any) -> None:
        places.append(checkpoints)
        begin(self, core, checkpoints, *args, **options)

    Checkpointer.__init__ = begin_and_tell  # type: ignore[method-assign]


PROTECTIONS: dict[str, Callable[[], None]] = {
    "epochs": without_epochs,
    "cuts": without_cuts,
    "ledger": without_ledger,
    "forgetting": keep_half_a_step,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=("worker", "projector"), default="worker")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--freeze", help="before-outputs or before-claim, and :PROBABILITY each time")
    parser.add_argument("--freeze-after", type=float, default=0.0, help="seconds")
    parser.add_argument("--delay", help="TOPIC:MILLISECONDS")
    parser.add_argument("--clock-jumps", type=float, help="seconds")
    parser.add_argument("--fetch", type=int, help="records")
    parser.add_argument("--raise", dest="raises", help="rule, intake, sink, apply or any, and :PROBABILITY each time")
    parser.add_argument("--raise-until", type=float, default=float("inf"), help="epoch seconds")
    parser.add_argument("--poison", action="store_true", help="raise whenever a marked record is met")
    parser.add_argument("--without", choices=sorted(PROTECTIONS))
    asked = parser.parse_args()
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # the run is over when its process is
    if os.getppid() != parent:
        return 1
    chance = random.Random(f"{asked.seed} {os.environ.get('PULSEWARDEN_STREAM__WORKER_ID')}")
    if asked.clock_jumps is not None:
        jump(asked.clock_jumps, chance)
    return run(asked, chance)


def run(asked: argparse.Namespace, chance: random.Random) -> int:
    """Patch what was asked for, and run."""
    from monitor.errors import PulsewardenError
    from monitor.settings import load
    from monitor.stream import projector, worker

    sign()
    if asked.freeze:
        freeze(asked.freeze, chance, asked.freeze_after)
    if asked.delay:
        topic, _, milliseconds = asked.delay.rpartition(":")
        delay(topic, float(milliseconds))
    if asked.fetch:
        fetch(asked.fetch)
    if asked.poison:
        poison()
    if asked.raises:
        raise_at(asked.raises, asked.seed, asked.raise_until)
    if asked.without:
        PROTECTIONS[asked.without]()
    try:
        return worker.run(load()) if asked.role == "worker" else projector.run(load())
    except PulsewardenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
