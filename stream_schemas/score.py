"""risk-scores/1: what the model says about the wearers of one partition at one T; output and input alike."""

from typing import Annotated, Literal, Self

import msgspec
from pydantic import Field, model_validator

from stream_schemas.event import Code, Event, Identifier, length_mismatch
from stream_schemas.units import BitMask, EpochMs, Share

MAX_WEARERS = 100_000
MAX_HEADS = 64
MAX_MODALITIES = 32


class RiskScoresEvent(Event):
    """Scores as columns: `probability[h][i]` is head h's for wearer i, null = not assessable."""

    schema_: Literal["risk-scores/1"] = Field("risk-scores/1", alias="schema")
    scored_at_ms: EpochMs = Field(description="T of the partition; nothing received later was used.")
    model_version: Identifier
    heads: list[Code] = Field(max_length=MAX_HEADS)
    limit: list[Share | None] = Field(max_length=MAX_HEADS, description="Per head; null = the head never alerts.")
    wearer_id: list[Identifier] = Field(max_length=MAX_WEARERS)
    probability: list[Annotated[list[Share | None], Field(max_length=MAX_WEARERS)]] = Field(max_length=MAX_HEADS)
    coverage: list[Share] = Field(max_length=MAX_WEARERS, description="Per wearer: share of the inputs that was there.")
    missing: list[BitMask] = Field(max_length=MAX_WEARERS, description="Per wearer: bit k = modalities[k] was lacking.")
    modalities: list[Code] = Field(max_length=MAX_MODALITIES)

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if not lengths_agree(self):
            raise length_mismatch("heads, limit, probability, wearer_id, coverage and missing must fit each other")
        return self


class RiskScores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores, inside."""

    schema_: Literal["risk-scores/1"] = msgspec.field(default="risk-scores/1", name="schema")
    scored_at_ms: EpochMs
    model_version: Identifier
    heads: Annotated[list[Code], msgspec.Meta(max_length=MAX_HEADS)]
    limit: Annotated[list[Share | None], msgspec.Meta(max_length=MAX_HEADS)]
    wearer_id: Annotated[list[Identifier], msgspec.Meta(max_length=MAX_WEARERS)]
    probability: Annotated[
        list[Annotated[list[Share | None], msgspec.Meta(max_length=MAX_WEARERS)]], msgspec.Meta(max_length=MAX_HEADS)
    ]
    coverage: Annotated[list[Share], msgspec.Meta(max_length=MAX_WEARERS)]
    missing: Annotated[list[BitMask], msgspec.Meta(max_length=MAX_WEARERS)]
    modalities: Annotated[list[Code], msgspec.Meta(max_length=MAX_MODALITIES)]


def lengths_agree(scores: RiskScores | RiskScoresEvent) -> bool:
    """Tell whether the columns fit each other."""
    wearers = len(scores.wearer_id)
    heads = len(scores.heads)
    return (
        len(scores.limit) == heads
        and len(scores.probability) == heads
        and all(len(column) == wearers for column in scores.probability)
        and len(scores.coverage) == wearers
        and len(scores.missing) == wearers
    )
