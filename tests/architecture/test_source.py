"""Rules about the source itself that no linter knows: one clock, loopback only, no pickles, plain names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
PACKAGES = ("monitor", "models", "stream_schemas", "simulators")
MODULES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))

# A simulator is a gateway: it stamps live events itself. The monitor and the models may not know what time it is.
CLOCKS = {"monitor/clock.py", "simulators/clock.py"}
WALL_CLOCK = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def calls_and_uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every dotted use and its line, with imported names put back under their module."""
    origin: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            origin.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Import):
            origin.update({alias.asname: alias.name for alias in node.names if alias.asname})
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = ast.unparse(node)
            first, dot, rest = dotted.partition(".")
            full = origin.get(first, first) + dot + rest
            yield full, node.lineno


def wall_clock_uses(source: str) -> list[str]:
    return sorted(
        f"{use} (line {line})"
        for use, line in calls_and_uses(ast.parse(source))
        if ".".join(use.split(".")[-2:]) in WALL_CLOCK
    )


@pytest.mark.parametrize(
    "source",
    [
        "import time\nnow = time.time()",
        "from time import time_ns as n\nnow = n()",
        "import datetime as dt\nnow = dt.datetime.now(dt.UTC)",
        "from datetime import datetime\nstamp = datetime.now",
        "import time as t\nt.time()",
    ],
)
def test_the_search_for_the_wall_clock_sees_through_aliases(source: str) -> None:
    assert wall_clock_uses(source)


def test_monotonic_durations_are_no_wall_clock() -> None:
    assert (
        wall_clock_uses("import time\nfrom datetime import datetime\ntime.monotonic()\ndatetime.fromisoformat('x')")
        == []
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_clock_modules_read_the_wall_clock(path: Path) -> None:
    if name_of(path) not in CLOCKS:
        assert wall_clock_uses(path.read_text()) == []


def test_nothing_is_unpickled() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not UNPICKLERS & {module.partition(".")[0] for module in modules}, name_of(path)
        uses = {use for use, _ in calls_and_uses(ast.parse(path.read_text()))}
        assert "torch.load" not in uses, name_of(path)


def test_nothing_listens_on_every_interface() -> None:
    everywhere = ".".join("0000")
    for path in MODULES:
        assert everywhere not in path.read_text(), name_of(path)


def test_module_names_say_what_is_in_them() -> None:
    assert [name_of(path) for path in MODULES if path.stem in NAMES_THAT_SAY_NOTHING] == []
