"""How long it took from a severe reading to its alert: by the brokers' stamps, or by a clock of ours."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.settings import Settings
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import BLOOD_PRESSURE, alerts_topic
from tests.faults.driver import SEVERE_MMHG
from tests.faults.records import read
from tests.faults.run import Run

SEVERE = "BP_SEVERE"


@dataclass(frozen=True, slots=True)
class Crisis:
    """The first severe reading of a wearer, and when somebody was told.

    Attributes
    ----------
    at_ms : when it was written. told_ms : when its alert was; None if never.
    """

    wearer: str
    partition: int
    at_ms: int
    told_ms: int | None

    @property
    def took_s(self) -> float:
        """Seconds from one to the other; infinite if nobody was told."""
        return float("inf") if self.told_ms is None else (self.told_ms - self.at_ms) / 1000


def by_the_brokers(settings: Settings) -> list[Crisis]:
    """Return the crises as the stamps in the log tell them."""
    told: dict[str, int] = {}
    for team in settings.teams:
        for row in read(settings, alerts_topic(team)):
            alert = json.loads(row.value)
            if alert["rule"] == SEVERE:
                told.setdefault(alert["wearer_id"], row.stamp_ms)
    at: dict[str, tuple[int, int]] = {}
    for row in read(settings, BLOOD_PRESSURE):
        reading = json.loads(row.value)
        if reading["systolic_mmhg"] >= SEVERE_MMHG:
            at.setdefault(reading["wearer_id"], (row.partition, row.stamp_ms))
    return [Crisis(wearer, p, stamp, told.get(wearer)) for wearer, (p, stamp) in at.items()]


def by_our_clock(run: Run) -> list[Crisis]:
    """Return the crises as gateways and care team saw them: no broker's clock takes part."""
    heard = {wearer: seconds for (wearer, rule), seconds in run.team.heard_s.items() if rule == SEVERE}
    return [
        Crisis(
            wearer,
            murmur2_partition(wearer.encode(), run.settings.stream.partitions),
            round(1000 * taken),
            round(1000 * heard[wearer]) if wearer in heard else None,
        )
        for wearer, taken in run.driver.taken_s.items()
    ]


def slowest_s(crises: Iterable[Crisis]) -> float | None:
    """Return the longest of them; None without any."""
    took = [crisis.took_s for crisis in crises]
    return round(max(took), 1) if took else None


def usual_s(crises: Iterable[Crisis]) -> float:
    """Return what nineteen of twenty stay below."""
    took = sorted(crisis.took_s for crisis in crises)
    return took[int(0.95 * (len(took) - 1))] if took else 0.0
