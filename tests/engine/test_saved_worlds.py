"""A real file of the engine of every checkpoint format goes on like an engine that has lived through all of it.

The engines of formats 1 and 2 were those of the commits d8eb3e3 and 8829ae3. Format 0 was never written by an engine
that a commit holds: the first commit with checkpoints (81886cc) already wrote format 1, and its file of format 0
(tests/wearers/formats/0) holds no wearers.
"""

from pathlib import Path

import pytest

from monitor.rule import Rule
from monitor.saved_document import RULES
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from monitor.wearers.checkpoint_formats import FORMAT_NAMES
from monitor.wearers.store import open_store
from monitor.wearers.tensor_file import unsealed
from tests.engine.a_saved_world import PARTITION, SAVED_AT, until_saved, until_the_end, write
from tests.engine.feed import PARTITIONS, Feed, feed

WORLDS = Path(__file__).parent / "saved_worlds"
WITH_ENGINE = range(1, len(FORMAT_NAMES))
RULES_OF_1 = RULES[:7]


@pytest.fixture(scope="module")
def lived() -> Feed:
    f = feed()
    until_saved(f)
    return f


def saved_by(number: int) -> Checkpoint:
    found = Checkpoints(WORLDS / str(number), partitions=PARTITIONS).newest(PARTITION, 10**12)
    assert found is not None
    return found


def open_alerts(f: Feed) -> list[tuple[str, Rule, str]]:
    wearer_of, episodes = f.engine.state.wearer_of, f.engine.standing.board.episodes
    return sorted((wearer_of[row], rule, one.alert_id) for (row, rule), one in episodes.items())


@pytest.mark.parametrize("number", WITH_ENGINE)
def test_there_is_a_real_file_of_every_format_that_an_engine_wrote(number: int) -> None:
    (name,) = (path.name for path in (WORLDS / str(number)).glob(f"{PARTITION:05d}/*"))
    file = unsealed(open_store(WORLDS / str(number)).read(f"{PARTITION:05d}/{name}"))
    assert file.metadata["format"] == FORMAT_NAMES[number]
    assert len(file.arrays["engine/late.minute"]) == 6
    assert set(file.arrays["engine/waiting.kind"].tolist()) == set(range(8))


@pytest.mark.parametrize("number", WITH_ENGINE)
def test_it_goes_on_to_give_the_alerts_of_an_engine_that_lived_through_all_of_it(lived: Feed, number: int) -> None:
    def told(f: Feed) -> list[tuple[object, ...]]:
        names = ("rule", "alert_id", "version", "condition", "workflow", "priority", "team", "trigger")
        return [tuple(a[name] for name in names) for a in f.out if a["rule"] in RULES_OF_1]

    checkpoint, whole, other = saved_by(number), feed(), feed()
    assert checkpoint.position.T == SAVED_AT
    for f in (whole, other):
        f.records, f.read, f.offset_of_cut = lived.records, dict(lived.read), lived.offset_of_cut
        for p in range(PARTITIONS):
            f.engine.load(p, lived.engine.save(p), lived.engine.position(p))
    other.engine.drop(PARTITION)
    other.engine.open(PARTITION)

    assert not other.engine.load(PARTITION, checkpoint.engine, checkpoint.position)

    held = open_alerts(other)
    assert held == open_alerts(whole)
    assert {rule.name for _, rule, _ in held} == {"HR_HIGH_REST", "HEAT_LOAD", "BP_SEVERE", "NO_DATA"}
    for f in (whole, other):
        until_the_end(f)
    assert told(other) == told(whole)
    assert {rule for rule, *_ in told(other)} >= {"HR_HIGH_REST", "HEAT_LOAD", "BP_SEVERE", "NO_DATA", "RISK_MODEL"}


def test_today_s_engine_writes_the_newest_file_as_it_lies_there(tmp_path: Path) -> None:
    write(tmp_path)
    newest = WORLDS / str(len(FORMAT_NAMES) - 1)
    (path,) = (path.relative_to(newest) for path in newest.glob("*/*"))
    today, then = (unsealed(open_store(place).read(path.as_posix())) for place in (tmp_path, newest))
    assert today.arrays.keys() == then.arrays.keys()
    assert all(today.arrays[name].dtype == array.dtype for name, array in then.arrays.items())
