"""The rules in force: the limits of the settings, until a switch in the log says otherwise for a partition.

A switch (`control.v1`, kind `rules`) is part of each partition's log and acts at its stamp, so that a replay judges
every minute by the rules that were in force when it was judged first.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from monitor.alerting.limits import Limits, refusal
from stream_schemas.control import Control

Switch = tuple[int, int, Limits]
"""Stamp in ms, offset in control.v1, and the limits from then on."""

MAX_CHARACTERS = 100_000
MAX_BRACKETS = 64
MAX_DOTS_IN_A_LINE = 16
"""A rule file is flat and short; beyond these the reader's stack and time would decide what is accepted."""
LONGEST_REASON = 200
"""Characters of what is said of a rule file that is refused: it may be one long line."""


def read_rules(control: Control, base: Limits) -> Limits | str:
    """Read a rule file, TOML with one line for each limit to change, or say what is wrong.

    Parameters
    ----------
    control : a switch of kind `rules`.
    base : the limits before it; a switch that merges leaves what its file does not name as it is there.

    >>> at = "2026-01-05T00:00:00Z"
    >>> before = Limits(day_begins_h=7)
    >>> after = read_rules(Control(kind="rules", content="hr_high_rest_bpm = 130", replace=False, at=at), before)
    >>> after.hr_high_rest_bpm, after.day_begins_h
    (130, 7)
    >>> read_rules(Control(kind="rules", content="hr_high_rest_bpm = 130", replace=True, at=at), before).day_begins_h
    8
    >>> read_rules(Control(kind="rules", content="hr_high = 130", at=at), before)
    'hr_high is no limit; did you mean hr_high_rest_bpm?'
    """
    named = _named(control)
    if isinstance(named, str):
        return named
    try:
        return Limits(**{**base.model_dump(), **named}) if control.merges else Limits(**named)
    except ValidationError as error:
        return _short(refusal(error.errors(include_input=False, include_url=False)[0]))


def _named(control: Control) -> dict[str, Any] | str:
    """Return what a rule file names, or say why it cannot be read."""
    content = control.content
    if content is None:
        return "A switch of rules needs content."
    if control.sha256 is not None and hashlib.sha256(content.encode()).hexdigest() != control.sha256:
        return "The content is not what its sha256 says."
    if len(content) > MAX_CHARACTERS:
        return f"A rule file has at most {MAX_CHARACTERS} characters."
    if _is_nested(content):
        return "The content is nested: a rule file has one line `limit = value` for each limit."
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return _short(f"The content is not TOML: {error}.")
    except (ValueError, RecursionError):  # a whole number of thousands of digits
        return "The content is not TOML: a number has too many digits."


def _is_nested(content: str) -> bool:
    """Tell whether a file is deeper than rules are: what `tomllib` does with depth takes more than depth squared."""
    told = [line for line in content.splitlines() if not line.lstrip().startswith("#")]
    brackets = sum(line.count("[") + line.count("{") for line in told)
    return brackets > MAX_BRACKETS or any(line.count(".") > MAX_DOTS_IN_A_LINE for line in told)


def _short(why: str) -> str:
    return why if len(why) <= LONGEST_REASON else why[:LONGEST_REASON] + " ..."


class RuleBook:
    """Limits by partition.

    Parameters
    ----------
    limits : of the settings; in force where no switch was read.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._own: dict[int, Limits] = {}
        self._coming: dict[int, list[Switch]] = {}
        self._of_settings: dict[int, dict[str, Any]] = {}

    def read(self, partition: int, stamp_ms: int, offset: int, control: Control) -> str | None:
        """Let a switch wait for its stamp, or say why it is refused.

        Stamps of a partition of control.v1 never fall, so the switch before this one is the newest that was read,
        whether it is in force by now or not: how the log is cut decides nothing.
        """
        limits = read_rules(control, self.newest(partition))
        if isinstance(limits, str):
            return limits
        self.add(partition, (stamp_ms, offset, limits))
        if control.origin == "settings":
            named = tomllib.loads(control.content or "")
            known = self._of_settings.get(partition, {})
            self._of_settings[partition] = {**known, **{name: getattr(limits, name) for name in named}}
        return None

    def newest(self, partition: int) -> Limits:
        """Return the limits after every switch that was read."""
        if coming := self._coming.get(partition):
            return coming[-1][2]
        return self._own.get(partition, self.limits)

    def of_settings(self, partition: int) -> dict[str, Any] | None:
        """Return what settings have named in a partition, at its beginning or in switches; None if not known."""
        return self._of_settings.get(partition)

    def behind(self, partition: int, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Return the limits that settings give another value than they did when the partition heard of them last.

        Parameters
        ----------
        limits : those of the settings that differ from the packaged ones.
        """
        packaged, old = Limits().model_dump(), self._of_settings.get(partition, {})
        names = sorted({*old, *limits} & packaged.keys())
        new = {name: limits.get(name, packaged[name]) for name in names}
        return {name: value for name, value in new.items() if value != old.get(name, packaged[name])}

    def restore(self, partition: int, switches: list[Switch], of_settings: Mapping[str, Any] | None) -> None:
        """Go on from what `of` and `of_settings` returned when the partition was saved."""
        for switch in switches:
            self.add(partition, switch)
        if of_settings is not None:
            self._of_settings[partition] = dict(of_settings)

    def add(self, partition: int, switch: Switch) -> None:
        """Let a switch wait for its stamp."""
        self._coming[partition] = sorted([*self._coming.get(partition, []), switch], key=lambda one: one[:2])

    def begin(self, partition: int, limits: Mapping[str, Any]) -> None:
        """Let the packaged limits but for these be in force, as a span begins with; unknown ones are left out."""
        known = {name: value for name, value in limits.items() if name in Limits.model_fields}
        self._own[partition] = Limits().model_copy(update=known)
        self._of_settings[partition] = known

    def go_on(self, partition: int, limits: Mapping[str, Any]) -> None:
        """Let a span go on from a state: where it names no limits in force, those of the settings are."""
        if partition not in self._own:
            self.begin(partition, limits)
        elif partition not in self._of_settings:  # a state of 0.1, whose switches put the settings out of force
            self._of_settings[partition] = dict(limits)

    def drop(self, partition: int) -> None:
        """Forget a partition's switches."""
        self._own.pop(partition, None)
        self._coming.pop(partition, None)
        self._of_settings.pop(partition, None)

    def of(self, partition: int) -> list[Switch]:
        """Return all that is needed to go on: the limits in force, as a switch at 0, and the switches to come."""
        own = self._own.get(partition)
        return ([] if own is None else [(0, -1, own)]) + self._coming.get(partition, [])

    def passes(self, T: NDArray[np.int64]) -> Iterator[tuple[Limits, NDArray[np.int64]]]:
        """Yield limits, and up to where they decide, until every partition has come to its T.

        Parameters
        ----------
        T : (partitions,) epoch ms, exclusive; 0 for a partition that is not cut.
        """
        if not self._own and not self._coming:
            yield self.limits, T
            return
        going = np.flatnonzero(T).tolist()
        while going:
            switches = {p: first for p in going if (first := self._coming.get(p, [(T[p],)])[0])[0] < T[p]}
            groups: dict[Limits, NDArray[np.int64]] = {}
            for p in going:
                upto = groups.setdefault(self._own.get(p, self.limits), np.zeros_like(T))
                upto[p] = switches[p][0] if p in switches else T[p]
            yield from groups.items()
            for p in switches:
                self._own[p] = self._coming[p].pop(0)[2]
                if not self._coming[p]:
                    del self._coming[p]
            going = list(switches)
