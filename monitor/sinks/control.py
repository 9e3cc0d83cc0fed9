"""Switches into the log: one record of control.v1 in every partition, because each partition's log must be whole."""

from kafka import KafkaProducer
from kafka.errors import KafkaError

from monitor.errors import BrokerUnreachable
from monitor.settings import Settings
from stream_schemas.codec import encode
from stream_schemas.control import Control
from stream_schemas.topics import CONTROL

ACKNOWLEDGED_S = 30.0


def publish(settings: Settings, control: Control) -> int:
    """Publish a switch; return the number of partitions when every one has acknowledged it.

    Raises
    ------
    BrokerUnreachable
        If one of them has not: some may have been told.
    """
    value = encode(control)
    try:
        producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers.split(","), acks="all")
        try:
            topic = settings.kafka.topic_prefix + CONTROL
            sent = [producer.send(topic, value=value, partition=p) for p in range(settings.stream.partitions)]
            for future in sent:
                future.get(ACKNOWLEDGED_S)
        finally:
            producer.close()
    except (KafkaError, OSError) as error:
        raise BrokerUnreachable(
            f"Kafka did not take the switch for every partition ({type(error).__name__}): look at the brokers, then "
            "switch again; what was told twice changes nothing."
        ) from error
    return len(sent)
