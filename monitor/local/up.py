"""``python -m monitor up``: keep the embedded stack running, and say how to reach it."""

import signal
import sys
import threading
from types import FrameType

from rich.console import Console

from monitor.errors import ServerFailed
from monitor.local.address import address_file
from monitor.local.stack import Stack
from monitor.settings import Settings

WATCH_S = 0.5  # how soon a server that died is noticed


def run(settings: Settings, *, kafka_port: int = 0, redis_port: int = 0) -> int:
    """Start the stack, print its addresses, and keep it until Ctrl-C or SIGTERM; return 0.

    Raises
    ------
    StackError
        If the stack cannot start, or a server ends by itself.
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
            _print_addresses(console, stack)
            while not enough.wait(WATCH_S):
                ended = stack.ended()
                if ended is not None:
                    raise ServerFailed(f"{ended.name} ended by itself: see {ended.log}, then start again.")
            console.print("Stopping")
            stack.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return 0


def _print_addresses(console: Console, stack: Stack) -> None:
    console.print(f"Kafka  {stack.bootstrap_servers}")
    console.print(f"Valkey {stack.redis_url}")
    console.print(
        f"\nCommands started in this folder find it by themselves ({address_file(stack.state_dir)}). Elsewhere:"
    )
    for name, value in stack.environment().items():
        console.print(f"  export {name}={value}")
    console.print("\nRunning until Ctrl-C.")
    sys.stdout.flush()
