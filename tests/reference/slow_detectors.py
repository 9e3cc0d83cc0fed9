"""Slow twins of detectors with a memory: one wearer, one night after the other, plain Python."""

from statistics import median

NIGHTS = 28


class SlowNightSignal:
    """Counts the nights in a row that lie high; forgets what is older than 28 nights."""

    def __init__(self, above_bpm: float, clear_bpm: float, nights: int, min_nights: int) -> None:
        self.above_bpm, self.clear_bpm, self.nights, self.min_nights = above_bpm, clear_bpm, nights, min_nights
        self.past: list[float | None] = []
        self.known_before: list[int] = []
        self.high_in_row = 0
        self.known_in_row = 0

    def night(self, bpm: float | None) -> tuple[bool, bool, bool]:
        """Tell whether the signal is raised, cleared, assessable after this night."""
        earlier = [one for one in self.past if one is not None]
        high = low = False
        if bpm is not None and earlier:
            high = bpm - median(earlier) >= self.above_bpm
            low = bpm - median(earlier) < self.clear_bpm
        self.high_in_row = self.high_in_row + 1 if high else 0
        self.known_in_row = self.known_in_row + 1 if bpm is not None else 0
        self.past.append(bpm)
        self.known_before.append(len(earlier))
        enough = len(self.past) >= self.nights and self.known_before[-self.nights] >= self.min_nights
        assessable = self.known_in_row >= self.nights and enough
        raised = assessable and self.high_in_row >= self.nights
        return raised, low and enough, assessable


def slow_cusum(nights: list[float | None], least: int, least_spread: float) -> float | None:
    """Upper CUSUM of the last 7 of 28 nights; None where tonight is missing or too few of the 21 are known."""
    nights = nights[-28:]
    usual, week = nights[:-7], nights[-7:]
    past = [one for one in usual if one is not None]
    if nights[-1] is None or len(past) < least:
        return None
    centre = median(past)
    spread = max(1.4826 * median(abs(one - centre) for one in past), least_spread)
    running = 0.0
    for one in week:
        if one is not None:
            running = max(0.0, running + max(-3.0, min(3.0, (one - centre) / spread)) - 0.5)
    return running


def slow_af_run(pct: list[float | None], limit: float) -> int:
    """Minutes, up to the last, of which every five have four or more known ones at or above the limit."""
    end, windows = len(pct), 0
    while end > 0:
        five = [one for one in pct[max(end - 5, 0) : end] if one is not None]
        if sum(one >= limit for one in five) < 4:
            break
        windows += 1
        end -= 1
    run = min(windows + 4, len(pct)) if windows else 0
    while run and pct[-run] is None:
        run -= 1
    return run
