"""What a step gives back: outputs for Kafka, wearers to score, rows for the journal, and counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Columns: TypeAlias = dict[str, NDArray[Any] | Sequence[str] | Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Output:
    """One record to be produced; `topic` is unprefixed."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class ScoreDue:
    """Wearers whose risk is to be scored: what the engine knows of them at `as_of_ms`, the T of their partition.

    Attributes
    ----------
    row : (n,) int64, rows of the engine's state; valid until the next step.
    partition : (n,) int32.
    as_of_ms : (n,) int64.
    wearer_id : n ids.
    """

    row: NDArray[np.int64]
    partition: NDArray[np.int32]
    as_of_ms: NDArray[np.int64]
    wearer_id: list[str]


@dataclass(frozen=True, slots=True)
class Step:
    """The effects of one step, as values.

    Attributes
    ----------
    outputs : per partition, in the order that the cut's digest covers.
    due : wearers to score, or None.
    journal : table name -> columns, decided in this step; empty when nothing was.
    ingested : accepted records by topic.
    dead_letters : refused records by reason. Every input record is in exactly one of the two.
    below_T : records stamped below a T that was already used.
    late : accepted records received later than the clinical window of their rule.
    """

    outputs: dict[int, list[Output]] = field(default_factory=dict)
    due: ScoreDue | None = None
    journal: dict[str, Columns] = field(default_factory=dict)
    ingested: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    below_T: int = 0
    late: int = 0
