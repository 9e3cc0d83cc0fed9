"""The slow, obvious twin of the heart-rate slots: dictionaries and sorted lists."""

from dataclasses import dataclass, field


@dataclass
class SlowWearer:
    """Seconds by epoch second; a minute's summary is made when it is asked for."""

    seconds: dict[int, int] = field(default_factory=dict)

    def write(self, time_ms: int, bpm: int) -> None:
        second = time_ms // 1000
        self.seconds[second] = max(bpm if bpm <= 240 else 255, self.seconds.get(second, 0))

    def minute(self, minute: int) -> tuple[int, int, int, int]:
        """Lower median, lowest, highest and count of the minute's samples from 20 to 240 bpm."""
        held = sorted(bpm for second, bpm in self.seconds.items() if second // 60 == minute and 20 <= bpm <= 240)
        if not held:
            return 0, 0, 0, 0
        return held[(len(held) - 1) // 2], held[0], held[-1], len(held)


def slow_outlier(values: list[int]) -> bool:
    """Hampel's identifier on the last of up to 15 values, 0 = missing, in plain Python."""
    held = sorted(v for v in values if v)
    if len(held) < 5 or not values[-1]:
        return False
    median = held[(len(held) - 1) // 2]
    spread = sorted(abs(v - median) for v in held)
    mad = spread[(len(spread) - 1) // 2]
    return abs(values[-1] - median) > 3 * 1.4826 * max(mad, 2)
