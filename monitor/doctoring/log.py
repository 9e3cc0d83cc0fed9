"""What lies in Kafka: copies of the topics, refused records, profiles of unknown teams."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from kafka.errors import KafkaError

from monitor import topics
from monitor.clock import SystemClock
from monitor.console.wording import count, many
from monitor.doctoring.finding import Finding
from monitor.errors import PulsewardenError
from monitor.settings import Settings
from monitor.sinks.log_tail import Found, headers_at, read_tail, records_since
from stream_schemas.codec import decode_value, topic_of
from stream_schemas.dead_letter import DeadLetterEvent
from stream_schemas.topics import DEAD_LETTER, WEARER

HOUR_MS = 3_600_000
NEWEST_LETTERS = 2_000
"""Of each partition; refused records come by the thousand or hardly at all."""
NEWEST_PROFILES = 20_000
MUCH_SHARE, SOME_SHARE = 0.05, 0.005
GATEWAY = "gateway"
NEWEST_SENDERS = 200
"""Of so many refused records it is looked up who sent them: each is read again where it lies."""
_MOST = 3


def copies(settings: Settings) -> list[Finding]:
    """Look at how many copies of each partition there are, and whether all are in step."""
    try:
        with topics.connected(settings) as admin:
            described = admin.describe_topics([row.name for row in topics.wanted(settings)])
    except (PulsewardenError, KafkaError) as error:
        return [Finding("copies", "wrong", str(error))]
    parts = [(topic["name"], part) for topic in described for part in topic["partitions"]]
    dead = sorted({name for name, part in parts if part["leader_id"] < 0})
    short = sorted({name for name, part in parts if len(part["isr_nodes"]) < len(part["replica_nodes"])})
    least = min((len(part["replica_nodes"]) for _, part in parts), default=0)
    found = []
    if dead:
        found.append(Finding("copies", "wrong", f"no leader for partitions of {_some(dead)}", "Start the brokers."))
    if short:
        mend = "Start the brokers that are down, or see why their copies lag."
        found.append(Finding("copies", "wrong", f"copies are out of step in {_some(short)}", mend))
    if least == 1:
        mend = "For three: PULSEWARDEN_KAFKA__REPLICATION_FACTOR=3 before `topics create`, on three brokers."
        sentence = "one of each partition: acks=all waits for that one, and a lost disk loses the log"
        found.append(Finding("copies", "note", sentence, mend))
    return found or [Finding("copies", "ok", f"at least {least} of each partition, all in step")]


def dead_letters(settings: Settings) -> list[Finding]:
    """Look at the records refused in the last hour, by the gateway that sent them or else by topic, never by wearer."""
    since_ms = SystemClock().now_ms() - HOUR_MS
    try:
        found = read_tail(settings, DEAD_LETTER, NEWEST_LETTERS)
        records = [one for records in found.values() for one in records if one.stamp_ms >= since_ms]
        letters = [(one, letter) for one in records if (letter := _letter(one)) is not None]
        topics_refused = Counter(letter.origin_topic for _, letter in letters)
        sent = {topic: records_since(settings, topic, since_ms) for topic in topics_refused}
        gateways = _gateways(settings, [letter for _, letter in letters[-NEWEST_SENDERS:]])
    except PulsewardenError as error:
        return [Finding("dead letters", "wrong", str(error))]
    if not letters:
        return [Finding("dead letters", "ok", "none in the last hour")]
    reasons = _counted(Counter(letter.reason for _, letter in letters))
    worst = max(refused / max(sent[topic], refused) for topic, refused in topics_refused.items())
    shares = ", ".join(
        f"{topic} {refused / max(sent[topic], refused):.1%}" for topic, refused in topics_refused.most_common(_MOST)
    )
    newest = f" (the newest {NEWEST_SENDERS})" if len(letters) > NEWEST_SENDERS else ""
    sentence = f"{count(len(letters))} in the last hour: of {shares}; from {_counted(gateways)}{newest}; {reasons}"
    if worst < SOME_SHARE:
        return [Finding("dead letters", "ok", sentence)]
    mend = "Tell whoever runs that gateway; each letter in dead-letter.v1 says why."
    return [Finding("dead letters", "wrong" if worst > MUCH_SHARE else "note", sentence, mend)]


def _letter(record: Found) -> DeadLetterEvent | None:
    event = None if record.value is None else decode_value(topic_of(DEAD_LETTER), record.value)
    return event if isinstance(event, DeadLetterEvent) else None


def _gateways(settings: Settings, letters: Sequence[DeadLetterEvent]) -> Counter[str]:
    """Count who sent refused records: the header `gateway` of each record, as far as it is still there.

    A device's or an event's id would tell the wearer to whoever knows the ward, so that without a header the topic is
    all that is said.
    """
    senders: Counter[str] = Counter()
    for topic in {letter.origin_topic for letter in letters}:
        places = [(one.origin_partition, one.origin_offset) for one in letters if one.origin_topic == topic]
        headers = headers_at(settings, topic, places)
        for place in places:
            name = headers.get(place, {}).get(GATEWAY)
            senders[name.decode(errors="replace")[:40] if name else f"no named gateway ({topic})"] += 1
    return senders


def unknown_teams(settings: Settings) -> list[Finding]:
    """Count the wearers whose profile names a team that the settings do not know: the first team gets their alerts."""
    try:
        found = read_tail(settings, WEARER, NEWEST_PROFILES)
    except PulsewardenError as error:
        return [Finding("teams", "wrong", str(error))]
    team_of: dict[bytes | None, str | None] = {}
    for records in found.values():
        for record in records:
            team_of[record.key] = _team(record.value)
    unknown = Counter(team for team in team_of.values() if team is not None and team not in settings.teams)
    if not unknown:
        known = sum(team is not None for team in team_of.values())
        return [Finding("teams", "ok", f"all {count(known)} profiles are of {', '.join(settings.teams)}")]
    number = sum(unknown.values())
    return [
        Finding(
            "teams",
            "wrong",
            f"{many(number, 'wearer')} of teams that the settings do not know: {_counted(unknown)}",
            f"Add them to PULSEWARDEN_TEAMS, or correct the profiles: {settings.teams[0]} gets their alerts.",
        )
    ]


def _team(value: bytes | None) -> str | None:
    try:
        profile: Any = None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None
    team = profile.get("team") if isinstance(profile, dict) else None
    return team[:40] if isinstance(team, str) else None


def _counted(counts: Counter[str]) -> str:
    said = ", ".join(f"{name} {count(number)}" for name, number in counts.most_common(_MOST))
    return said + (f" and {len(counts) - _MOST} others" if len(counts) > _MOST else "")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
