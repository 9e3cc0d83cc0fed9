"""Making a probability mean what it says: slope and intercept a logit, fitted on people the network has not seen."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

F64 = NDArray[np.float64]
RIDGE = 1e-3
EVENTS_NEEDED = 20


def platt(logit: F64, y: F64) -> tuple[float, float] | None:
    """Fit ``sigmoid(slope * logit + intercept)`` to labels by maximum likelihood (Platt 1999) with a slight ridge.

    Parameters
    ----------
    logit, y : (n,) the network's logit; 1, 0 or NaN (left out).

    Returns
    -------
    Slope and intercept; None with fewer than 20 rows of either answer, or where the slope would not be positive: then
    the score says nothing on people it has not seen, and turning it round would be wishful.
    """
    known = np.isfinite(y)
    x, t = logit[known].astype(np.float64), y[known].astype(np.float64)
    if t.sum() < EVENTS_NEEDED or (1 - t).sum() < EVENTS_NEEDED:
        return None
    base = np.log(t.mean() / (1 - t.mean()))

    def loss(parameters: F64) -> tuple[float, F64]:
        slope, intercept = parameters
        z = slope * x + intercept
        p = 1 / (1 + np.exp(-np.clip(z, -50, 50)))
        value = np.mean(np.logaddexp(0, z) - t * z) + RIDGE * (slope - 1) ** 2
        error = p - t
        return float(value), np.array([np.mean(error * x) + 2 * RIDGE * (slope - 1), np.mean(error)])

    best = minimize(loss, np.array([1.0, base]), jac=True, method="L-BFGS-B")
    slope, intercept = (float(value) for value in best.x)
    return (slope, intercept) if slope > 0 else None
