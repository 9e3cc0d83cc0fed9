"""Child processes that end with their owner, even when the owner is killed with ``kill -9``.

Each child runs under a small wrapper (this file, run as a script) whose standard input is a pipe from the owner. When
the owner ends, however it ends, the kernel closes the pipe: the wrapper reads end of file and stops the child, politely
first. Should the wrapper itself be killed, PR_SET_PDEATHSIG kills the child. That signal alone would not do: it fires
when the *thread* that started the child ends, and the wrapper has only one.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE_S = 10.0  # between asking a child to end and killing it, unless the child is given another time
PR_SET_PDEATHSIG = 1


class Leashed:
    """A running child and the leash that holds it.

    Attributes
    ----------
    name : str
        What to call it in messages.
    log : Path
        Where its standard output and error go.
    pid : int
        Process id of the leash, which is also the id of the session that the child runs in.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, patience_s: float = PATIENCE_S) -> None:
        self.name = name
        self.log = log
        self.pid = process.pid
        self._process, self._patience_s = process, patience_s

    def poll(self) -> int | None:
        """Return the child's exit status, negative for a signal, or None while it runs."""
        status = self._process.poll()
        return status if status is None or status < 128 else 128 - status

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the child's end and return its exit status.

        Raises
        ------
        subprocess.TimeoutExpired
            If it still runs after *timeout_s*.
        """
        self._process.wait(timeout_s)
        status = self.poll()
        assert status is not None  # noqa: S101  wait() returned
        return status

    def ask_to_end(self) -> None:
        """Let go of the leash: the child gets SIGTERM, and SIGKILL if it is too slow; returns at once."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def stop(self) -> int:
        """End the child, wait for it and return its exit status."""
        self.ask_to_end()
        return self.wait(self._patience_s + 5)

    def kill(self) -> int:
        """``kill -9`` the child, as a crash would, and return the exit status."""
        self._process.kill()
        status = self.wait()
        self.ask_to_end()
        return status

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def spawn(
    name: str,
    argv: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    *,
    held: Sequence[int] = (),
    patience_s: float = PATIENCE_S,
) -> Leashed:
    """Start *argv* under a leash, with its output appended to *log*.

    Parameters
    ----------
    env
        Variables to add to our own environment.
    held
        Open descriptors that the leash, not the child, keeps until the child has ended; the stack's lock is one.
    patience_s
        How long the child has from being asked to end to being killed.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # -I -S: the wrapper needs the standard library only, and starts in 15 ms without site-packages.
    wrapper = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(patience_s)]
    with open(log, "ab", opener=_private) as output:
        process = subprocess.Popen(
            [*wrapper, *(str(part) for part in argv)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            pass_fds=tuple(held),
        )
    return Leashed(name, process, log, patience_s)


def _private(path: str, flags: int) -> int:
    """Open a log that only its user may read, an older one too: programs quote what they could not use."""
    descriptor = os.open(path, flags, 0o600)
    with contextlib.suppress(PermissionError):  # another user's log stays as it is
        os.fchmod(descriptor, 0o600)
    return descriptor


def _die_with(parent: int) -> None:
    """Run in the child before exec: be killed when the leash ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def hold(argv: Sequence[str], patience_s: float = PATIENCE_S) -> int:
    """Run *argv* until it ends or standard input is closed; return its exit status, 128 + n for signal n.

    However often it is asked to end, the child is told once: a worker takes a second signal for impatience.
    """
    me = os.getpid()
    os.umask(0o077)  # what a child writes is its user's alone: it is health data
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before_exec = (lambda: _die_with(me)) if sys.platform == "linux" else None
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=before_exec)
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            child.terminate()

    signal.signal(signal.SIGTERM, ask)
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    ended = os.pidfd_open(child.pid) if hasattr(os, "pidfd_open") else None
    if ended is not None:
        poll.register(ended, select.POLLIN)
    while child.poll() is None:
        for descriptor, _ in poll.poll(None if ended is not None else 200):
            if descriptor == 0 and not os.read(0, 1):
                poll.unregister(0)
                ask()
                try:
                    child.wait(patience_s)
                except subprocess.TimeoutExpired:
                    child.kill()
    status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    try:
        raise SystemExit(hold(sys.argv[2:], float(sys.argv[1])))
    except FileNotFoundError as error:
        raise SystemExit(f"{error.filename} cannot be run: it does not exist.") from None
