"""The episodes that are laid over recordings: kinds, forms and sets, with severities and draws that repeat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.courses import Episode, Form, ParameterSet
from simulators.kinds import Kind
from simulators.parameters import load

SETS = ("a", "b")
DAILY = (
    Kind.INFECTION,
    Kind.DETERIORATION,
    Kind.OVERTRAINING,
    Kind.POOR_RECOVERY,
    Kind.DEHYDRATION,
    Kind.BETA_BLOCKER_START,
)
AT_REST = (Kind.TACHYCARDIA_AT_REST, Kind.BRADYCARDIA)
LOOKALIKES = (Kind.ALCOHOL, Kind.VACCINATION, Kind.MENSTRUAL_PHASE, Kind.NEW_DEVICE, Kind.STRESS)


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind in one form, as one parameter set has it."""

    set_name: str
    kind: Kind
    form: Form

    @property
    def kinetics(self) -> ParameterSet:
        """The parameter set."""
        return load(self.set_name)

    def episode(self, rng: np.random.Generator, resting_bpm: float) -> Episode:
        """Draw an episode for somebody with this resting rate."""
        span = self.kinetics.spans[self.kind]
        a, b, c, d, e, f = rng.random(6).tolist()
        return Episode(
            self.kind,
            int(rng.integers(span.shortest_min, span.longest_min + 1)),
            self.form,
            float(rng.random()),
            (a, b, c, d, e, f),
            resting_bpm=resting_bpm,
            female=True,  # of the kinds here only the menstrual phase asks
        )


def variants(kinds: Sequence[Kind]) -> list[Variant]:
    """Return every form that a set draws of each kind; a kind without shares is always clear."""
    made = []
    for kind in kinds:
        for name in SETS:
            shares = load(name).form_shares.get(kind, (0.0, 0.0, 1.0))
            made += [Variant(name, kind, form) for form in Form if shares[form] > 0]
    return made
