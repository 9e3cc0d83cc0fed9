"""The state of one partition as values: what a checkpoint holds of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a saved state held that this version does not know: it was left out, so the state is not the whole one.

    False if there was nothing of the kind.

    Attributes
    ----------
    fields : names of arrays that were not all zero.
    rules : rule -> wearers of whom something was held.
    kinds : kind of event -> events that waited.
    limits : limits that a switch of rules set.
    """

    fields: tuple[str, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    limits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything was left out."""
        return bool(self.fields or self.rules or self.kinds or self.limits)


class SavedStateUnusable(PulsewardenError):
    """What was saved does not fit this engine: another version, other fields. Never a reason to guess."""
