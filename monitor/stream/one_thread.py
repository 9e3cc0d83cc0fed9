"""One thread for all that blocks on a place, so that the loop does not."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class OneThread:
    """One thread for all writing. A daemon: a place that hangs must not keep the process from ending."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._running: threading.Thread | None = None

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do it in the thread; if the waiting is cancelled, it is done all the same."""
        if self._running is None:
            self._running = threading.Thread(target=self._serve, name="checkpoints", daemon=True)
            self._running.start()
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._work.put((done, work))
        return await done

    def _serve(self) -> None:
        while True:
            done, work = self._work.get()
            try:
                result, failure = work(), None
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                result, failure = None, error
            del work  # a checkpoint is large, and the next may not come for a while
            try:
                done.get_loop().call_soon_threadsafe(_settle, done, result, failure)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            del done, result, failure


def _settle(done: asyncio.Future[Any], result: object, failure: BaseException | None) -> None:
    if done.done():
        return
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)
