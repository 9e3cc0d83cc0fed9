"""Model switches: the newest one in control.v1 says which bundle to score with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from stream_schemas.control import Control

_read = msgspec.json.Decoder(Control).decode


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
    try:
        control = _read(value)
        at = datetime.fromisoformat(control.at)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None
    if control.kind != "model_switch" or control.bundle_url is None or at.tzinfo is None:
        return None
    parts = urlsplit(control.bundle_url)
    if parts.scheme not in ("", "file"):
        return None
    return Switch(at, Path(unquote(parts.path)), control.sha256)
