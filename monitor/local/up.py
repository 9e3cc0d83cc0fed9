"""``python -m monitor up``: keep the embedded stack running, and workers and projector beside it if they are asked for.

Without ``--workers`` it runs the servers only, so that workers can be started, stopped and debugged in other terminals;
with ``--workers N`` it is a whole installation on one machine, and restarts what ends.
"""

import os
import signal
import sys
import threading
from contextlib import ExitStack
from types import FrameType

from rich.console import Console

from monitor import topics
from monitor.errors import ServerFailed
from monitor.local.address import address_file
from monitor.local.leash import PATIENCE_S
from monitor.local.stack import Stack
from monitor.local.supervisor import Part, Supervisor
from monitor.settings import Settings

WATCH_S = 0.25  # how soon a server or a worker that died is noticed


def run(
    settings: Settings, *, kafka_port: int = 0, redis_port: int = 0, workers: int = 0, trainer: bool = False
) -> int:
    """Start everything, print the addresses, and keep it until Ctrl-C or SIGTERM; return 0.

    Parameters
    ----------
    settings : Settings
    kafka_port, redis_port : int
        0: the last ones used, or free ones.
    workers : int
        How many workers; with one or more the topics are created and a projector runs, too.
    trainer : bool
        Whether the trainer runs, too.

    Raises
    ------
    StackError
        If the stack cannot start, or a server ends by itself.
    TopicsDiffer
        If workers are asked for and the topics that exist are other ones.
    """
    console = Console(highlight=False, soft_wrap=True)
    with console.status("Starting") as status:
        say = status.update if console.is_terminal else console.print
        stack = Stack.start(settings.state_dir, kafka_port=kafka_port, redis_port=redis_port, say=say)
    with stack:
        # Only now: Ctrl-C during a slow first download must interrupt it.
        enough = threading.Event()

        def finish(_signal: int, _frame: FrameType | None) -> None:
            enough.set()

        before = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with ExitStack() as ends:
                supervisor = ends.enter_context(_supervisor(settings, stack, console, workers, trainer))
                _print_addresses(console, stack, workers)
                while not enough.wait(WATCH_S):
                    ended = stack.ended()
                    if ended is not None:
                        raise ServerFailed(f"{ended.name} ended by itself: see {ended.log}, then start again.")
                    supervisor.look()
                console.print("Stopping")
            stack.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return 0


def _supervisor(settings: Settings, stack: Stack, console: Console, workers: int, trainer: bool) -> Supervisor:
    if workers:
        here = {
            "kafka": settings.kafka.model_copy(update={"bootstrap_servers": stack.bootstrap_servers}),
            "redis": settings.redis.model_copy(update={"url": stack.redis_url}),
        }
        installed = settings.model_copy(update=here)
        topics.create(installed)
        topics.require(installed)

    def say(line: str) -> None:
        console.print(line, markup=False)
        sys.stdout.flush()

    kept = parts(stack, workers, trainer, settings.stream.gone_within_s + PATIENCE_S)
    return Supervisor(kept, stack.state_dir / "logs", say, held=stack.held)


def parts(stack: Stack, workers: int, trainer: bool, patience_s: float) -> list[Part]:
    """Return what runs beside the servers: workers ``worker-1`` on, with them a projector, and the trainer.

    `patience_s` is how long a worker has to end, for it writes its checkpoints then.
    """
    shared = {**stack.environment(), "PYTHONUNBUFFERED": "1"}
    made = []
    for number in range(1, workers + 1):
        mine = {**shared, "PULSEWARDEN_STREAM__WORKER_ID": f"worker-{number}"}
        # It comes back within a second or two under the same name: nobody has to wait for its session to end.
        static = "PULSEWARDEN_STREAM__STATIC_MEMBERSHIP"
        mine[static] = os.environ.get(static, "true")
        made.append(Part(f"worker-{number}", _command("worker"), mine, patience_s))
    if workers:
        made.append(Part("projector", _command("projector"), shared))
    if trainer:
        made.append(Part("trainer", _command("trainer"), shared))
    return made


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "monitor", name]


def _print_addresses(console: Console, stack: Stack, workers: int) -> None:
    console.print(f"Kafka  {stack.bootstrap_servers}")
    console.print(f"Valkey {stack.redis_url}")
    console.print(
        f"\nCommands started in this folder find it by themselves ({address_file(stack.state_dir)}). Elsewhere:"
    )
    for name, value in stack.environment().items():
        console.print(f"  export {name}={value}")
    if workers:
        console.print(
            f"\n{workers} worker{'s' if workers > 1 else ''} and a projector run; logs in {stack.state_dir}/logs"
        )
    console.print("\nRunning until Ctrl-C.")
    sys.stdout.flush()
