"""``python -m monitor up``: keep the embedded stack running, and workers and projector beside it if they are asked for.

Without ``--workers`` it runs the servers only, so that workers can be started, stopped and debugged in other terminals;
with ``--workers N`` it is a whole installation on one machine. What ends is started again, a server on the ports that
it had; what runs goes on running.
"""

import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from types import FrameType

from rich.console import Console
from rich.status import Status

from monitor import topics
from monitor.draining import DRAINED
from monitor.errors import StackError
from monitor.local.address import address_file
from monitor.local.leash import PATIENCE_S
from monitor.local.stack import Stack
from monitor.local.state_folder import private_folder
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
        If the stack cannot start.
    TopicsDiffer
        If workers are asked for and the topics that exist are other ones.
    """
    copies = settings.kafka.replication_factor
    if workers and copies > 1:
        raise StackError(
            f"PULSEWARDEN_KAFKA__REPLICATION_FACTOR is {copies}, but `up` runs one broker: unset it, or run workers on "
            "a Kafka of that many brokers."
        )
    console = Console(highlight=False, soft_wrap=True)
    with console.status("Starting") as status:
        screen = _Screen(console, status if console.is_terminal else None)
        stack = Stack.start(settings.state_dir, kafka_port=kafka_port, redis_port=redis_port, say=screen.say)
        screen.started()
    with stack:
        # Only now: Ctrl-C during a slow first download must interrupt it.
        enough = threading.Event()

        def finish(_signal: int, _frame: FrameType | None) -> None:
            enough.set()

        before = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with ExitStack() as ends:
                supervisor = ends.enter_context(_supervisor(settings, stack, screen, workers, trainer))
                _print_addresses(console, stack, workers)
                while not enough.wait(WATCH_S):
                    stack.look()
                    supervisor.look()
                screen.say("Stopping")
            stack.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return 0


class _Screen:
    """Says lines: as the one line that changes while the stack starts on a terminal, else below each other."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console, self._status = console, status

    def started(self) -> None:
        """Say everything below each other from now on."""
        self._status = None

    def say(self, line: str) -> None:
        """Say a line; a terminal that is gone or a full disk behind it ends nothing that runs."""
        if self._status is not None:
            self._status.update(line)
            return
        with suppress(OSError):
            self._console.print(line, markup=False)
            sys.stdout.flush()


def _supervisor(settings: Settings, stack: Stack, screen: _Screen, workers: int, trainer: bool) -> Supervisor:
    if workers:
        here = {
            "kafka": settings.kafka.model_copy(update={"bootstrap_servers": stack.bootstrap_servers}),
            "redis": settings.redis.model_copy(update={"url": stack.redis_url}),
        }
        installed = settings.model_copy(update=here)
        topics.create(installed)
        topics.require(installed)
    logs = private_folder(stack.state_dir / "logs")
    kept = parts(stack, workers, trainer, settings.stream.gone_within_s + PATIENCE_S)
    return Supervisor(kept, logs, screen.say, held=stack.held)


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
        unwanted = stack.state_dir / DRAINED
        made.append(Part(f"worker-{number}", _command("worker"), mine, patience_s, unwanted=unwanted))
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
    drained = stack.state_dir / DRAINED
    if workers and drained.exists():
        console.print(f"\nA projector runs. Workers were drained and stay down: to start them, rm {drained}")
    elif workers:
        console.print(
            f"\n{workers} worker{'s' if workers > 1 else ''} and a projector run; logs in {stack.state_dir}/logs"
        )
    console.print("\nRunning until Ctrl-C.")
    sys.stdout.flush()
