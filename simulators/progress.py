"""One clear line of progress: a moving bar on a terminal, else (or when asked) a plain line now and then."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

PLAIN_EVERY_S = 5.0


class Progress:
    """Progress towards `total` units, on stderr; `note` says what else there is to say."""

    def __init__(self, what: str, total: int, unit: str, *, plain: bool) -> None:
        self._what, self._total, self._unit, self._done, self._note = what, total, unit, 0, ""
        self._spoken = time.monotonic()
        console = Console(stderr=True)
        self._rich: RichProgress | None = None
        if not plain and console.is_terminal:
            self._rich = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(unit),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
            self._task = self._rich.add_task(what, total=total, note="")

    def __enter__(self) -> Self:
        """Show the line."""
        if self._rich is not None:
            self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of the line."""
        if self._rich is not None:
            self._rich.stop()
        elif self._total:
            self._speak()

    @property
    def left(self) -> int:
        """Units that are not done yet."""
        return self._total - self._done

    def advance(self, units: int, note: str = "") -> None:
        """Count *units* more as done."""
        self._done += units
        self._note = note
        if self._rich is not None:
            self._rich.update(self._task, advance=units, note=note)
        elif time.monotonic() - self._spoken > PLAIN_EVERY_S:
            self._speak()

    def _speak(self) -> None:
        self._spoken = time.monotonic()
        note = f", {self._note}" if self._note else ""
        print(f"{self._what}: {self._done:,} of {self._total:,} {self._unit}{note}", file=sys.stderr, flush=True)
