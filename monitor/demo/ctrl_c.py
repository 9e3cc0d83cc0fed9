"""Ctrl-C and SIGTERM, politely: the first asks the demo to come to its end, the second ends it where it stands."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class CtrlC:
    """While entered, notes that somebody asked for the end; before :meth:`allow_ending` it ends the demo at once."""

    def __init__(self) -> None:
        self.asked = False
        self._polite = False
        self._before: dict[int, Any] = {}

    def allow_ending(self) -> None:
        """From now on the first signal only sets `asked`."""
        self._polite = True

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked or not self._polite:
            raise KeyboardInterrupt
        self.asked = True
