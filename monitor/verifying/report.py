"""What verify found, as values; `document` is the JSON of it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["missing", "different", "unexpected", "other_cuts"]
How = Literal["start", "checkpoint", "later"]
LISTED = 200
"""So many differences are kept with what they are; the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that is not as the log says.

    Attributes
    ----------
    kind : missing, different, unexpected, or other_cuts: what another cutting of the same records gave otherwise.
    topic : unprefixed.
    offset : in that topic; None where nothing was found there.
    what : the alert's id, or origin topic and offset of a dead letter; None for a value that is neither.
    version : of the alert.
    fields : top-level fields that differ, `(key)` for the record's key.
    expected, found : the values, for --show only.
    """

    kind: Kind
    topic: str
    partition: int
    offset: int | None
    what: str | None
    version: int | None
    fields: tuple[str, ...] = ()
    expected: bytes | None = None
    found: bytes | None = None


@dataclass(frozen=True, slots=True)
class NotFollowing:
    """A cut that does not follow from the log before it."""

    partition: int
    seq: int
    offset: int
    why: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the replay of a partition began.

    Attributes
    ----------
    how : "start" of the log, a "checkpoint", or "later": at a cut 0 behind the log's first cut.
    offset : of the cut in cuts.v1 behind which the replay began.
    """

    partition: int
    how: How
    offset: int
    seq: int


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Cuts from offset `at` to before `end` of a partition that cannot be judged, by which version, and why."""

    partition: int
    at: int
    end: int
    version: str
    why: str


@dataclass(slots=True)
class OtherCuts:
    """What other cuts of the same records gave.

    Attributes
    ----------
    cuts : that were drawn.
    compared : outputs of the recorded cuts.
    below_T : input records that were stamped below a T in use when they were read; what they decide depends on the
        cut. On a log clock without commands, scores and switches: these are read at the T at which they were.
    different : outputs that differ in more than `raised_at`, of wearers without such a record.
    not_promised : the same, of wearers with such a record.
    """

    seed: int
    cuts: int = 0
    compared: int = 0
    below_T: int = 0
    different: int = 0
    not_promised: int = 0


@dataclass(slots=True)
class Report:
    """What was compared and what was found.

    Attributes
    ----------
    cuts, void_cuts, claims, foreign : records of cuts.v1: that count, that do not, that claim, that are neither.
    replayed_cuts, records : how much of it was replayed.
    alerts_expected, dead_letters_expected : outputs that the log gives.
    alerts_seen, dead_letters_seen : records of those topics; `repeated` of them are identical repetitions.
    missing, different, unexpected : findings. outstanding : outputs of a partition's last cut that may yet come.
    expired : expected outputs that lie before the start of their topic: retention took them.
    earlier : outputs from before the replay's beginning; unjudged : behind a cut that could not be followed.
    below_T : records stamped below a T that was already used.
    records_lost : records that cuts name and retention took before the replay's beginning.
    unverified : partitions with cuts of which nothing could be replayed.
    not_judged : stretches of cuts that another version of the engine wrote, or whose beginning is gone.
    """

    partitions: int
    begun: list[Begun] = field(default_factory=list)
    cuts: int = 0
    void_cuts: int = 0
    claims: int = 0
    foreign: int = 0
    replayed_cuts: int = 0
    records: int = 0
    alerts_expected: int = 0
    alerts_seen: int = 0
    dead_letters_expected: int = 0
    dead_letters_seen: int = 0
    repeated: int = 0
    missing: int = 0
    different: int = 0
    unexpected: int = 0
    outstanding: int = 0
    expired: int = 0
    earlier: int = 0
    unjudged: int = 0
    below_T: int = 0
    records_lost: int = 0
    unverified: list[int] = field(default_factory=list)
    not_judged: list[Unjudged] = field(default_factory=list)
    not_following: list[NotFollowing] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    other_cuts: OtherCuts | None = None
    seconds: float = 0.0

    @property
    def identical(self) -> bool:
        """Whether nothing differs; of unverified partitions that says nothing."""
        others = self.other_cuts.different if self.other_cuts is not None else 0
        return not (self.missing or self.different or self.unexpected or self.not_following or others)

    @property
    def status(self) -> int:
        """Exit status: 1 where anything differs, 2 where something could not be verified, else 0."""
        if not self.identical:
            return 1
        return 2 if self.unverified or self.not_judged else 0

    def add(self, difference: Difference) -> None:
        """Keep a difference, if there is room for one more of its kind."""
        if sum(one.kind == difference.kind for one in self.differences) < LISTED:
            self.differences.append(difference)

    def document(self, *, show: bool = False) -> dict[str, Any]:
        """Return everything as JSON values; what differs is shown only if asked: it is of wearers."""
        found = asdict(self)
        for one in found["differences"]:
            for name in ("expected", "found"):
                value = one.pop(name)
                if show:
                    one[name] = None if value is None else readable(value)
        return {"identical": self.identical, "status": self.status, **found}


def readable(value: bytes) -> Any:
    """Return what a value says; one that is no JSON as text."""
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="replace")
