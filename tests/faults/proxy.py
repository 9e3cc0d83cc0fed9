"""A TCP proxy before each broker: it passes on, stalls or resets, as the run says, and needs no privileges."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Mapping
from enum import StrEnum

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends a reset."""


class Way(StrEnum):
    """What becomes of connections."""

    PASS = "pass"  # noqa: S105  no password
    STALL = "stall"
    RESET = "reset"


class Proxies:
    """One proxy for each broker, in a thread with an event loop of its own.

    Parameters
    ----------
    behind : broker -> loopback port to which its proxy connects.

    Attributes
    ----------
    ports : broker -> loopback port on which its proxy listens.
    """

    def __init__(self, behind: Mapping[int, int]) -> None:
        self._behind = dict(behind)
        self.ports: dict[int, int] = {}
        self._way = dict.fromkeys(behind, Way.PASS)
        self._open: dict[int, set[asyncio.StreamWriter]] = {number: set() for number in behind}
        self._loop = asyncio.new_event_loop()
        self._passing: dict[int, asyncio.Event] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="proxies")
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        self._servers = []
        for number in self._behind:
            self._passing[number] = asyncio.Event()
            self._passing[number].set()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = number) -> None:
                await self._serve(number, reader, writer)

            server = await asyncio.start_server(serve, HOST, 0)
            self._servers.append(server)
            self.ports[number] = server.sockets[0].getsockname()[1]

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[number].add(writer)
        try:
            if self._way[number] is Way.RESET:
                return
            await self._passing[number].wait()
            their_reader, their_writer = await asyncio.open_connection(HOST, self._behind[number])
            self._open[number].add(their_writer)
            try:
                ways = [
                    asyncio.ensure_future(self._pump(number, *pair))
                    for pair in ((reader, their_writer), (their_reader, writer))
                ]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.wait(ways)
            finally:
                self._drop(number, their_writer)
        except OSError:
            return  # the broker is gone: so is the connection
        finally:
            self._drop(number, writer)

    async def _pump(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._passing[number].wait()
                writer.write(chunk)
                await writer.drain()

    def _drop(self, number: int, writer: asyncio.StreamWriter) -> None:
        self._open[number].discard(writer)
        if self._way[number] is Way.RESET:
            known = writer.get_extra_info("socket")
            if known is not None:
                with contextlib.suppress(OSError):
                    known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.close()

    def set(self, number: int, way: Way) -> None:
        """Let the connections to one broker pass, stall, or be reset from now on."""
        asyncio.run_coroutine_threadsafe(self._set(number, way), self._loop).result(10)

    async def _set(self, number: int, way: Way) -> None:
        self._way[number] = way
        if way is Way.STALL:
            self._passing[number].clear()
        else:
            self._passing[number].set()
        if way is Way.RESET:
            for writer in list(self._open[number]):
                self._drop(number, writer)

    def pass_all(self) -> None:
        """Let everything pass."""
        for number in self._behind:
            self.set(number, Way.PASS)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for number in self._behind:
            await self._set(number, Way.RESET)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
