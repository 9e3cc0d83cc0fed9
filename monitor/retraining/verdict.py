"""What came of a training: promoted or refused, and why."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both models; None where it could not be said."""

    head: str
    measure: str
    candidate: float | None
    champion: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one training.

    Attributes
    ----------
    promoted : bool
    candidate : str or None
        Version, 12 hex digits; None if nothing was trained.
    champion : str
        Version of the model that was in use before.
    reasons : sequence of str
        Why the candidate was refused, a sentence each; empty when it was promoted.
    rows : sequence of Row
        The figures that were compared.
    wearers, labels : int
        In the journal, and copied from ``labels.v1`` by this run.
    """

    promoted: bool
    candidate: str | None
    champion: str
    reasons: Sequence[str]
    rows: Sequence[Row] = ()
    wearers: int = 0
    labels: int = 0

    @property
    def sentence(self) -> str:
        """Say what happened."""
        if self.promoted:
            return f"Promoted: {self.candidate} replaces {self.champion}; every worker has been told."
        if self.candidate is None:
            return f"Nothing was trained; {self.champion} stays."
        return f"Refused: {self.candidate} is not better; {self.champion} stays."
