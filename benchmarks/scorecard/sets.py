"""Simulated people of parameter sets A and B through the real engine, with the quality gate on and off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.in_process import Message, run
from benchmarks.scorecard import thin
from monitor.alerting.limits import Limits
from simulators import options
from simulators.delivery import deliver
from simulators.kinds import ACUTE, CONFOUNDERS, TECHNICAL, Kind
from simulators.scenario import Rate, Scenario, load
from simulators.scorecard import truth
from simulators.scorecard.alerts import alarms, version
from simulators.scorecard.measures import Scorecard, scorecard
from simulators.scorecard.record import Alarm, Event, Ints, Record
from simulators.truth import Truth
from simulators.world import world
from stream_schemas.topics import INPUTS

SCENARIO = "conditions"
START_MIN = options.start_min("2026-06-01T00:00:00Z")  # summer, so that there are heat waves
BURN_IN_MIN = 16 * 1440.0  # nothing that builds up begins before the detectors of days have two weeks of nights
SETTLE_MIN = 3 * 1440.0
LONG_WEARERS, LONG_DAYS, LONG_SEED = 96, 40, 501
SHORT_WEARERS, SHORT_DAYS, SHORT_SEED = 40, 3, 502
CUT_MS = {"long": 30 * 60_000, "short": 5 * 60_000}

SLOW_A_DAY = {
    Kind.INFECTION: 0.02,
    Kind.POOR_RECOVERY: 0.02,
    Kind.DEHYDRATION: 0.01,
    Kind.OVERTRAINING: 0.01,
    Kind.SLEEP_APNOEA: 0.008,
    Kind.BETA_BLOCKER_START: 0.012,
    Kind.DETERIORATION: 0.012,
}
ACUTE_A_DAY = {
    Kind.TACHYCARDIA_AT_REST: 0.25,
    Kind.BRADYCARDIA: 0.2,
    Kind.HYPERTENSIVE_CRISIS: 0.25,
    Kind.HYPOTENSION: 0.2,
    Kind.HEAT_STRAIN: 0.2,
    Kind.ATRIAL_FIBRILLATION: 0.25,
}


@dataclass(frozen=True, slots=True)
class Played:
    """One world with the gate on and off."""

    gate_on: Scorecard
    gate_off: Scorecard


def scenario(name: str, *, slow: bool) -> Scenario:
    """Return the scenario of a set: slow kinds for weeks, or acute ones for days; confounders and gaps in both."""
    asked = load(SCENARIO)
    kept = {kind.outcome: asked.episodes[kind.outcome] for kind in (*CONFOUNDERS, *TECHNICAL) if asked.rate(kind)}
    if slow:
        rates = {k: Rate(per_day=v, first_min=BURN_IN_MIN, settle_min=SETTLE_MIN) for k, v in SLOW_A_DAY.items()}
    else:
        rates = {k: Rate(per_day=v, first_min=120.0, settle_min=360.0) for k, v in ACUTE_A_DAY.items()}
    assert slow or set(rates) == set(ACUTE)
    episodes = kept | {kind.outcome: rate for kind, rate in rates.items()}
    return asked.model_copy(update={"parameters": name, "episodes": episodes})


def long_run(name: str) -> Played:
    """Play weeks of a set, as few messages: what builds up over days."""
    drawn = world(scenario(name, slow=True), LONG_SEED, LONG_WEARERS, START_MIN, LONG_DAYS * 1440)
    raised: dict[str, list[Alarm]] = {"on": [], "off": []}
    rows: list[Truth] = []
    worn: dict[str, Ints] = {}
    for block in drawn.blocks():
        messages = thin.block_messages(drawn, block)
        for gate, limits in _gates().items():
            raised[gate] += _alarms(messages, limits, CUT_MS["long"])
        of_block, worn_by = thin.block_truth(drawn, block)
        rows += of_block
        worn |= worn_by
    return _played(f"set {name.upper()}, weeks", rows, worn, raised)


def short_run(name: str) -> Played:
    """Play days of a set with every message as devices send it: what takes hold within minutes to hours."""
    drawn = world(scenario(name, slow=False), SHORT_SEED, SHORT_WEARERS, START_MIN, SHORT_DAYS * 1440)
    delivery = deliver(drawn, thin.TEAMS)
    messages = [
        (one.topic, one.key, one.value, one.arrival_ms)
        for minute in delivery.minutes()
        for one in minute
        if one.topic in INPUTS
    ]
    raised = {gate: _alarms(messages, limits, CUT_MS["short"]) for gate, limits in _gates().items()}
    worn: dict[str, Ints] = {}
    for block in drawn.blocks():
        worn |= thin.block_truth(drawn, block)[1]
    return _played(f"set {name.upper()}, days", delivery.truths, worn, raised)


def _gates() -> dict[str, Limits]:
    return {"on": Limits(), "off": Limits(hr_min_quality=0.0)}


def _alarms(messages: Iterable[Message], limits: Limits, every_ms: int) -> list[Alarm]:
    return alarms(map(version, run(messages, limits, every_ms=every_ms, tables=(), teams=thin.TEAMS).alerts))


def _played(name: str, rows: Iterable[Truth], worn: Mapping[str, Ints], raised: Mapping[str, list[Alarm]]) -> Played:
    told = truth.from_truths(rows)
    events: list[Event] = told.events
    cards = [scorecard(Record(f"{name}, gate {gate}", events, raised[gate], worn)) for gate in ("on", "off")]
    return Played(*cards)
