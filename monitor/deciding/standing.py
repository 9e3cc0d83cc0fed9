"""Where decisions stand: the state and what all of them share, and what they leave for the engine to take."""

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.board import Board
from monitor.alerting.limits import Limits
from monitor.deciding.departures import Departures
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.profiles import NO_CONSENT, Profiles
from monitor.wearers.rows import JournalRows
from monitor.wearers.state import State
from stream_schemas.reasons import Rejected

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """A command that cannot be carried out: what its dead letter needs."""

    row: int
    stamp_ms: int
    offset: int
    key: bytes | None
    value: bytes | None
    rejected: Rejected


@dataclass(slots=True)
class Decided:
    """What one step's decisions leave beside the board's alerts."""

    score: list[Ints] = field(default_factory=list)
    refused: list[RefusedCommand] = field(default_factory=list)
    commands: int = 0
    late: int = 0


class Standing:
    """What decisions read and change.

    Attributes
    ----------
    limits : the rules in force; the engine changes them between passes.
    T_of_partition : (partitions,) epoch ms; T of the step, 0 where none is.
    decided, rows, board : collect effects until the engine takes them.
    """

    def __init__(self, state: State, limits: Limits, teams: tuple[str, ...], score_every_ms: int) -> None:
        self.state = state
        self.limits = limits
        self.late = LateMinutes()
        self.board = Board(state, teams)
        self.departures = Departures(state, self.board, self.late)
        self.profiles = Profiles(state, teams)
        self.rows = JournalRows(state)
        self.score_every_ms = score_every_ms
        self.decided = Decided()
        self.T_of_partition: Ints = np.zeros(0, np.int64)

    def take(self) -> Decided:
        """Hand over what was decided, once."""
        decided, self.decided = self.decided, Decided()
        return decided

    def discard(self) -> None:
        """Forget what a step that raised has collected: nothing of it may leave with another one."""
        self.decided = Decided()
        self.board.take()
        self.rows.discard()
        self.departures.discard()

    def now(self, row: Ints) -> Ints:
        """Return T of each row."""
        return self.T_of_partition[self.state.partition[row]]

    def ask(self, row: Ints, at_ms: Ints) -> None:
        """Ask for a score of every row whose last one was asked for long enough ago."""
        state = self.state
        for k in np.flatnonzero(state.scored_ms[row] == 0):  # spread the first scores of many who begin at once
            phase = crc32(state.wearer_of[int(row[k])].encode()) % self.score_every_ms
            state.scored_ms[row[k]] = at_ms[k] - phase
        due = (at_ms - state.scored_ms[row] >= self.score_every_ms) & (state.known[row] != NO_CONSENT)
        state.scored_ms[row[due]] = at_ms[due]
        if due.any():
            self.decided.score.append(row[due])
