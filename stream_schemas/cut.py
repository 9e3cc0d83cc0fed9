"""The records of cuts.v1: a worker's claim of a partition, and the cuts that say what was read when."""

from pydantic import Field

from stream_schemas.event import Event
from stream_schemas.units import EpochMs, Offset


class ClaimEvent(Event):
    """A worker takes the partition over; the record's own offset is the epoch."""

    claim: str = Field(min_length=1, description="Name of the worker.")


class CutEvent(Event):
    """One step: what had been read when it was made. Short names, because there are twenty a second and partition."""

    e: Offset = Field(description="Epoch: offset of the claim that the cut belongs to.")
    q: Offset = Field(description="Sequence number of the step, from 0.")
    T: EpochMs = Field(description="The only time the step knows.")
    n: list[Offset] = Field(description="Per input topic: offset after the last record read.")
    s: list[EpochMs] = Field(description="Per input topic: highest broker stamp read; 0 before the first record.")
    d: int = Field(ge=0, description="Digest of all outputs before this step.")
