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


def slow_cusum(z: list[float | None], slack: float) -> list[float]:
    """Upper CUSUM after each value; a missing one leaves it."""
    sums, running = [], 0.0
    for one in z:
        if one is not None:
            running = max(0.0, running + one - slack)
        sums.append(running)
    return sums


def slow_nightly_z(nights: list[float | None], min_nights: int, most: float, least_spread: float) -> list[float | None]:
    """Robust z of each night against those before it; None where it is missing or too few are known before."""
    found: list[float | None] = []
    for k, bpm in enumerate(nights):
        earlier = [one for one in nights[:k] if one is not None]
        if bpm is None or len(earlier) < min_nights:
            found.append(None)
            continue
        usual = median(earlier)
        spread = 1.4826 * median(abs(one - usual) for one in earlier)
        found.append(min((bpm - usual) / max(spread, least_spread), most))
    return found


def slow_af_run(pct: list[float | None], limit: float) -> int:
    """Minutes, up to the last, of which every five have four or more known ones at or above the limit."""
    end, windows = len(pct), 0
    while end > 0:
        five = [one for one in pct[max(end - 5, 0) : end] if one is not None]
        if sum(one >= limit for one in five) < 4:
            break
        windows += 1
        end -= 1
    return min(windows + 4, len(pct)) if windows else 0
