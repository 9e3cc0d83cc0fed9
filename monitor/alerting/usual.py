"""What is usual for a wearer, from own days: means and spreads of rows with holes, and runs of days."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.order import median

CONSISTENT = 1.4826  # MAD of a normal distribution to its standard deviation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def known(values: Floats) -> Bools:
    """Tell which values are there (NaN = missing)."""
    return ~np.isnan(values)


def newest(values: Floats) -> Floats:
    """Newest column of (n, D), (n,); NaN where there is no column at all."""
    return values[:, -1] if values.shape[1] else np.full(len(values), np.nan)


def mean(values: Floats) -> tuple[Floats, Ints]:
    """Mean of the known values of each row, NaN where nothing is known; and how many there are.

    >>> mean(np.array([[1.0, np.nan, 3.0]]))[0].tolist()
    [2.0]
    """
    there = known(values)
    count: Ints = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def standard_deviation(values: Floats) -> tuple[Floats, Ints]:
    """Standard deviation (divisor count - 1) of the known values of each row, NaN below two; and how many there are.

    >>> standard_deviation(np.array([[1.0, np.nan, 3.0]]))[0].round(3).tolist()
    [1.414]
    """
    centre, count = mean(values)
    squares = np.where(known(values), (values - centre[:, None]) ** 2, 0.0).sum(axis=1)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan), count


def robust_z(newest: Floats, earlier: Floats, least_spread: float) -> tuple[Floats, Ints]:
    """How far each newest value lies from the median of the earlier ones, in scaled MADs; and how many are known.

    Parameters
    ----------
    newest : (n,). earlier : (n, D), NaN = missing.
    least_spread : the smallest spread to divide by, in the unit of the values: days that are all alike have a MAD of 0.

    Returns
    -------
    (n,) z, NaN where the newest value or every earlier one is missing; (n,) count of the earlier ones.

    >>> float(robust_z(np.array([70.0]), np.array([[60.0, 61.0, 59.0, 60.0]]), 2.0)[0][0])
    5.0
    """
    centre, count = median(earlier)
    mad, _ = median(np.abs(earlier - centre[:, None]))
    return (newest - centre) / np.maximum(CONSISTENT * mad, least_spread), count


def first_of_run(hit: Bools) -> Ints:
    """How many columns before the newest the run of True that ends there began; 0 where the newest is alone or False.

    >>> first_of_run(np.array([[True, False, True, True], [True, True, True, False]])).tolist()
    [1, 0]
    """
    run: Ints = np.cumprod(hit[:, ::-1], axis=1, dtype=np.int64).sum(axis=1)
    return np.maximum(run - 1, 0)
