"""A cluster that fails in part: one of three brokers is killed, out of sync, alone with a copy, or cut off.

Partitions for which nothing is broken have to go on; what is broken has to be late, not lost.
"""

from stream_schemas.topics import BLOOD_PRESSURE
from tests.faults.cluster import COORDINATOR, Cluster
from tests.faults.fault import Fault
from tests.faults.ground import Place
from tests.faults.proxy import Way
from tests.faults.run import Run, RunFailed

EVERYWHERE = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2))
"""Three copies of each partition; each broker leads something."""
APART = ((1, 2), (2, 1), (3, 1), (1, 2))
"""Two copies; broker 3 leads partition 2 and holds nothing else, and broker 2 holds nothing of that one.

A partition of which a dead broker holds a copy waits, too: acknowledgements come when that copy is out of sync.
"""
ON_TWO = ((1, 2), (2, 1), (1, 2), (2, 1))
"""Two copies of each, none of them on broker 3."""
STALLED_S = 20.0
IN_VAIN_S = 25.0
STILL_S = 3.0
"""A partition that nothing was broken for may stand still for so long: two cores are shared with three brokers."""


def cluster_of(run: Run) -> Cluster:
    if run.ground.cluster is None:
        raise RunFailed("this fault needs three brokers")
    return run.ground.cluster


def not_led_by(run: Run, broker: int) -> frozenset[int]:
    """Return the partitions of which the broker leads no topic."""
    led = cluster_of(run).leaders(run.settings.kafka.topic_prefix)
    return frozenset(run.watch.partitions) - {p for (_, p), leader in led.items() if leader == broker}


def not_held_by(run: Run, broker: int) -> frozenset[int]:
    """Return the partitions of which the broker holds no copy."""
    cluster = cluster_of(run)
    parts = cluster.partitions(cluster.names(run.settings.kafka.topic_prefix))
    return frozenset(run.watch.partitions) - {p for (_, p), part in parts.items() if broker in part["replica_nodes"]}


def back(run: Run, broker: int, ahead: str = "") -> None:
    """Start a broker that is gone and wait until it is in sync again, while the run goes on."""
    cluster = cluster_of(run)
    run.tell(f"broker {broker} is started again" + (f", its clock {ahead}" if ahead else ""))
    cluster.launch(broker, ahead)
    run.until(f"broker {broker} answers", lambda: cluster.answers(broker), 90)
    run.until(f"broker {broker} is in sync", lambda: in_sync(run, broker), 60)


def in_sync(run: Run, broker: int) -> bool:
    """Tell whether every copy that a broker holds is in sync."""
    cluster = cluster_of(run)
    parts = cluster.partitions(cluster.names(run.settings.kafka.topic_prefix))
    return all(broker in part["isr_nodes"] for part in parts.values() if broker in part["replica_nodes"])


def leader_killed(run: Run) -> None:
    """Kill a broker that leads a part of everything, then the one that leads the group too; start each again."""
    cluster = cluster_of(run)
    while not run.faults or run.left_s > 25:
        for broker in (3, COORDINATOR):
            run.wait(2 + 3 * run.chance.random())
            with run.others_go_on(not_held_by(run, broker)):
                run.mark(f"kill -9 of broker {broker}")
                cluster.kill(broker)
                run.wait(10)
            back(run, broker)
            cluster.lead_as_placed(run.settings.kafka.topic_prefix)
            run.recovered(60)


def unclean_refused(run: Run) -> None:
    """Let one copy of a partition fall behind, then kill the broker of the other, which alone has everything."""
    cluster, readings = cluster_of(run), run.settings.kafka.topic_prefix + BLOOD_PRESSURE
    run.wait(6)
    run.tell("SIGSTOP of broker 1, a follower, until its copies are out of sync")
    cluster.freeze(1)
    run.until("the follower is out of sync", lambda: cluster.isr(readings, 2) == [3], 40)
    run.wait(4)  # what is written now it does not have
    with run.others_go_on(not_held_by(run, 3)):
        run.mark("kill -9 of broker 3, which alone has all readings of partition 2; broker 1 goes on")
        cluster.kill(3)
        cluster.thaw(1)
        run.wait(15)
        if (leader := cluster.leader_of(readings, 2)) != -1:
            run.notes.append(f"broker {leader} leads a partition of which it lacks records")
    back(run, 3)
    run.until("it leads again", lambda: cluster.leader_of(readings, 2) == 3, 60)
    run.recovered(60)


def cut_off(run: Run) -> None:
    """Let nothing pass between the worker and one broker: silently first, then with resets."""
    cluster = cluster_of(run)
    run.wait(4 + 2 * run.chance.random())
    with run.others_go_on(not_led_by(run, 3)):
        run.mark(f"nothing passes between the worker and broker 3, for {STALLED_S:.0f} s")
        cluster.proxies.set(3, Way.STALL)
        run.wait(STALLED_S)
        run.mark(f"their connections are reset, for {STALLED_S:.0f} s")
        cluster.proxies.set(3, Way.RESET)
        run.wait(STALLED_S)
    run.tell("everything passes again")
    cluster.proxies.set(3, Way.PASS)
    run.recovered(60)


def through_proxies(run: Run) -> None:
    """Let the workers reach every broker through its proxy, and nobody else."""
    kafka = run.settings.kafka.model_copy(update={"bootstrap_servers": cluster_of(run).proxied_servers})
    run.children.settings = run.settings.model_copy(update={"kafka": kafka})


def isr_too_small(run: Run) -> None:
    """Kill the broker that holds the second copy of one partition's alerts, of which two must be in sync."""
    cluster = cluster_of(run)
    run.wait(12)
    with run.others_go_on(frozenset(run.watch.partitions) - {2}):
        run.mark("kill -9 of broker 3: one copy of the alerts of partition 2 is left, and two must have a record")
        cluster.kill(3)
        run.wait(IN_VAIN_S)
    back(run, 3)
    run.recovered(60)


FAULTS = [
    Fault(
        "leader-killed",
        "kill -9 of a broker that leads a part of everything, then of the group's; each started again",
        leader_killed,
        75,
        least_s=55,
        # A gateway sends again for some 8 s what the dead leader did not take: to the rules that is no lateness.
        settings={"kafka": {"replication_factor": 2}, "limits": {"late_settle_s": 12.0}},
        place=Place(APART),
        healthy_within_s=STILL_S,
        may_end=True,
    ),
    Fault(
        "unclean-refused",
        "the only copy of a partition that is whole goes; the one that is behind must not become the log",
        unclean_refused,
        55,
        least_s=45,
        settings={"kafka": {"replication_factor": 1}},
        place=Place(((2,),) * 4, {(BLOOD_PRESSURE, p): on for p, on in enumerate(((2, 1), (2, 1), (3, 1), (2, 1)))}),
        healthy_within_s=STILL_S,
        may_end=True,
    ),
    Fault(
        "cut-off-from-one-broker",
        f"nothing passes between the worker and one broker for {STALLED_S:.0f} s, then resets for as long",
        cut_off,
        65,
        least_s=60,
        settings={"kafka": {"replication_factor": 3}},
        place=Place(EVERYWHERE),
        transactional=True,  # the worker asks brokers about the holes that markers leave, and one does not answer
        before=through_proxies,
        healthy_within_s=STILL_S,
        may_end=True,
    ),
    Fault(
        "isr-too-small",
        "two copies must have an alert, and one is left: nothing is written until the other is back",
        isr_too_small,
        60,
        least_s=50,
        settings={"kafka": {"replication_factor": 2}},
        place=Place(
            ON_TWO,
            {(topic, 2): (1, 3) for topic in ("alerts.north.v1", "alerts.south.v1")},
            {topic: {"min.insync.replicas": "2"} for topic in ("alerts.north.v1", "alerts.south.v1")},
        ),
        healthy_within_s=STILL_S,
        may_end=True,
    ),
]
