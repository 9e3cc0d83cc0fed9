"""The short version of the runs on three brokers: one start of them, one kill."""

import time
from pathlib import Path

from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import WEATHER
from tests.faults.brokers import APART, back, cluster_of, not_held_by
from tests.faults.fault import Fault
from tests.faults.ground import Ground, Place
from tests.faults.latency import SEVERE
from tests.faults.row import Row
from tests.faults.run import Run
from tests.faults.story import BLOOD_PRESSURE, PROFILE, Expected, Message, pressure, profile


def wearer_of(partition: int) -> str:
    """Return a wearer who belongs to a partition."""
    return next(name for i in range(99) if murmur2_partition((name := f"crisis-{i}").encode(), 4) == partition)


def leader_killed_and_one_input_away(run: Run) -> None:
    """Kill a broker that leads a partition, and has the only copy of its weather; start it when crises were told."""
    cluster = cluster_of(run)
    run.wait(3)
    name, now_ms = wearer_of(2), time.time_ns() // 1_000_000
    with run.others_go_on(not_held_by(run, 3)):
        run.mark("kill -9 of broker 3: the leader of partition 2, and the only copy of its weather")
        cluster.kill(3)
        run.publish([Message(0.0, PROFILE, name, profile(name, "north", now_ms))])
        run.publish([Message(0.0, BLOOD_PRESSURE, name, pressure(name, now_ms, 196, 104))])
        run.expected.append(Expected(name, SEVERE, 1))
        run.until("a crisis is told without the weather", lambda: (name, SEVERE) in run.team.heard_s, 60)
    back(run, 3)
    run.recovered(60)


THREE = Fault(
    "three-brokers",
    "a leader killed, and the only copy of one partition's weather with it",
    leader_killed_and_one_input_away,
    settings={"kafka": {"replication_factor": 1}},
    plot={"wearers": 48, "seconds": 18.0, "minutes": 60, "shuffle_s": 0.4},
    place=Place(APART, {(WEATHER, p): (n,) for p, n in enumerate((1, 2, 3, 2))}),
    healthy_within_s=10.0,
    may_end=True,
)


def run_three(folder: Path, bootstrap_servers: str, redis_url: str, jars: Path, seed: int) -> Row:
    """Run it beside a Kafka that is not touched, with that one's Valkey."""
    with Ground(folder, bootstrap_servers, redis_url, jars=jars) as ground:
        return THREE.run(ground, seed, 0.0, lambda line: print(THREE.name, line))
