"""The one table of topics: what is in them, how they are keyed and kept, who writes and who reads.

`monitor` puts its topic prefix before every name and replaces LogAppendTime by CreateTime on a log clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from stream_schemas.activity import ActivityEvent
from stream_schemas.alert import AlertEvent
from stream_schemas.blood_pressure import BloodPressureEvent
from stream_schemas.command import AlertCommandEvent
from stream_schemas.control import ControlEvent
from stream_schemas.cut import AmendmentEvent, ClaimEvent, CutEvent
from stream_schemas.dead_letter import DeadLetterEvent
from stream_schemas.event import Event
from stream_schemas.heart_rate import HeartRateEvent
from stream_schemas.label import LabelEvent
from stream_schemas.report import ReportEvent
from stream_schemas.score import RiskScoresEvent
from stream_schemas.sleep import SleepEvent
from stream_schemas.wearer import WearerEvent
from stream_schemas.weather import WeatherEvent

KIB = 1024
MIB = 1024 * KIB
DAY_MS = 86_400_000
FOREVER = -1
LARGEST_VALUE_BYTES = 256 * KIB


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes
    ----------
    events : what its values are; one model, but for cuts.v1.
    key : what the record key is.
    cleanup_policy, retention_ms, timestamp_type, max_message_bytes : broker settings; retention -1 = for ever.
    compaction_lag_ms : for compacted topics: how long every record, and every tombstone, can still be read.
    largest_value_bytes : a larger value is a dead letter (`too_large`); the broker lets more in, so that it arrives.
    nullable : whether a null value means something (erase).
    """

    name: str
    events: tuple[type[Event], ...]
    key: str
    writers: str
    readers: str
    notes: str
    retention_ms: int = 7 * DAY_MS
    cleanup_policy: Literal["delete", "compact"] = "delete"
    timestamp_type: Literal["LogAppendTime", "CreateTime"] = "LogAppendTime"
    max_message_bytes: int = 4 * MIB
    largest_value_bytes: int = LARGEST_VALUE_BYTES
    compaction_lag_ms: int = 0
    nullable: bool = False

    @property
    def schema(self) -> str:
        """Name and major version of the event, as it stands in the field `schema`."""
        field = self.events[0].model_fields.get("schema_")
        return str(field.default) if field is not None else "cut"

    def config(self) -> dict[str, str]:
        """Return the broker's settings of this topic, as the admin protocol wants them."""
        settings = {
            "cleanup.policy": self.cleanup_policy,
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(FOREVER),  # how long is promised; how much is not known beforehand
            "unclean.leader.election.enable": "false",  # a copy that lacks records must not become the log
            "message.timestamp.type": self.timestamp_type,
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.cleanup_policy == "compact":
            settings["min.compaction.lag.ms"] = str(self.compaction_lag_ms)
            settings["delete.retention.ms"] = str(self.compaction_lag_ms)
        return settings


HEART_RATE = "vitals.heart-rate.v1"
BLOOD_PRESSURE = "vitals.blood-pressure.v1"
SLEEP = "vitals.sleep.v1"
ACTIVITY = "vitals.activity.v1"
WEATHER = "context.weather.v1"
WEARER = "context.wearer.v1"
REPORTS = "reports.wearer.v1"
LABELS = "labels.v1"
ALERT_COMMANDS = "alert-commands.v1"
RISK_SCORES = "risk.scores.v1"
ALERTS = "alerts.<team>.v1"
DEAD_LETTER = "dead-letter.v1"
CONTROL = "control.v1"
CUTS = "cuts.v1"

INPUTS = (HEART_RATE, BLOOD_PRESSURE, SLEEP, ACTIVITY, WEATHER, WEARER, ALERT_COMMANDS, RISK_SCORES, CONTROL)
"""What the core reads, in the order of a cut's columns `n` and `s`."""

_GATEWAY, _CORE, _WEARER_ID = "gateways", "worker", "wearer_id"

TOPICS: tuple[Topic, ...] = (
    Topic(HEART_RATE, (HeartRateEvent,), _WEARER_ID, _GATEWAY, _CORE, "Usually 60 samples a message."),
    Topic(BLOOD_PRESSURE, (BloodPressureEvent,), _WEARER_ID, _GATEWAY, _CORE, "Cuffless alone never raises an alert."),
    Topic(SLEEP, (SleepEvent,), _WEARER_ID, _GATEWAY, _CORE, "A correction has a higher revision."),
    Topic(ACTIVITY, (ActivityEvent,), _WEARER_ID, _GATEWAY, _CORE, "Zero steps while not worn is not rest."),
    Topic(WEATHER, (WeatherEvent,), _WEARER_ID, "phones", _CORE, "At the wearer's place, which stays on the phone."),
    Topic(
        WEARER,
        (WearerEvent,),
        _WEARER_ID,
        "enrolment",
        _CORE,
        "The newest profile counts; a null value erases the wearer.",
        retention_ms=FOREVER,
        cleanup_policy="compact",
        compaction_lag_ms=7 * DAY_MS,
        nullable=True,
    ),
    Topic(
        REPORTS,
        (ReportEvent,),
        _WEARER_ID,
        "wearers' app",
        "trainer",
        "The wearer's own answers.",
        retention_ms=365 * DAY_MS,
    ),
    Topic(
        LABELS,
        (LabelEvent,),
        _WEARER_ID,
        "clinicians, simulators",
        "trainer",
        "Training labels.",
        retention_ms=365 * DAY_MS,
    ),
    Topic(
        ALERT_COMMANDS,
        (AlertCommandEvent,),
        _WEARER_ID,
        "care teams",
        _CORE,
        "Acknowledge, close and so on.",
    ),
    Topic(
        RISK_SCORES,
        (RiskScoresEvent,),
        "none",
        _CORE,
        _CORE,
        "One record a partition and T; the first counts.",
        largest_value_bytes=4 * MIB - 64 * KIB,
    ),
    Topic(
        ALERTS,
        (AlertEvent,),
        "alert_id",
        _CORE,
        "care teams, projector",
        "One topic a team; in the wearer's partition; readers keep the highest version.",
        retention_ms=30 * DAY_MS,
        max_message_bytes=MIB,
    ),
    Topic(
        DEAD_LETTER,
        (DeadLetterEvent,),
        "as it came",
        _CORE,
        "gateway developers",
        "Nothing is dropped silently.",
        retention_ms=14 * DAY_MS,
        max_message_bytes=8 * MIB,
    ),
    Topic(
        CONTROL,
        (ControlEvent,),
        "none",
        "trainer, operators",
        _CORE,
        "Written to every partition.",
        retention_ms=FOREVER,
        largest_value_bytes=2 * MIB,
    ),
    Topic(
        CUTS,
        (CutEvent, ClaimEvent, AmendmentEvent),
        "none",
        _CORE,
        f"{_CORE}, verify",
        "What was read when; outlives the inputs.",
        retention_ms=14 * DAY_MS,
        max_message_bytes=MIB,
    ),
)

BY_NAME = {topic.name: topic for topic in TOPICS}


def alerts_topic(team: str) -> str:
    """Return the name of a team's alert topic."""
    return ALERTS.replace("<team>", team)


def topics_of(teams: Iterable[str]) -> tuple[Topic, ...]:
    """Return the table with one alert topic for each team."""
    return tuple(
        found
        for topic in TOPICS
        for found in ([replace(topic, name=alerts_topic(team)) for team in teams] if topic.name == ALERTS else [topic])
    )
