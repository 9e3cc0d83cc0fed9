"""What a wearer's profile says: codes of conditions and medications, team, sex; shared by events and journal."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.people import People
from stream_schemas.wearer import SEXES


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of one wearer, as it is told to the monitor."""

    team: str
    time_zone: str
    age_years: int
    sex: str
    height_cm: float
    weight_kg: float
    conditions: tuple[str, ...]
    medications: tuple[str, ...]


def profile(people: People, row: int, teams: Sequence[str]) -> Profile:
    """Return the profile of the wearer in *row*; teams take the gateways in turn."""
    conditions = (
        ("hypertension", people.hypertensive[row]),
        ("diabetes", people.diabetes[row]),
        ("atrial_fibrillation", people.fibrillation[row]),
        ("pregnant", people.pregnant[row]),
    )
    medications = (
        ("beta_blocker", people.beta_blocker[row]),
        ("ace_inhibitor", people.hypertensive[row] and not people.pregnant[row] and people.index[row] % 2 == 0),
        ("anticoagulant", people.fibrillation[row]),
        ("oral_antidiabetic", people.diabetes[row]),
    )
    return Profile(
        teams[int(people.gateway[row]) % len(teams)],
        people.zone(row),
        int(people.age_years[row]),
        SEXES[int(people.sex[row])],
        float(people.height_cm[row]),
        float(people.weight_kg[row]),
        tuple(name for name, has in conditions if has),
        tuple(name for name, takes in medications if takes),
    )
