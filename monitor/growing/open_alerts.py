"""The newest version of each open alert, byte for byte, for those who read the new log from its start."""

from monitor.outputs import Output
from monitor.settings import Settings
from monitor.sinks.alert_topics import AlertTopics
from monitor.sinks.expected import Expected
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import alerts_topic


def open_alerts(old: Settings, partitions: int) -> list[Output]:
    """Return what is open in the alert topics of a log, in the partitions that the wearers have among so many.

    Raises
    ------
    BrokerUnreachable
        If Kafka does not answer.
    """
    expected = {team: Expected() for team in old.teams}
    with AlertTopics(old) as topics:
        for (team, partition), rows in topics.upto(topics.ends()):
            expected[team].take(partition, rows)
    return [
        Output(
            alerts_topic(team),
            murmur2_partition(one.alert.wearer_id.encode(), partitions),
            alert_id.encode(),
            one.document,
        )
        for team, of_team in expected.items()
        for alert_id, one in sorted(of_team.alerts.items())
        if one.open
    ]
