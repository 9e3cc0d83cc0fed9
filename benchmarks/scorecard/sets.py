"""Simulated people of parameter sets A and B through the real engine, with the quality gate on and off."""

from collections.abc import Iterable
from typing import Any

from benchmarks.in_process import Message, run
from benchmarks.scorecard import thin
from monitor.alerting.limits import Limits
from simulators import options
from simulators.delivery import deliver
from simulators.kinds import CONFOUNDERS, TECHNICAL, Kind
from simulators.scenario import Devices, Faults, Rate, Scenario, load
from simulators.scorecard import truth
from simulators.scorecard.alerts import alarms, version
from simulators.scorecard.measures import Scorecard, scorecard
from simulators.scorecard.record import Alarm, Ints, Record
from simulators.truth import Truth
from simulators.world import world
from stream_schemas.topics import INPUTS

SCENARIO = "conditions"
START_MIN = options.start_min("2026-06-01T00:00:00Z")  # summer, so that there are heat waves
BURN_IN_MIN = 16 * 1440.0  # nothing that builds up begins before the detectors of days have two weeks of nights
SETTLE_MIN = 3 * 1440.0
LONG_WEARERS, LONG_DAYS, LONG_SEED = 128, 32, 501
SHORT_WEARERS, SHORT_DAYS, SHORT_SEED = 40, 3, 502
LONG_CUT_MS, SHORT_CUT_MS = 30 * 60_000, 5 * 60_000

SLOW_A_DAY = {
    Kind.INFECTION: 0.03,
    Kind.POOR_RECOVERY: 0.02,
    Kind.DEHYDRATION: 0.012,
    Kind.OVERTRAINING: 0.015,
    Kind.SLEEP_APNOEA: 0.012,
    Kind.BETA_BLOCKER_START: 0.012,
    Kind.DETERIORATION: 0.015,
}
ACUTE_A_DAY = {
    Kind.TACHYCARDIA_AT_REST: 0.25,
    Kind.BRADYCARDIA: 0.2,
    Kind.HYPERTENSIVE_CRISIS: 0.25,
    Kind.HYPOTENSION: 0.2,
    Kind.HEAT_STRAIN: 0.25,
    Kind.ATRIAL_FIBRILLATION: 0.5,
}
OUTAGES = Rate(per_day=0.5, first_min=300, duration_min=(15, 60))
WORN = Devices(second=0.3, second_rr=0.6, minute=0.05, five_minute=0.05)  # AF_BURDEN needs RR intervals
BROKEN = Faults(devices=10.0)  # values that stand still, ten times as often as devices have them: work for the gate


def scenario(name: str, *, slow: bool) -> Scenario:
    """Return the scenario of a set: slow kinds for weeks, or acute ones and faults for days; confounders in both."""
    asked = load(SCENARIO)
    kept = {kind.outcome: rate for kind in (*CONFOUNDERS, Kind.WATCH_OFF) if (rate := asked.rate(kind)) is not None}
    rates = SLOW_A_DAY if slow else ACUTE_A_DAY
    when = {"first_min": BURN_IN_MIN, "settle_min": SETTLE_MIN} if slow else {"first_min": 120.0, "settle_min": 360.0}
    drawn = {kind.outcome: Rate(per_day=rate, **when) for kind, rate in rates.items()}
    changed: dict[str, Any] = {"parameters": name, "episodes": kept | drawn}
    if not slow:
        changed["episodes"][Kind.GATEWAY_SILENT.outcome] = OUTAGES
        changed |= {"devices": WORN, "faults": BROKEN}
    return asked.model_copy(update=changed)


def long_run(name: str) -> Scorecard:
    """Play weeks of a set, as few messages: what builds up over days."""
    drawn = world(scenario(name, slow=True), LONG_SEED, LONG_WEARERS, START_MIN, LONG_DAYS * 1440)
    messages: list[Message] = []
    rows: list[Truth] = []
    worn: dict[str, Ints] = {}
    for block in drawn.blocks():
        messages += thin.block_messages(drawn, block)
        of_block, worn_by = thin.block_truth(drawn, block)
        rows += of_block
        worn |= worn_by
    messages.sort(key=lambda message: message[3])
    raised = _alarms(messages, Limits(), LONG_CUT_MS)
    about_data = {kind.outcome for kind in TECHNICAL}  # a device that is heard every half hour cannot be missed sooner
    told = truth.from_truths(row for row in rows if row.kind not in about_data)
    return scorecard(Record(f"Set {name.upper()}, weeks", told.events, raised, worn))


def short_run(name: str) -> dict[str, Scorecard]:
    """Play days of a set with every message as devices send it, with the quality gate on and off."""
    drawn = world(scenario(name, slow=False), SHORT_SEED, SHORT_WEARERS, START_MIN, SHORT_DAYS * 1440)
    delivery = deliver(drawn, thin.TEAMS)
    messages = [
        (one.topic, one.key, one.value, one.arrival_ms)
        for minute in delivery.minutes()
        for one in minute
        if one.topic in INPUTS
    ]
    worn: dict[str, Ints] = {}
    for block in drawn.blocks():
        worn |= thin.block_truth(drawn, block)[1]
    events = truth.from_truths(delivery.truths).events
    return {
        gate: scorecard(Record(f"Set {name.upper()}, days", events, _alarms(messages, limits, SHORT_CUT_MS), worn))
        for gate, limits in (("gate on", Limits()), ("gate off", Limits(hr_min_quality=0.0)))
    }


def _alarms(messages: Iterable[Message], limits: Limits, every_ms: int) -> list[Alarm]:
    return alarms(map(version, run(messages, limits, every_ms=every_ms, tables=(), teams=thin.TEAMS).alerts))
