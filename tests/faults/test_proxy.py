"""The proxy that cuts a worker off from one broker does what the run says."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import HOST, Proxies, Way


@pytest.fixture
def proxies() -> Iterator[Proxies]:
    """A proxy before a server that sends back whatever it gets."""
    server = socket.create_server((HOST, 0))

    def echo(one: socket.socket) -> None:
        with one, contextlib.suppress(OSError):
            while chunk := one.recv(1000):
                one.sendall(chunk)

    def accept() -> None:
        while True:
            try:
                one, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    made = Proxies({1: server.getsockname()[1]})
    yield made
    made.close()
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def connect(proxies: Proxies) -> socket.socket:
    return socket.create_connection((HOST, proxies.ports[1]), timeout=5)


def test_it_passes_everything_on(proxies: Proxies) -> None:
    with connect(proxies) as one:
        one.sendall(b"x" * 900)
        assert one.recv(1000) == b"x" * 900


def test_what_is_stalled_comes_when_it_passes_again(proxies: Proxies) -> None:
    with connect(proxies) as one:
        one.sendall(b"before")
        assert one.recv(100) == b"before"
        proxies.set(1, Way.STALL)
        one.sendall(b"after")
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            one.recv(100)
        proxies.set(1, Way.PASS)
        one.settimeout(5)
        assert one.recv(100) == b"after"


def test_connections_are_reset_and_new_ones_too(proxies: Proxies) -> None:
    with connect(proxies) as one:
        one.sendall(b"before")
        assert one.recv(100) == b"before"
        proxies.set(1, Way.RESET)
        with pytest.raises(ConnectionResetError):
            one.recv(100)
    with pytest.raises(ConnectionResetError), connect(proxies) as another:  # in connecting, or soon after
        another.recv(100)
    proxies.pass_all()
    with connect(proxies) as again:
        again.sendall(b"again")
        assert again.recv(100) == b"again"
