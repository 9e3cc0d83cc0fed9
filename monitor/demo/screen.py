"""Where the demo shows itself: a picture that moves, or plain lines for logs and CI."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.status import Status

from monitor.console.frame import Frame
from monitor.console.view import line, view
from monitor.console.watch import plain_console

PLAIN_EVERY_S = 2.0


class Screen:
    """Steps of the start and of the end as lines, frames in between as a picture; everything as lines when plain."""

    def __init__(self, *, plain: bool) -> None:
        self.console = plain_console() if plain else Console(highlight=False)
        self._plain = plain or not self.console.is_terminal
        self._live: Live | None = None
        self._status: Status | None = None
        self._last_line_s = -PLAIN_EVERY_S
        self._hint = ""

    def say(self, step: str) -> None:
        """Tell of a step: a line when plain, else beside a spinner, or in the picture while there is one."""
        self._hint = step
        if self._plain:
            self.console.print(step, soft_wrap=True)
        elif self._live is None:
            self._status = self._status or self.console.status(step)
            self._status.start()
            self._status.update(step)

    def tell(self, sentence: str) -> None:
        """Print a line that stays."""
        self.back_to_lines()
        self.console.print(sentence, soft_wrap=True)

    def show(self, frame: Frame) -> None:
        """Show a frame; as a line at most every two seconds when plain."""
        if self._plain:
            if time.monotonic() - self._last_line_s >= PLAIN_EVERY_S:
                self._last_line_s = time.monotonic()
                self.console.print(line(frame), soft_wrap=True)
            return
        if self._live is None:
            self.back_to_lines()
            self._live = Live(console=self.console, screen=True, auto_refresh=False)
            self._live.start()
        size = self.console.size
        self._live.update(view(frame, width=size.width, height=size.height, hint=self._hint), refresh=True)

    def back_to_lines(self) -> None:
        """Put picture and spinner away; what follows is lines again."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Self:
        """Start with lines."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self.back_to_lines()
