"""Stories: valid events, decided by the seed, and the real engine tells of exactly what they say."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from monitor.alerting.limits import Limits
from monitor.cuts import Cut
from monitor.engine import Engine
from monitor.inputs import Batch
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import BY_NAME, INPUTS
from tests.faults.ground import LIMITS, PARTITIONS
from tests.faults.history import Told, check, silences
from tests.faults.story import Fate, Message, Plot, Story

BEGIN_MS = 1_767_571_200_000
EVERY_MS = 500


def test_a_story_is_made_of_valid_events_of_every_kind_and_fate() -> None:
    story = Story(Plot(3, wearers=100))
    messages = story.messages(BEGIN_MS)
    kinds = Counter(message.topic for message in messages)
    assert len(kinds) == 4
    assert {wearer.fate for wearer in story.wearers} == set(Fate)
    for message in messages[::37]:
        BY_NAME[message.topic].events[0].model_validate_json(message.value)


def test_the_seed_decides_everything_and_another_seed_something_else() -> None:
    one, same, other = (Story(Plot(seed, wearers=30)) for seed in (1, 1, 2))
    assert one.messages(BEGIN_MS) == same.messages(BEGIN_MS)
    assert one.expected() == same.expected()
    assert one.messages(BEGIN_MS) != other.messages(BEGIN_MS)


def test_duplicates_are_as_many_as_asked_for() -> None:
    messages = Story(Plot(1, wearers=60, duplicates=0.3)).messages(BEGIN_MS)
    repeated = len(messages) - len({(message.topic, message.value) for message in messages})
    assert repeated / len(messages) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    "plot",
    [Plot(1, 60, 20.0), Plot(2, 60, 80.0), Plot(3, 40, 160.0, 80, 0.3, 1.9)],
    ids=lambda plot: f"{plot.seconds:.0f} s",
)
def test_the_engine_tells_of_what_the_story_says_and_of_nothing_else(plot: Plot) -> None:
    story = Story(plot)
    messages = story.messages(BEGIN_MS)
    told, T_ms = told_by_the_engine(messages)
    stamped = [(message.topic, stamp_of(message), message.value) for message in messages]
    must, may = silences(stamped, T_ms)
    found = check(told, story.expected() + must, may)
    assert found.expected > 25
    assert (found.lost, found.doubled, found.different) == (0, 0, 0), found.why


def stamp_of(message: Message) -> int:
    return BEGIN_MS + round(message.at_s * 1000)


def told_by_the_engine(messages: Sequence[Message]) -> tuple[list[Told], int]:
    """Step an engine through the messages, half a second at a time."""
    engine = Engine(Limits(**LIMITS), partitions=PARTITIONS, teams=("north", "south"))
    for p in range(PARTITIONS):
        engine.open(p)
    reach = {p: [0] * len(INPUTS) for p in range(PARTITIONS)}
    rows: list[Told] = []
    done = 0
    end_ms = stamp_of(messages[-1]) + 8_000
    for at, T in enumerate(range(BEGIN_MS + EVERY_MS, end_ms, EVERY_MS)):
        read: dict[str, list[tuple[int, int, int, bytes, bytes]]] = defaultdict(list)
        while done < len(messages) and stamp_of(messages[done]) < T:
            message = messages[done]
            done += 1
            source, key = INPUTS.index(message.topic), message.wearer.encode()
            p = murmur2_partition(key, PARTITIONS)
            read[message.topic].append((p, reach[p][source], stamp_of(message), key, message.value))
            reach[p][source] += 1
        batches = []
        for topic in (topic for topic in INPUTS if topic in read):
            p_, offset, stamp, key_, value = zip(*read[topic], strict=True)
            numbers = np.array(p_, np.int32)
            batches.append(Batch(topic, numbers, np.array(offset), np.array(stamp), list(key_), list(value)))
        cuts = []
        for p in range(PARTITIONS):
            position = engine.position(p)
            cuts.append(Cut(p, at, 0, position.seq + 1, T, tuple(reach[p]), (0,) * len(INPUTS), position.digest))
        for outputs in engine.step(cuts, batches).outputs.values():
            rows += [Told(out.topic, out.partition, len(rows), T, out.value) for out in outputs]
    assert not [row for row in rows if row.topic.startswith("dead")]
    return rows, end_ms
