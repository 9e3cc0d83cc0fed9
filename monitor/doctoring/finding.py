"""What one check of the doctor found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``mend`` says what to do and is empty if there is nothing to do."""

    what: str
    verdict: Verdict
    found: str
    mend: str = ""
