"""The parameter sets by their names."""

import importlib

from simulators.courses import ParameterSet
from simulators.errors import ScenarioRefused

NAMES = ("a", "b")


def load(name: str) -> ParameterSet:
    """Return the parameter set of this name.

    Raises
    ------
    ScenarioRefused
        If there is none.

    >>> load("a").name
    'a'
    """
    if name not in NAMES:
        raise ScenarioRefused(f"There is no parameter set {name!r}: use one of {', '.join(NAMES)}.")
    found: ParameterSet = importlib.import_module(f"simulators.set_{name}").SET
    return found
