"""Every example in a docstring is run."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

PACKAGES = ("stream_schemas", "simulators", "models", "monitor")
RUNS_WHEN_IMPORTED = ("__main__", "monitor.stream.worker_app")


def modules() -> list[str]:
    return [
        found.name
        for package in PACKAGES
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        if not found.name.endswith(RUNS_WHEN_IMPORTED)
    ]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_hold(name: str) -> None:
    module: ModuleType = importlib.import_module(name)

    assert doctest.testmod(module).failed == 0


def test_some_examples_are_found_at_all() -> None:
    finder = doctest.DocTestFinder()
    found = sum(bool(test.examples) for name in modules() for test in finder.find(importlib.import_module(name)))

    assert found >= 10
