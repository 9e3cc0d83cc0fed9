"""The state of one partition as values: what a checkpoint holds of an engine."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from monitor.errors import PulsewardenError


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Saved:
    """What an engine gives to be kept of one partition, and takes back to go on from there.

    Attributes
    ----------
    arrays : name -> C-contiguous array. They are copies: the engine may step on while they are written. Keep the whole
        value for as long as they are used: the engine uses their memory again when it is gone.
    document : what is no array, encoded by the engine.
    """

    arrays: dict[str, NDArray[Any]]
    document: bytes


class SavedStateUnusable(PulsewardenError):
    """What was saved does not fit this engine: another version, other fields. Never a reason to guess."""
