"""Workers in which something raises: at random moments, at a marked record, and with the protection switched off."""

import json
import time
from collections import Counter

from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import BLOOD_PRESSURE, WEATHER
from tests.faults.fault import Fault
from tests.faults.raising import MARK, MARKED_DEVICE
from tests.faults.records import read
from tests.faults.row import Row
from tests.faults.run import Run
from tests.faults.story import Message, pressure, weather

EVERY_S = 3.0
POISON_S = 0.7
"""So much of the publishing time has poison in it; afterwards everything must have settled."""
ENGINE_ERROR = "engine_error"


def raise_for_a_while(run: Run) -> None:
    """Let what raises at random stop in time, so that the run comes to an end."""
    run.options = (*run.options, "--raise-until", str(time.time() + 15 + POISON_S * run.story.plot.seconds))


def only_wait(run: Run) -> None:
    """Do nothing: the workers break by themselves; begin to count after they own everything."""
    run.mark("something raises in the workers, now and then")
    run.wait(max(1.0, run.left_s))
    run.recovered(90)


def count_raised(run: Run, row: Row) -> None:
    """Say how often something raised: a run in which nothing did shows nothing."""
    logs = run.children.logs()
    row.faults = logs.count("\nraises <class") + logs.count("\nan output is refused")
    if not row.faults:
        row.why.append("nothing raised")


def poison(run: Run, *, decided: bool) -> None:
    """Publish a record that no engine can bear, every few seconds, to each partition in turn."""
    wearers = {
        murmur2_partition(f"poisoned-{i}".encode(), run.settings.stream.partitions): f"poisoned-{i}" for i in range(40)
    }
    sent = 0
    while run.left_s > (1 - POISON_S) * run.story.plot.seconds or not sent:
        wearer = wearers[sent % len(wearers)]
        now_ms = time.time_ns() // 1_000_000 + sent
        run.mark(f"a marked record goes to partition {sent % len(wearers)}")
        if decided:
            # Were it decided, it would be a crisis.
            value = _with(pressure(wearer, now_ms, 199, 105), device_id=MARKED_DEVICE)
            run.publish([Message(0.0, BLOOD_PRESSURE, wearer, value)])
        elif sent % 2:
            value = _with(pressure(wearer, now_ms, 199, 105), event_id=f"{wearer}-{now_ms}{MARK.decode()}")
            run.publish([Message(0.0, BLOOD_PRESSURE, wearer, value)])
        else:
            value = _with(weather(wearer, now_ms, 21.0), event_id=f"{wearer}-{now_ms}{MARK.decode()}")
            run.publish([Message(0.0, WEATHER, wearer, value)])
        sent += 1
        run.wait(EVERY_S)
    run.poisoned = sent
    run.recovered(90)


def poison_taken_in(run: Run) -> None:
    """Publish records that raise while they are taken in."""
    poison(run, decided=False)


def poison_decided(run: Run) -> None:
    """Publish records that raise when time has passed them: not in the step that reads them, perhaps."""
    poison(run, decided=True)


def _with(value: bytes, **fields: str) -> bytes:
    return json.dumps({**json.loads(value), **fields}).encode()


def quarantined(run: Run, row: Row) -> None:
    """The marked records are dead letters as engine errors, each once, and nothing else is."""
    origins: Counter[tuple[str, int, int]] = Counter()
    seen: set[bytes] = set()
    for told in read(run.settings, "dead-letter.v1"):
        letter = json.loads(told.value)
        if letter["reason"] == ENGINE_ERROR and told.value not in seen:
            seen.add(told.value)
            origins[letter["origin_topic"], letter["origin_partition"], letter["origin_offset"]] += 1
    if len(origins) != run.poisoned or any(n > 1 for n in origins.values()):
        row.different += 1
        row.why.append(
            f"{run.poisoned} records were marked; {len(origins)} are dead letters as {ENGINE_ERROR}, "
            f"{sum(n > 1 for n in origins.values())} of them with two contents"
        )
    row.faults = run.poisoned


SHORTER = {"shuffle_s": 1.0}

FAULTS = [
    Fault(
        "engine-raises",
        "exceptions in rules, intake, sink and before a step, in the only worker",
        only_wait,
        45,
        least_s=30,
        options=("--raise", "any:0.05"),
        before=raise_for_a_while,
        judge_more=count_raised,
        plot=SHORTER,
        may_end=True,
        may_crash=True,
    ),
    Fault(
        "engine-raises-beside",
        "the same in two workers, which take over from each other",
        only_wait,
        45,
        least_s=30,
        workers=2,
        options=("--raise", "any:0.05"),
        before=raise_for_a_while,
        judge_more=count_raised,
        plot=SHORTER,
        may_end=True,
        may_crash=True,
    ),
    Fault(
        "poison",
        f"every {EVERY_S:.0f} s a record at which every engine raises while it takes it in",
        poison_taken_in,
        45,
        least_s=30,
        workers=2,
        options=("--poison",),
        judge_more=quarantined,
        plot=SHORTER,
        may_end=True,
        may_crash=True,
    ),
    Fault(
        "poison-decided",
        f"every {EVERY_S:.0f} s a record at which every engine raises when it is decided, some time after it was read",
        poison_decided,
        45,
        least_s=30,
        workers=2,
        options=("--poison",),
        judge_more=quarantined,
        plot=SHORTER,
        may_end=True,
        may_crash=True,
    ),
]

WITHOUT_FORGETTING = Fault(
    "without-forgetting",
    "after an exception what is left of the step is kept, and the next one goes on from there",
    only_wait,
    20,
    least_s=14,
    options=("--raise", "any:0.05", "--without", "forgetting"),
    before=raise_for_a_while,
    plot={"shuffle_s": 0.5},
    must_fail=True,
    may_end=True,
    may_crash=True,
)
