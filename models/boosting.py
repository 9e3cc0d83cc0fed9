"""Gradient boosting on hand-made features: the bar that a network has to clear, trained on the same moments.

It is a baseline in the report and never ships. scikit-learn is imported here only.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.dataset import Dataset, Ticks
from models.fit import Draws, Told, batches
from models.heads import HEADS
from models.snapshot import Snapshot
from models.tensors import tensors

F32 = NDArray[np.float32]
MOMENTS = 24_576
NAME = "gradient_boosting"


def features(snapshot: Snapshot) -> F32:
    """Return some 280 columns: first numbers, profile, newest reading, night, day and weather, means of the grids.

    What is missing is 0 beside a mark that says so.
    """
    made = tensors(snapshot)
    hours = [made.heart[:, :, -minutes:].mean(axis=2) for minutes in (10, 60, 360, 1440)]
    moves = [made.activity[:, :, -minutes:].mean(axis=2) for minutes in (60, 360, 1440)]
    parts = (
        made.summary,
        made.profile,
        made.pressure[:, -1],
        made.pressure[:, -2],
        made.sessions[:, -1],
        made.days[:, -1],
        made.weather[:, 3, -9:],
        made.sleep.mean(axis=2),
        *hours,
        *moves,
    )
    return np.concatenate(parts, axis=1)


class Boosted:
    """One boosted classifier a head; a head without both answers among its moments scores 0 for everybody."""

    def __init__(self, dataset: Dataset, training: tuple[Ticks, F32], seed: int, told: Told) -> None:
        ticks, y = Draws(*training, seed).draw(min(MOMENTS, 2 * len(training[0])))
        told("boosting", 0, len(HEADS))
        x = np.concatenate([features(dataset.snapshot(ticks.rows(rows))) for rows in batches(len(ticks), 256)])
        self._trees: list[HistGradientBoostingClassifier | None] = []
        for head in range(len(HEADS)):
            known = np.isfinite(y[:, head])
            yes = y[known, head] > 0
            trees = None
            if yes.any() and not yes.all():
                trees = HistGradientBoostingClassifier(
                    max_iter=150, learning_rate=0.06, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
                )
                trees.fit(x[known], yes)
            self._trees.append(trees)
            told("boosting", head + 1, len(HEADS))

    def score(self, snapshot: Snapshot) -> F32:
        """Return float32 (B, 10), uncalibrated."""
        x = features(snapshot)
        found = np.zeros((len(x), len(HEADS)), np.float32)
        for head, trees in enumerate(self._trees):
            if trees is not None and len(x):
                found[:, head] = trees.predict_proba(x)[:, 1]
        return found
