"""A real Kafka and Valkey on loopback ports, in one state folder, that end with the process that started them.

``Stack.start`` returns when both servers answer. The state folder holds the jars, the servers' data and logs, the lock
and ``stack.json``; a later start on the same folder finds the same topics and keys, on the same ports if they are free.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.errors import PortTaken, ServerFailed, StackRunning
from monitor.local import kafka_jars, servers
from monitor.local.address import address_file, lock_file, try_lock
from monitor.local.leash import Leashed
from monitor.local.state_folder import prepare, write_private
from monitor.local.supervisor import Part, Supervisor

Say = Callable[[str], None]
"""Told one line per step of the start."""

START_TIMEOUT_S = 90.0
LEFTOVER_TIMEOUT_S = 15.0  # a killed owner's servers are gone after at most PATIENCE_S
POLL_S = 0.05


def _quiet(_line: str) -> None:
    """Say nothing."""


class Stack:
    """A running Kafka and Valkey; a context manager that stops them.

    Attributes
    ----------
    state_dir : Path
        Where everything is kept.
    kafka_port, redis_port : int or None
        Loopback ports; None for a server that was not asked for.
    """

    def __init__(self, state_dir: Path, lock: int, say: Say) -> None:
        self.state_dir = state_dir
        self.kafka_port: int | None = None
        self.redis_port: int | None = None
        self._lock: int | None = lock
        self._say = say
        self._keeper: Supervisor | None = None

    @classmethod
    def start(
        cls,
        state_dir: Path,
        *,
        kafka: bool = True,
        valkey: bool = True,
        kafka_port: int = 0,
        redis_port: int = 0,
        jars: Path | None = None,
        say: Say = _quiet,
    ) -> Self:
        """Start the servers and wait until they answer.

        Parameters
        ----------
        state_dir
            Created if it does not exist.
        kafka_port, redis_port
            0 takes the port of the last start on this folder if that is free, else any free one.
        jars
            Where Kafka's jars are kept; ``state_dir/jars`` if None.

        Raises
        ------
        StackError
            Its subclass and sentence say what is missing, taken, refused or broken; nothing is left running.
        """
        state_dir = prepare(state_dir)
        stack = cls(state_dir, _lock(state_dir, say), say)
        try:
            stack._start(kafka=kafka, valkey=valkey, ports=(kafka_port, redis_port), jars=jars or state_dir / "jars")
        except BaseException:
            stack.stop()
            raise
        return stack

    def _start(self, *, kafka: bool, valkey: bool, ports: tuple[int, int], jars: Path) -> None:
        remembered = _remembered_ports(self.state_dir)
        # A port that is taken is told before 45 jars are fetched.
        self.redis_port = _port("Valkey", ports[1], remembered.get("redis", 0)) if valkey else None
        self.kafka_port = _port("Kafka", ports[0], remembered.get("kafka", 0)) if kafka else None
        parts = []
        if self.redis_port is not None:
            parts.append(servers.valkey_part(self.state_dir, self.redis_port))
        if self.kafka_port is not None:
            found = kafka_jars.ensure(jars, progress=self._say_jars)
            (controller,) = servers.free_ports(1)
            parts.append(servers.kafka_part(self.state_dir, found, servers.KafkaPorts(self.kafka_port, controller)))
        self._run(parts)
        ports_file = self.state_dir / "ports.json"
        write_private(ports_file, json.dumps({"kafka": self.kafka_port, "redis": self.redis_port}))
        document = {"pid": os.getpid(), "environment": self.environment()}
        write_private(address_file(self.state_dir), json.dumps(document, indent=2) + "\n")
        self._say("Ready")

    def _run(self, parts: list[Part]) -> None:
        for part in parts:
            self._say(f"Starting {part.name}")
        self._keeper = Supervisor(parts, self.state_dir, self._say, held=self.held)
        self._keeper.look()
        if len(self._keeper.running()) < len(parts):
            raise ServerFailed(f"A server cannot be started in {self.state_dir}: mend what stands above, start again.")
        for server in self._keeper.running():
            self._wait_for(server, self._keeper)

    def _say_jars(self, done: int, wanted: int) -> None:
        self._say(f"Fetching Kafka: {done} of {wanted} jars")

    def _wait_for(self, server: Leashed, keeper: Supervisor) -> None:
        port = self.kafka_port if server.name == "Kafka" else self.redis_port
        assert port is not None  # noqa: S101  it was started
        answers = servers.kafka_answers if server.name == "Kafka" else servers.valkey_answers
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(port):
            status = server.poll()
            if status is not None:
                raise ServerFailed(
                    f"{server.name} ended while starting ({keeper.why(server.name)}): {server.log} says more, mend "
                    "that and start again."
                )
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"{server.name} did not answer on port {port} within {START_TIMEOUT_S:.0f} s: see {server.log}, "
                    "and start it again when the machine is less busy."
                )
            time.sleep(POLL_S)

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address, as clients take it."""
        if self.kafka_port is None:
            raise ServerFailed("This stack was started without Kafka.")
        return f"{servers.LOOPBACK}:{self.kafka_port}"

    @property
    def redis_url(self) -> str:
        """Valkey's address, as redis-py takes it."""
        if self.redis_port is None:
            raise ServerFailed("This stack was started without Valkey.")
        return f"redis://{servers.LOOPBACK}:{self.redis_port}/0"

    def environment(self) -> dict[str, str]:
        """Return the variables that point Pulsewarden and the simulators at this stack."""
        environment = {"PULSEWARDEN_STATE_DIR": str(self.state_dir)}
        if self.kafka_port is not None:
            environment["PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"] = self.bootstrap_servers
        if self.redis_port is not None:
            environment["PULSEWARDEN_REDIS__URL"] = self.redis_url
        return environment

    @property
    def held(self) -> tuple[int, ...]:
        """Descriptors that whatever belongs to this stack keeps open: the folder is free when the last has ended."""
        return () if self._lock is None else (self._lock,)

    def look(self) -> None:
        """Start again, on the ports that it had, a server that has ended, later each time that it ends soon."""
        if self._keeper is not None:
            self._keeper.look()

    def ended(self) -> Leashed | None:
        """Return a server that has ended by itself, or None while all of them run; for those who do not `look`."""
        running = [] if self._keeper is None else self._keeper.running()
        return next((server for server in running if server.poll() is not None), None)

    def stop(self) -> None:
        """End the servers, wait for them, and free the state folder; does nothing the second time."""
        address_file(self.state_dir).unlink(missing_ok=True)
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Return the running stack."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers."""
        self.stop()


def _lock(state_dir: Path, say: Say) -> int:
    """Take the state folder's lock, waiting a little for the servers of an owner that was killed."""
    deadline = time.monotonic() + LEFTOVER_TIMEOUT_S
    told = False
    while (lock := try_lock(state_dir)) is None:
        owner = lock_file(state_dir).read_text().strip()
        if owner.isdigit() and _alive(int(owner)):
            raise StackRunning(
                f"A stack already runs on {state_dir} (process {owner}): use it, stop it with Ctrl-C there, or choose "
                "another folder with PULSEWARDEN_STATE_DIR."
            )
        if time.monotonic() > deadline:
            raise StackRunning(f"Servers of a killed stack still run on {state_dir}: end them and start again.")
        if not told:
            say("Waiting for the servers of a killed stack to end")
            told = True
        time.sleep(POLL_S)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remembered_ports(state_dir: Path) -> dict[str, int]:
    try:
        ports = json.loads((state_dir / "ports.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {name: port for name, port in ports.items() if isinstance(port, int)}


def _port(name: str, asked: int, remembered: int) -> int:
    if asked:
        if not servers.is_free(asked):
            raise PortTaken(f"Port {asked} for {name} is in use: choose another, or leave it out for a free one.")
        return asked
    if remembered and servers.is_free(remembered):
        return remembered
    return servers.free_ports(1)[0]
