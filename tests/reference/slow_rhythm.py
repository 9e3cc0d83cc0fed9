"""The slow, obvious twins of what is measured on runs of RR intervals."""

import math
from collections import Counter
from itertools import pairwise

Run = list[float]


def parts(run: Run) -> list[Run]:
    """Stretches of plausible intervals that follow one another."""
    found: list[Run] = [[]]
    for rr in run:
        if 200 <= rr <= 3000:
            found[-1].append(rr)
        elif found[-1]:
            found.append([])
    return [part for part in found if part]


def kept(run: Run) -> Run:
    return [rr for part in parts(run) for rr in part]


def quantile(values: Run, q: float) -> float:
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = ordered[math.floor(at)]
    return low + (at - math.floor(at)) * (ordered[math.ceil(at)] - low)


def differences(run: Run) -> Run:
    return [b - a for part in parts(run) for a, b in pairwise(part)]


def mean(values: Run) -> float:
    return sum(values) / len(values)


def rmssd(run: Run) -> float:
    return math.sqrt(mean([d * d for d in differences(run)]))


def sdnn(run: Run) -> float:
    values = kept(run)
    return math.sqrt(sum((rr - mean(values)) ** 2 for rr in values) / (len(values) - 1))


def pnn50(run: Run) -> float:
    return 100 * mean([float(abs(d) > 50) for d in differences(run)])


def entropy_bits(run: Run) -> float:
    values = kept(run)
    held = Counter(int(rr * 128 / 1000) for rr in values)
    return -sum(k / len(values) * math.log2(k / len(values)) for k in held.values())


def sample_entropy(run: Run) -> float:
    limit = 0.05 * quantile(kept(run), 0.5)
    pairs = [(a, b) for part in parts(run) for a, b in pairwise(part)]
    one = two = 0
    for i, (a, b) in enumerate(pairs):
        for c, d in pairs[i + 1 :]:
            one += abs(a - c) <= limit
            two += abs(a - c) <= limit and abs(b - d) <= limit
    return math.log((one + 1) / (two + 1))


def symbolic_entropy(run: Run) -> float:
    words = []
    for part in parts(run):
        symbols = [min(int(60_000 / rr // 8), 63) for rr in part]
        words += [tuple(symbols[i : i + 3]) for i in range(len(symbols) - 2)]
    if len(words) < 18:
        return math.nan
    if len(words) <= 32:
        return piece_entropy(words)
    starts = [*range(0, len(words) - 32, 16), len(words) - 32]
    return mean([piece_entropy(words[start : start + 32]) for start in starts])


def piece_entropy(words: list[tuple[int, ...]]) -> float:
    held = Counter(words)
    bits = -sum(k / len(words) * math.log(k / len(words)) for k in held.values())
    return len(held) / len(words) * bits / math.log(len(words))


def spacing(run: Run) -> float:
    median = quantile(kept(run), 0.5)
    found = []
    for lag in (1, 2, 3, 4):
        apart = [abs(b - a) for part in parts(run) for a, b in zip(part, part[lag:], strict=False)]
        if apart:
            found.append(quantile(apart, 0.25) / median)
    return min(0.1, *found) if found else math.nan
