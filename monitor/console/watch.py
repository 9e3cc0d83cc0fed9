"""``python -m monitor watch``: the terminal view of any running stack.

A running demo can be watched from another terminal too; it keeps its state in a folder of its own, and its clock is the
log's: ``PULSEWARDEN_STATE_DIR=.pulsewarden/demo PULSEWARDEN_STREAM__CLOCK=log python -m monitor watch``.
"""

import re
import sys
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.live import Live

from monitor.console.frame import Frame
from monitor.console.lookout import Lookout
from monitor.console.view import line, view
from monitor.settings import Settings

LOOK_EVERY_S = 1.0
PLAIN_EVERY_S = 5.0
_SMALLEST = (80, 24)
_PICTURE = (100, 30)
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Fonts from elsewhere, which a picture of ours does not fetch: the reader's own monospace does."""


def run(settings: Settings, *, once: bool = False, plain: bool = False, svg: Path | None = None) -> int:
    """Show the stack that the settings point at until Ctrl-C.

    Parameters
    ----------
    settings : Settings
    once : bool
        One look, then end; exit status 1 if anything in it is stale.
    plain : bool
        Text instead of a picture that moves: with `once` one whole frame, else a line every few seconds.
    svg : Path or None
        Write one look as a picture of 100 x 30 characters to this file, and end.

    Returns
    -------
    int
        Exit status.
    """
    lookout = Lookout(settings)
    try:
        if svg is not None:
            return _draw(lookout, svg)
        if once:
            return _once(lookout, plain=plain)
        if plain or not sys.stdout.isatty():
            _lines(lookout)
        _picture(lookout)
    except KeyboardInterrupt:
        return 0
    finally:
        lookout.close()
    return 0


def plain_console(width: int | None = None) -> Console:
    """Return a console that writes text without colours or control characters."""
    return Console(color_system=None, force_terminal=False, highlight=False, width=width)


def _look_twice(lookout: Lookout) -> Frame:
    """Return the second of two looks: a rate needs two."""
    lookout.look()
    time.sleep(LOOK_EVERY_S)
    return lookout.look()


def _draw(lookout: Lookout, path: Path) -> int:
    frame, (width, height) = _look_twice(lookout), _PICTURE
    console = Console(
        record=True, file=StringIO(), width=width, height=height, color_system="truecolor", highlight=False
    )
    console.print(view(frame, width=width, height=height))
    drawn = console.export_svg(title="python -m monitor watch")
    path.write_text(_FONT_FACE.sub("", drawn), encoding="utf-8")
    return 1 if frame.stale else 0


def _once(lookout: Lookout, *, plain: bool) -> int:
    frame = _look_twice(lookout)
    console = plain_console() if plain else Console(highlight=False)
    width, height = max(console.width, _SMALLEST[0]), max(console.height, _SMALLEST[1])
    console.print(view(frame, width=width, height=height, hint="one look"), width=width)
    return 1 if frame.stale else 0


def _lines(lookout: Lookout) -> None:
    while True:
        print(line(lookout.look()), flush=True)
        time.sleep(PLAIN_EVERY_S)


def _picture(lookout: Lookout) -> None:
    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(view(lookout.look(), width=console.width, height=console.height), refresh=True)
            time.sleep(LOOK_EVERY_S)
