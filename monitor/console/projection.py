"""How far Redis is behind the alert topics."""

import redis

from monitor.console.log_ends import LogEnds
from monitor.console.open_alerts import applied_offsets
from monitor.settings import Settings
from stream_schemas.topics import alerts_topic


def unapplied(client: "redis.Redis", log_ends: LogEnds, settings: Settings) -> int:
    """Return how many alert versions Kafka holds that the projector has not put into Redis yet.

    Raises
    ------
    BrokerUnreachable, RedisUnreachable
        If Kafka or Redis does not answer.
    """
    teams = {alerts_topic(team): team for team in settings.teams}
    applied = applied_offsets(client, settings)
    ends = log_ends.ends(teams)
    return sum(max(0, end - applied.get((teams[topic], partition), 0)) for (topic, partition), end in ends.items())
