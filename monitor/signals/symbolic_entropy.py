"""Entropy of words of three heart rates: many different words in a short time are an irregular rhythm."""

import numpy as np

from monitor.signals.beat_runs import BeatRuns, Floats

SYMBOL_BPM = 8.0
MOST = 63
WORDS = 32  # words of a piece
STRIDE = 16
LEAST = 18  # words of a run that is shorter than a piece
BEHIND = 1 << 20  # sorts behind every word


def symbolic_entropy(runs: BeatRuns) -> Floats:
    """Entropy of the words of each run, as the mean of its pieces of 32 words.

    Returns
    -------
    (n,) 0 to 1; NaN for a run with fewer than 18 words, that is 20 intervals that follow one another. A run of 18 to 31
    words is one piece of its own size.

    Notes
    -----
    A symbol is the heart rate of one interval in steps of 8 bpm, a word three symbols in a row. A piece with k
    different words of shares p has (k / 32) * -sum(p ln p) / ln 32. Pieces begin every 16 words, the last one ends with
    the run. Zhou et al. use steps of 5 bpm and one piece of 127 words. Here pieces are short, so that half a minute has
    the same expected value as five minutes, and steps are wider, so that breathing at rest makes few words.

    Source: Zhou et al., PLoS ONE 2015, doi:10.1371/journal.pone.0136544.

    >>> from monitor.signals.beat_runs import beat_runs
    >>> symbolic_entropy(beat_runs(np.tile([800, 1000], 20), np.array([40]))).round(4).tolist()
    [0.0125]
    """
    symbol = np.minimum(60_000 / runs.rr_ms // SYMBOL_BPM, MOST).astype(np.int64)
    whole = runs.joined[:-2] & runs.joined[1:-1]
    word = ((symbol[:-2] << 12) + (symbol[1:-1] << 6) + symbol[2:])[whole]
    run = runs.run[:-2][whole]
    held = np.bincount(run, minlength=len(runs.count))
    begin = np.cumsum(held) - held
    pieces = np.where(held >= LEAST, np.maximum(held - WORDS + STRIDE - 1, 0) // STRIDE + 1, 0)
    owner = np.repeat(np.arange(len(held)), pieces)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    size = np.minimum(held[owner], WORDS)[:, None]
    start = begin[owner] + np.minimum(nth * STRIDE, np.maximum(held[owner] - WORDS, 0))
    column = np.arange(WORDS)
    at = np.minimum(start[:, None] + column, max(len(word) - 1, 0))
    ordered = np.sort(np.where(column < size, word[at] if len(word) else 0, BEHIND), axis=1)
    group = np.cumsum(np.diff(ordered, axis=1, prepend=-1) != 0, axis=1) - 1
    cell = (np.arange(len(ordered))[:, None] * WORDS + group)[ordered < BEHIND]
    alike = np.bincount(cell, minlength=len(ordered) * WORDS).reshape(-1, WORDS)
    share = alike / size
    entropy = -(share * np.log(np.where(alike > 0, share, 1.0))).sum(axis=1)
    of_piece = (alike > 0).sum(axis=1) / size[:, 0] * entropy / np.log(size[:, 0])
    total: Floats = np.bincount(owner, weights=of_piece, minlength=len(held)).astype(np.float64)
    return total / np.where(pieces > 0, pieces, np.nan)
