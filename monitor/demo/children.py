"""The demo's processes: worker, projector and simulator, each under a leash, each with a log of its own."""

import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.errors import PulsewardenError
from monitor.local.leash import PATIENCE_S, Leashed, spawn
from monitor.local.stack import Stack
from monitor.settings import Settings

_LOG_LINES = 12


class ChildEnded(PulsewardenError):
    """A process that the demo needs has ended by itself."""


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give a child the settings that a demo changes."""
    return {
        "PULSEWARDEN_STATE_DIR": str(settings.state_dir),
        "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PULSEWARDEN_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PULSEWARDEN_REDIS__URL": settings.redis.url,
        "PULSEWARDEN_REDIS__KEY_PREFIX": settings.redis.key_prefix,
        "PULSEWARDEN_STREAM__CLOCK": settings.stream.clock,
        "PULSEWARDEN_STREAM__PARTITIONS": str(settings.stream.partitions),
        "PYTHONUNBUFFERED": "1",
    }


class Children:
    """Processes that must live until they are told to end."""

    def __init__(self, logs: Path, stack: Stack) -> None:
        self.logs, self._stack = logs, stack
        self._running: dict[str, Leashed] = {}

    def start(self, name: str, module: str, arguments: Sequence[str], settings: Settings) -> Leashed:
        """Start ``python -m module arguments`` with the settings; its output goes to ``<name>.log``."""
        argv = [sys.executable, "-m", module, *arguments]
        patience_s = settings.stream.gone_within_s + PATIENCE_S
        child = spawn(name, argv, self.logs / f"{name}.log", env=environment(settings), patience_s=patience_s)
        self._running[name] = child
        return child

    def check(self) -> None:
        """Return if everything still runs.

        Raises
        ------
        ChildEnded
            With the last lines of the log of what ended.
        """
        server = self._stack.ended()
        ended = [child for child in self._running.values() if child.poll() is not None]
        ended += [server] if server is not None else []
        if ended:
            raise ChildEnded(sentence(ended[0]))

    def release(self, name: str) -> Leashed:
        """Stop watching over a child: it may end from now on."""
        return self._running.pop(name)

    def stop(self, *names: str) -> None:
        """Ask the named children, or all of them, to end, and wait for them."""
        leaving = [self._running.pop(name) for name in names or list(self._running)]
        for child in leaving:
            child.ask_to_end()
        for child in leaving:
            child.stop()


def sentence(child: Leashed) -> str:
    """Return what to say of a child that ended by itself."""
    return (
        f"The {child.name} ended by itself with status {child.poll()}; the end of {child.log} says why, mend that and "
        f"run the demo again:\n{child.tail(_LOG_LINES)}"
    )


def finished(child: Leashed) -> bool:
    """Tell whether a child has ended well.

    Raises
    ------
    ChildEnded
        If it ended with an error.
    """
    status = child.poll()
    if status is None:
        return False
    if status != 0:
        raise ChildEnded(sentence(child))
    return True
