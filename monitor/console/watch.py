"""``python -m monitor watch``: the terminal view of any running stack."""

import sys
import time

from rich.console import Console
from rich.live import Live

from monitor.console.lookout import Lookout
from monitor.console.view import line, view
from monitor.settings import Settings

LOOK_EVERY_S = 1.0
PLAIN_EVERY_S = 5.0
_SMALLEST = (80, 24)


def run(settings: Settings, *, once: bool = False, plain: bool = False) -> int:
    """Show the stack that the settings point at until Ctrl-C.

    Parameters
    ----------
    settings : Settings
    once : bool
        One look, then end; exit status 1 if anything in it is stale.
    plain : bool
        Text instead of a picture that moves: with `once` one whole frame, else a line every few seconds.

    Returns
    -------
    int
        Exit status.
    """
    lookout = Lookout(settings)
    try:
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


def _once(lookout: Lookout, *, plain: bool) -> int:
    lookout.look()
    time.sleep(LOOK_EVERY_S)  # a rate needs two looks
    frame = lookout.look()
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
