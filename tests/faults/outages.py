"""Servers that are killed, frozen or emptied."""

import json
import signal
from typing import Any

import redis

from stream_schemas.topics import alerts_topic
from tests.faults.fault import Fault
from tests.faults.ground import Servers
from tests.faults.records import read
from tests.faults.row import Row
from tests.faults.run import Run, RunFailed
from tests.faults.story import Fate

UNACKNOWLEDGED_S = 5.0
WITHOUT_BURSTS = {"only": tuple(fate for fate in Fate if fate is not Fate.BURST)}
"""An outage in the middle of a twelve-hour upload parts it by more than the settle time: another story."""


def servers_of(run: Run) -> Servers:
    if run.ground.servers is None:
        raise RunFailed("this fault needs servers of its own")
    return run.ground.servers


def broker_killed(run: Run) -> None:
    """kill -9 the broker and start it again a little later, more than once if there is time."""
    servers = servers_of(run)
    while not run.faults or run.left_s > 15:
        run.wait(3 + 4 * run.chance.random())
        run.mark("kill -9 of the broker")
        servers.kill_kafka()
        run.wait(0.5 + 2.5 * run.chance.random())
        run.tell("the broker is started again")
        servers.start_kafka()
        run.recovered(60)


def broker_killed_while_joining(run: Run) -> None:
    """Let a worker join, and kill -9 the broker at a random moment of that, so that it finds the group half made."""
    servers = servers_of(run)
    while not run.faults or run.left_s > 18:
        run.wait(2 + 2 * run.chance.random())
        name = f"w{run.faults + 2}"
        run.start_worker(name)
        run.wait(3.5 * run.chance.random())
        run.mark(f"kill -9 of the broker while {name} joins")
        servers.kill_kafka()
        run.wait(0.5 + 1.5 * run.chance.random())
        run.tell("the broker is started again")
        servers.start_kafka()
        run.recovered(90)
        run.children.stop([name])
        run.wait(1)
        run.recovered(90)


def unacknowledged(run: Run) -> None:
    """Freeze the broker for longer than a cut may take: whether it counts is unknown."""
    servers = servers_of(run)
    while not run.faults or run.left_s > 12:
        run.wait(2 + 3 * run.chance.random())
        run.mark(f"SIGSTOP of the broker for {UNACKNOWLEDGED_S} s; a cut may take 2 s")
        servers.signal_kafka(signal.SIGSTOP)
        run.wait(UNACKNOWLEDGED_S)
        servers.signal_kafka(signal.SIGCONT)
        run.tell("the broker goes on")
        run.recovered(60)


def redis_killed_and_emptied(run: Run) -> None:
    """kill -9 Valkey and the projector, and FLUSHALL, in an order that the seed decides."""
    servers = servers_of(run)
    run.start_projector()
    deeds = ["flush", "kill", "projector"]
    run.chance.shuffle(deeds)
    for deed in deeds:
        run.wait(2 + 3 * run.chance.random())
        if deed == "flush":
            run.tell("FLUSHALL")
            with redis.Redis.from_url(run.settings.redis.url) as client:
                client.flushall()
        elif deed == "kill":
            run.tell("kill -9 of Valkey; it is started again")
            servers.kill_valkey()
            run.wait(1 + 2 * run.chance.random())
            servers.start_valkey()
        else:
            run.tell("kill -9 of the projector; it is started again")
            run.children.kill("p1")
            run.wait(0.5)
            run.start_projector()
        run.faults += 1
    run.mark("kill -9 of the worker")
    run.children.kill("w1")
    run.start_worker("w1")
    run.recovered()


def projection_differs(run: Run) -> list[str]:
    """Compare Redis with the topics: newest versions, open alerts, nothing else."""
    sentences = []
    with redis.Redis.from_url(run.settings.redis.url, decode_responses=True) as client:
        for team in run.settings.teams:
            newest: dict[str, tuple[int, str, str]] = {}
            for row in read(run.settings, alerts_topic(team)):
                alert: dict[str, Any] = json.loads(row.value)
                known = newest.get(alert["alert_id"], (0, "", ""))
                newest[alert["alert_id"]] = max(known, (alert["version"], row.value.decode(), alert["workflow"]))
            prefix = f"{run.settings.redis.key_prefix}{{{team}}}:"
            held = {key.removeprefix(f"{prefix}alert:"): key for key in client.scan_iter(f"{prefix}alert:*")}
            wrong = [one for one, (_, doc, _) in newest.items() if client.hget(f"{prefix}alert:{one}", "doc") != doc]
            active = set(client.zrange(f"{prefix}active", 0, -1))
            still_open = {one for one, (_, _, workflow) in newest.items() if workflow != "closed"}
            if set(held) != set(newest) or wrong:
                sentences.append(f"Redis holds {len(held)} alerts of {len(newest)}, {len(wrong)} of them otherwise")
            if active != still_open:
                sentences.append(f"Redis calls {len(active)} alerts open, the topic {len(still_open)}")
    return sentences


def wait_for_the_projection(run: Run, row: Row) -> None:
    """The projector has a moment to catch up; then Redis must equal the topic."""
    try:
        run.start_projector()
        run.until("Redis equals the topic", lambda: not projection_differs(run), 20)
    except RunFailed:
        row.why += projection_differs(run)
        row.different += 1


FAULTS = [
    Fault(
        "broker-kill-9",
        "kill -9 of the broker, and its restart",
        broker_killed,
        45,
        plot=WITHOUT_BURSTS,
        own_servers=True,
        may_end=True,
    ),
    Fault(
        "broker-kill-joining",
        "kill -9 of the broker while a worker joins",
        broker_killed_while_joining,
        45,
        plot=WITHOUT_BURSTS,
        own_servers=True,
        may_end=True,
    ),
    Fault(
        "cuts-unacknowledged",
        f"the broker frozen for {UNACKNOWLEDGED_S:.0f} s: no cut is acknowledged in its 2 s",
        unacknowledged,
        38,
        settings={"stream": {"cut_timeout_s": 2.0}},
        plot=WITHOUT_BURSTS,
        own_servers=True,
        may_end=True,
    ),
    Fault(
        "redis",
        "kill -9 of Valkey and of the projector, FLUSHALL: Redis equals the topic afterwards",
        redis_killed_and_emptied,
        25,
        own_servers=True,
        judge_more=wait_for_the_projection,
    ),
]
