"""Small random worlds: a few wearers with devices of all kinds, and what the broker received of them when."""

import json
import random
import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.alerting.limits import Limits
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.sleep import STAGES
from stream_schemas.topics import BLOOD_PRESSURE, CONTROL, SLEEP, WEARER
from tests.engine.feed import MINUTE, PARTITIONS, START, TEAMS, Feed, Record, feed
from tests.reference.slow_engine import SlowEvent, SlowWearer, instant

BEGIN = START + 9 * 60 * MINUTE
LENGTH = 200  # minutes
END = BEGIN + (LENGTH + 90) * MINUTE
KINDS = {
    "context.wearer.v1": 0,
    "vitals.heart-rate.v1": 1,
    "vitals.activity.v1": 2,
    "vitals.sleep.v1": 3,
    "vitals.blood-pressure.v1": 5,
    "alert-commands.v1": 7,
}
Log = dict[tuple[str, int], list[Record]]


@dataclass(frozen=True)
class Kind:
    """What may happen in a world."""

    wearers: int = 8
    slow_devices: bool = False
    uploads: bool = True  # phones that are away and send all at once, in any order
    readings_in_order: bool = True
    tombstones: bool = True
    commands: bool = False
    switches: bool = False
    whole_seconds: bool = False  # every other second, so that records and timers often fall together


def a_world(seed: int, kind: Kind) -> Log:
    """Everything that the broker received, by topic and partition, in the order of the log."""
    rng, recorder = random.Random(seed), feed()
    for k in range(kind.wearers):
        _wearer(recorder, f"w{k}", rng, kind)
    log: Log = {}
    away = {w: _absences(rng) if kind.uploads else [] for w in (f"w{k}" for k in range(kind.wearers))}
    for place, records in sorted(recorder.records.items()):
        late: list[Record] = []
        for r in records:
            for _ in range(1 + (rng.random() < 0.15)):
                assert r.key is not None
                stamp = r.stamp_ms
                if place[0] != WEARER and not (place[0] == BLOOD_PRESSURE and kind.readings_in_order):
                    stamp = _received(stamp, away[r.key.decode()], rng)
                if kind.whole_seconds:
                    stamp = -(-stamp // 2000) * 2000
                late.append(Record(stamp, r.key, r.value))
        log[place] = sorted(late, key=lambda r: r.stamp_ms)
    if kind.switches:
        add_switches(log, seed)
    if kind.commands:
        add_commands(log, [one for told in as_the_twin_tells(log, END).values() for one in told], seed)
    return log


def _absences(rng: random.Random) -> list[tuple[int, int, bool]]:
    """When a phone is away, from and to, and whether what it sends then comes in any order."""
    absences = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        begin = BEGIN + rng.randrange(LENGTH) * MINUTE
        absences.append((begin, begin + rng.choice([4, 20, 70]) * MINUTE, rng.random() < 0.6))
    return absences


def _received(stamp: int, absences: list[tuple[int, int, bool]], rng: random.Random) -> int:
    for begin, end, shuffled in absences:
        if begin <= stamp < end:
            return end + (rng.randrange(90_000) if shuffled else (stamp - begin) // 50)
    return stamp + rng.choice([0, 0, 1, 300, 900, 1500, 40_000 if rng.random() < 0.05 else 7])


def _wearer(f: Feed, name: str, rng: random.Random, kind: Kind) -> None:
    """One wearer's recorded life: rest and motion, calm and episodes, holes, words of the device, cuffs and profile."""
    cadence_s, per_envelope = rng.choice([(60, 1), (300, 1), (900, 2)] if kind.slow_devices else FAST)
    span = cadence_s * per_envelope
    level, steps, until = (60, 80), 0, 0
    shift = rng.randrange(60_000) if rng.random() < 0.5 else 0
    context = rng.choice([None, None, "at_rest"])
    for s in range(0, LENGTH * 60, span):
        if s >= until:
            level, until = rng.choice(LEVELS), s + rng.randrange(5, 50) * 60
            steps = rng.choice([0, 0, 0, 0, 80])
            if rng.random() < 0.3:
                context = rng.choice([None, "at_rest", "at_rest", "active", "exercise", "asleep"])
            if rng.random() < 0.1:
                level = (0, 0)  # not worn
        start = BEGIN + s * 1000 + shift
        if level[0]:
            bpm = [rng.choice([rng.randint(*level)] * 30 + [22, 190, 260]) for _ in range(per_envelope)]
            f.heart_rate(name, start, bpm, every_s=cadence_s, context=context)
        if rng.random() < 0.95:
            minutes = max(span // 60, 1)
            first = start // MINUTE * MINUTE
            f.steps(name, first, [steps] * minutes, stamp=max(first + minutes * MINUTE, start + span * 1000) + 400)
    _cuff(f, name, rng, kind)
    _naps(f, name, rng)
    _profiles(f, name, rng, kind)


FAST = [(1, 60), (1, 60), (1, 25), (2, 30), (5, 24), (20, 6)]
LEVELS = [(60, 80), (60, 80), (62, 70), (112, 124), (122, 129), (128, 140), (37, 41), (24, 34)]


def _cuff(f: Feed, name: str, rng: random.Random, kind: Kind) -> None:
    """Up to 25 readings, more than are held; the same one may come twice."""
    at, levels = BEGIN, rng.choice([(120, 172, 178, 184, 192, 225, 99), (120, 178, 184), (85, 88, 90, 93, 99, 120)])
    for k in range(rng.choice([0, 3, 25])):
        at += rng.randrange(1, 15) * MINUTE + rng.randrange(60_000)
        systolic = rng.choice(levels)
        method = rng.choice(["cuff_oscillometric"] * 6 + ["cuff_auscultatory", "cuffless"])
        diastolic = rng.choice([60, 70, min(systolic - 20, 130)])
        stamp = at + 1000 + (0 if kind.readings_in_order else rng.choice([0, 0, 40 * MINUTE]))
        for _ in range(1 + (rng.random() < 0.3)):
            f.pressure(name, at, systolic, diastolic, stamp=stamp, method=method, event_id=f"{name}-{k}")


def _naps(f: Feed, name: str, rng: random.Random) -> None:
    """A nap or two, told when it is over, and sometimes once more, corrected."""
    for k in range(rng.choice([0, 0, 1, 2])):
        start = BEGIN + rng.randrange(LENGTH - 60) * MINUTE + rng.choice([0, 17_000])
        end = start + rng.randrange(10, 60) * MINUTE
        for revision in range(rng.choice([1, 1, 2])):
            starts = sorted({0, *(rng.randrange((end - start) // 1000) for _ in range(rng.randrange(5)))})
            event = {
                "schema": "sleep/1",
                "event_id": f.name(),
                "wearer_id": name,
                "device_id": "d",
                "start": rfc3339(start),
                "end": rfc3339(end),
                "stage_start_s": starts,
                "stage": [rng.choice(STAGES) for _ in starts],
                "source_record_id": f"nap-{k}",
                "revision": revision,
            }
            f.publish(SLEEP, event, end + 5000 + revision * rng.randrange(20) * MINUTE)


def _profiles(f: Feed, name: str, rng: random.Random, kind: Kind) -> None:
    for _ in range(rng.choice([0, 1, 1, 2])):
        at = BEGIN + rng.randrange(LENGTH * MINUTE)
        own = {"hr_high_bpm": rng.choice([None, 110, 140]), "systolic_high_mmhg": rng.choice([None, 170])}
        f.profile(
            name,
            at,
            team=rng.choice(["north", "south", "nowhere"]),
            age_years=rng.choice([12, 50, 50, 80]),
            conditions=rng.choice([[], [], ["pregnant"], ["postpartum_6w"]]),
            time_zone=rng.choice(["UTC", "America/Lima", "Asia/Tokyo"]),
            limits=rng.choice([None, own]),
        )
    if kind.tombstones and rng.random() < 0.25:
        f.publish(WEARER, None, BEGIN + rng.randrange(LENGTH * MINUTE), key=name)


def add_commands(log: Log, alerts: Sequence[dict[str, object]], seed: int) -> None:
    """Let people acknowledge and close alerts that were told once, at any time after, having seen any version."""
    rng, recorder = random.Random(seed), feed()
    for alert in alerts:
        if rng.random() < 0.3:
            told = instant(str(alert["updated_at"]))
            action = rng.choice(["acknowledge", "acknowledge", "acknowledge", "close", "snooze"])
            at = told + rng.choice([500, 30_000, 20 * MINUTE]) + rng.randrange(MINUTE)
            recorder.command(alert, action, at, seen=rng.choice([1, alert["version"]]))  # type: ignore[arg-type]
    for place, records in recorder.records.items():
        log[place] = sorted(records, key=lambda r: r.stamp_ms)


OTHER_RULES = (
    "hr_high_rest_bpm = 112\nhr_high_rest_clear_bpm = 106\nno_data_cadences = 2",
    "hr_window_min = 6\nhr_low_awake_bpm = 45\nhr_low_awake_clear_bpm = 50\nsettle_s = 30",
    "bp_severe_systolic_mmhg = 170\nbp_severe_clear_systolic_mmhg = 165\nbp_repeat_within_min = 5\nlate_after_s = 30",
)


def add_switches(log: Log, seed: int) -> None:
    """Let other rules come into force in some partitions."""
    rng, recorder = random.Random(seed), feed()
    for p in range(PARTITIONS):
        for at in sorted(BEGIN + rng.randrange(LENGTH * MINUTE) for _ in range(rng.choice([0, 1, 2]))):
            content, replace = rng.choice(OTHER_RULES), rng.random() < 0.4
            event = {"schema": "control/1", "kind": "rules", "content": content, "replace": replace, "at": rfc3339(at)}
            recorder.publish(CONTROL, event, at, key="", p=p)
    log.update(recorder.records)


def limits_in_force(log: Log, partition: int) -> Callable[[float], Limits]:
    """Return the limits at a received time, in a partition."""
    switches: list[tuple[int, Limits]] = []
    named: dict[str, Any] = {}
    for r in log.get((CONTROL, partition), []):
        event = json.loads(r.value or b"")
        named = {**({} if event["replace"] else named), **tomllib.loads(event["content"])}
        switches.append((r.stamp_ms, Limits(**named)))

    def at(time: float) -> Limits:
        past = [limits for stamp, limits in switches if stamp <= time]
        return past[-1] if past else Limits()

    return at


def as_the_twin_tells(log: Log, T: int) -> dict[str, list[dict[str, object]]]:
    """Every wearer's versions, in the order in which they are told."""
    partition_of: dict[str, int] = {}
    events: dict[str, list[SlowEvent]] = defaultdict(list)
    for (topic, partition), records in log.items():
        high = 0
        if topic == CONTROL:
            continue
        for offset, r in enumerate(records):
            high = max(high, r.stamp_ms)
            assert r.key is not None
            name = r.key.decode()
            partition_of[name] = murmur2_partition(r.key, PARTITIONS)
            assert partition_of[name] == partition
            what = None if r.value is None else json.loads(r.value)
            events[name].append(SlowEvent(high, (KINDS[topic], offset), topic, what))
    return {
        name: SlowWearer(name, TEAMS, limits_in_force(log, partition_of[name])).run(of_one, T)
        for name, of_one in events.items()
    }
