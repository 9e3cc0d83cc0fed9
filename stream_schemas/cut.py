"""The records of cuts.v1: a worker's claim of a partition, the cuts that say what was read when, and amendments."""

from typing import Annotated, Any

from pydantic import Field

from stream_schemas.event import Event
from stream_schemas.units import EpochMs, Offset


class ClaimEvent(Event):
    """A worker takes the partition over; the record's own offset is the epoch."""

    claim: str = Field(min_length=1, description="Name of the worker.")
    version: str = Field("", description="Of the worker's engine; empty: some 0.1.")


class CutEvent(Event):
    """One step: what had been read when it was made. Short names, because there are twenty a second and partition.

    The first cut of a span has `v` and `i`: a span is decided by one version of the engine, over the same inputs.
    """

    e: Offset = Field(description="Epoch: offset of the claim that the cut belongs to.")
    q: Offset = Field(description="Sequence number of the step, from 0.")
    T: EpochMs = Field(description="The only time the step knows.")
    n: list[Offset] = Field(description="Per input of the span: offset after the last record read.")
    s: list[EpochMs] = Field(description="Per input: highest broker stamp read; 0 before the first record.")
    d: int = Field(ge=0, description="Digest of all outputs of the span before this step.")
    v: str | None = Field(None, description="First of a span: version of the engine that decides.")
    i: list[str] = Field([], description="First of a span: names of the inputs, in the order of `n` and `s`.")
    c: str | None = Field(
        None, description="First of a span: checkpoint of the state behind it; empty: none was kept; absent: no state."
    )
    l: dict[str, Any] | None = Field(  # noqa: E741
        None, description="First of a span without a state: limits that are not the packaged ones."
    )
    o: list[str] = Field([], description="Inputs without which T has gone on.")
    k: EpochMs = Field(0, description="Later stamps of this step count as this one; 0: none is capped.")


class AmendmentEvent(Event):
    """Without what the last cut is decided: records that raise become dead letters (`engine_error`)."""

    e: Offset = Field(description="Epoch, as in a cut.")
    q: Offset = Field(description="Number of the cut that is amended.")
    x: list[Annotated[tuple[str, Offset], Field(strict=False)]] = Field([], description="Records: input, offset.")
    w: list[str] = Field([], description="Wearers whose state raises: it is forgotten before the step.")
