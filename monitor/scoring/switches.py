"""Model switches: the newest one in control.v1 says which bundle to score with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stream_schemas.codec import decode
from stream_schemas.control import ControlEvent
from stream_schemas.topics import CONTROL


@dataclass(frozen=True, slots=True)
class Switch:
    """A model that workers are told to score with.

    Attributes
    ----------
    at : datetime
        When it was decided; the newest counts, whichever partition it was read from.
    folder : Path
        Of the bundle.
    sha256 : str or None
        Of the bundle.
    """

    at: datetime
    folder: Path
    sha256: str | None


def newest(values: Iterable[bytes], known: Switch | None) -> Switch | None:
    """Return the newest switch of these values of control.v1 and the one that is known.

    Anything else in the topic decides nothing here: the engine turns what is wrong into dead letters.
    """
    for value in values:
        switch = _switch(value)
        if switch is not None and (known is None or switch.at > known.at):
            known = switch
    return known


def _switch(value: bytes) -> Switch | None:
    control = decode(CONTROL, None, value)  # what it refuses is a dead letter, and must not be obeyed
    if not isinstance(control, ControlEvent) or control.kind != "model_switch" or control.bundle_url is None:
        return None
    folder = _folder(control.bundle_url)
    return None if folder is None else Switch(control.at, folder, control.sha256)


def _folder(url: str) -> Path | None:
    """Return the folder that a URL of this machine names; None for any other, and for what is no URL or no path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path)
    return Path(path) if parts.scheme in ("", "file") and "\0" not in path else None
