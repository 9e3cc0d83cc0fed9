"""The rules in force: the limits of the settings, until a switch in the log says otherwise for a partition.

A switch (`control.v1`, kind `rules`) is part of each partition's log and acts at its stamp, so that a replay judges
every minute by the rules that were in force when it was judged first.
"""

import hashlib
import tomllib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from monitor.alerting.limits import Limits
from stream_schemas.control import Control

MOST_NESTED = 16  # dots in a line
MOST_BRACKETS = 64  # in a file
LONGEST_REASON = 200  # characters
Switch = tuple[int, int, Limits]
"""Stamp in ms, offset in control.v1, and the limits from then on."""


def read_rules(control: Control) -> Limits | str:
    """Read a rule file, TOML with one line for each limit that differs from the packaged ones, or say what is wrong.

    >>> read_rules(Control(kind="rules", content="hr_high_rest_bpm = 130", at="2026-01-05T00:00:00Z")).hr_high_rest_bpm
    130
    >>> read_rules(Control(kind="rules", content="hr_high = 130", at="2026-01-05T00:00:00Z"))
    'hr_high: Extra inputs are not permitted'
    """
    if control.content is None:
        return "A switch of rules needs content."
    if control.sha256 is not None and hashlib.sha256(control.content.encode()).hexdigest() != control.sha256:
        return "The content is not what its sha256 says."
    if _is_nested(control.content):
        return "The content is nested: a rule file has one line `limit = value` for each limit."
    try:
        return Limits(**tomllib.loads(control.content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return _short(": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"]))))
    except (ValueError, RecursionError) as error:  # tomllib passes some of Python's own on, as for a number too long
        return _short(f"The content is not TOML: {error}.")


def _is_nested(content: str) -> bool:
    """Tell whether a file is deeper than rules are: what `tomllib` does with depth takes more than depth squared."""
    told = [line for line in content.splitlines() if not line.lstrip().startswith("#")]
    return any(line.count(".") > MOST_NESTED for line in told) or _brackets(told) > MOST_BRACKETS


def _brackets(lines: list[str]) -> int:
    return sum(line.count("[") + line.count("{") for line in lines)


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

    def add(self, partition: int, switch: Switch) -> None:
        """Let a switch wait for its stamp."""
        self._coming[partition] = sorted([*self._coming.get(partition, []), switch], key=lambda one: one[:2])

    def drop(self, partition: int) -> None:
        """Forget a partition's switches."""
        self._own.pop(partition, None)
        self._coming.pop(partition, None)

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
