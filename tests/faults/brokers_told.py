"""Faults of one broker under which alerts must still come, in time and to the right team."""

import json
import time
from collections.abc import Sequence

from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import BLOOD_PRESSURE, WEARER, WEATHER, alerts_topic
from tests.faults import latency
from tests.faults.brokers import ON_TWO, STILL_S, back, cluster_of, not_led_by
from tests.faults.cluster import FAKETIME, LAG_MS, NO_FAKETIME
from tests.faults.fault import Fault
from tests.faults.ground import Place
from tests.faults.records import read
from tests.faults.row import Row
from tests.faults.run import Run
from tests.faults.story import Expected, Fate, Message, pressure, profile, weather

AWAY = 2
"""The partition whose weather is away."""
AWAY_S = 40.0
TOLD_WITHIN_S = 15.0
"""The limit after which time goes on without an input is 10 s; the rest is for the usual way."""
RESTART_S = 20.0
"""The session of the worker that was killed lasts 6 s; the rest is for its successor to begin."""
HELD_BACK_S = 5.0
MOVERS = 12
DATED = frozenset({"future", "too_old"})


def one_input_away(run: Run) -> None:
    """Kill the leader of one weather partition for a while; restart the worker in the middle of it."""
    cluster, weathers = cluster_of(run), _weathers(run)
    run.publish(weathers[:5])
    run.wait(run.story.plot.seconds * 0.22)
    others = frozenset(run.watch.partitions) - {AWAY}
    run.mark("kill -9 of broker 3: the weather of one partition is away, and nothing else")
    cluster.kill(3)
    run.publish(weathers[5:])
    with run.others_go_on(others):
        run.wait(AWAY_S * 0.55)
    run.mark("kill -9 of the worker; it is started again")
    run.children.kill("w1")
    run.start_worker("w1")
    run.wait(RESTART_S)
    with run.others_go_on(others):
        run.wait(max(3.0, AWAY_S * 0.45 - RESTART_S))
    run.marks.append(time.time_ns() // 1_000_000)
    back(run, 3)
    run.recovered(60)


def _weathers(run: Run) -> list[Message]:
    names = [one.name for one in run.story.wearers if _partition(run, one.name) == AWAY]
    now_ms = time.time_ns() // 1_000_000
    return [Message(0.0, WEATHER, name, weather(name, now_ms, 21.0)) for name in names[:10]]


def _partition(run: Run, wearer: str) -> int:
    return murmur2_partition(wearer.encode(), run.settings.stream.partitions)


def told_while_away(run: Run, row: Row) -> None:
    """Every crisis of the partition is told in time, though its weather is away; the weather is late, not lost."""
    away_ms, killed_ms, back_ms = run.marks[:3]
    crises = [one for one in latency.by_the_brokers(run.settings) if one.partition == AWAY]
    while_away = [one for one in crises if away_ms <= one.at_ms < back_ms]
    if not while_away:
        row.why.append("no crisis happened while the weather was away: the run shows nothing")
    restarting = range(killed_ms - round(1000 * TOLD_WITHIN_S), killed_ms + round(1000 * RESTART_S))
    allowed = {one.wearer: TOLD_WITHIN_S + (RESTART_S if one.at_ms in restarting else 0) for one in while_away}
    late = [one for one in while_away if one.took_s > allowed[one.wearer]]
    row.told_within_s = latency.slowest_s(while_away)
    if late:
        row.why.append(
            f"{len(late)} of {len(while_away)} crises were told later than {TOLD_WITHIN_S:.0f} s after their record "
            f"while the weather of their partition was away, the slowest after {latency.slowest_s(late)} s"
        )
    if not [claim for claim in run.watch.of[AWAY].claims if killed_ms < claim[0] < back_ms]:
        row.why.append("the worker that was restarted did not claim the partition whose weather was away")
    if len(read(run.settings, WEATHER)) < len(_weathers(run)):
        row.why.append("weather that was sent while its leader was away is lost")


def follower_frozen(run: Run) -> None:
    """Freeze the follower of the profiles; move wearers to another team meanwhile, and let them have a crisis."""
    cluster = cluster_of(run)
    profiles = run.settings.kafka.topic_prefix + WEARER
    for k in range(2):
        names = [f"m{run.seed}-{k}-{i:03d}" for i in range(MOVERS)]
        now_ms = time.time_ns() // 1_000_000
        run.publish([Message(0.0, WEARER, name, profile(name, "north", now_ms - 120_000)) for name in names])
        run.wait(3 + run.chance.random())
        run.mark(f"SIGSTOP of broker 3, the profiles' follower; {MOVERS} wearers change their team and have a crisis")
        cluster.freeze(3)
        run.wait(0.5)
        run.publish([Message(0.0, WEARER, name, profile(name, "south", now_ms)) for name in names])
        run.wait(0.5)
        run.publish([Message(0.0, BLOOD_PRESSURE, name, pressure(name, now_ms, 196, 104)) for name in names])
        run.expected += [Expected(name, latency.SEVERE, 1) for name in names]
        run.wait(LAG_MS / 1000 + 5)
        run.tell("broker 3 goes on")
        cluster.thaw(3)
        run.until("it is in sync again", lambda: len(cluster.isr(profiles, 0)) == 2, 60)
        run.recovered(60)


def right_team(run: Run, row: Row) -> None:
    """A crisis goes to the team that the profiles written before it name; what goes elsewhere is counted below T."""
    moved = {one.wearer for one in run.expected}
    moved_ms: dict[str, int] = {}
    for told in read(run.settings, WEARER):
        event = json.loads(told.value)
        if event["wearer_id"] in moved and event["team"] == "south":
            moved_ms.setdefault(event["wearer_id"], told.stamp_ms)
    crisis_ms = {one.wearer: one.at_ms for one in latency.by_the_brokers(run.settings)}
    after = {wearer for wearer in moved if moved_ms[wearer] < crisis_ms[wearer]}
    if len(after) < len(moved):
        row.why.append(f"{len(moved) - len(after)} profiles were written after the crisis: the run shows less")
    wrong: set[str] = set()
    for told in read(run.settings, alerts_topic("north")):
        alert = json.loads(told.value)
        if alert["rule"] == latency.SEVERE and alert["wearer_id"] in after:
            wrong.add(alert["wearer_id"])
    row.wrong_team = len(wrong)
    if len(wrong) > row.below_T:
        row.different += len(wrong)
        row.why.append(f"{len(wrong)} of {len(after)} alerts went to the old team; {row.below_T} records are below T")


def clock_ahead(run: Run) -> None:
    """Let a broker lead while its clock is ten minutes ahead, then while it is right again."""
    cluster, prefix = cluster_of(run), run.settings.kafka.topic_prefix
    run.watch.waits_for_T = run.silences_count = False
    run.wait(3)
    for ahead, seconds in (("+10m", 25.0), ("", 12.0)):
        run.tell("broker 3 is stopped in order")
        cluster.end(3)
        back(run, 3, ahead)
        cluster.lead_as_placed(prefix)
        with run.others_go_on(not_led_by(run, 3)):
            run.mark(f"broker 3 leads, its clock {ahead or 'right again'}")
            run.wait(max(seconds, 0.0 if ahead else run.left_s + 5))
    run.wait(15)  # what was held back has a moment to come


def told_in_time(run: Run, row: Row) -> None:
    """Alerts of the partitions that the broker leads come as fast as all others, and a little later at most."""
    ahead_ms, right_ms = run.marks[:2]
    crises = latency.by_our_clock(run)
    usual_s = latency.usual_s(one for one in crises if one.partition not in (1, 2))
    for words, begin, end in (("was ahead", ahead_ms, right_ms), ("was right again", right_ms, run.ended_ms)):
        these = [one for one in crises if one.partition in (1, 2) and begin <= one.at_ms < end]
        late = [one for one in these if one.took_s > usual_s + HELD_BACK_S]
        row.told_within_s = max(row.told_within_s or 0.0, latency.slowest_s(these) or 0.0)
        if not these:
            row.why.append(f"no crisis happened while the clock {words}: the run shows nothing")
        if late:
            row.why.append(
                f"{len(late)} of {len(these)} crises while the clock {words} were held back, up to "
                f"{latency.slowest_s(late)} s; usual are {usual_s:.1f} s"
            )
    reasons = [json.loads(told.value)["reason"] for told in read(run.settings, "dead-letter.v1")]
    if dated := sum(reason in DATED for reason in reasons):
        row.why.append(f"{dated} events were refused as future or too old")


def faketime_missing() -> str:
    return "" if FAKETIME.exists() else NO_FAKETIME


READINGS: Sequence[Fate] = (Fate.CRISIS, Fate.CALM, Fate.FAST_HEART)

FAULTS = [
    Fault(
        "one-input-away",
        f"the only copy of one partition's weather away for {AWAY_S:.0f} s; the worker is killed meanwhile",
        one_input_away,
        80,
        least_s=78,
        settings={"kafka": {"replication_factor": 1}},
        place=Place(ON_TWO, {(WEATHER, p): (n,) for p, n in enumerate((1, 2, 3, 2))}),
        plot={"only": READINGS},
        judge_more=told_while_away,
        healthy_within_s=STILL_S,
        may_end=True,
    ),
    Fault(
        "follower-frozen",
        f"the profiles' follower frozen, so that their acknowledgement takes {LAG_MS / 1000:.0f} s and more",
        follower_frozen,
        50,
        least_s=45,
        settings={"kafka": {"replication_factor": 2}},
        place=Place(ON_TWO, {(WEARER, None): (1, 3)}),
        judge_more=right_team,
        may_end=True,
    ),
    Fault(
        "clock-ahead",
        "a leader whose clock is ten minutes ahead, and then right again",
        clock_ahead,
        100,
        least_s=95,
        settings={"kafka": {"replication_factor": 3}},
        place=Place(
            ((1, 2, 3), (3, 1, 2), (1, 2, 3), (2, 1, 3)),
            {(BLOOD_PRESSURE, 2): (3, 1, 2)},
        ),
        plot={"only": READINGS},
        judge_more=told_in_time,
        needs=faketime_missing,
        healthy_within_s=STILL_S,
        may_end=True,
    ),
]
