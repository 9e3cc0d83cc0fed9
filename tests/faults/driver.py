"""The two that write while a run goes on: gateways that publish a story, and a care team that acknowledges."""

import json
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from monitor.settings import Settings
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import alerts_topic
from tests.faults.story import BLOOD_PRESSURE, Message, rfc3339

COMMANDS = "alert-commands.v1"
LOOK_S = 0.02
SEVERE_MMHG = 180


def producer(settings: Settings, **options: Any) -> KafkaProducer:
    """Return a producer that outlasts a broker's restart; a retry may write a record twice, as gateways do."""
    return KafkaProducer(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        **{
            "enable_idempotence": False,
            "acks": "all",
            "linger_ms": 2,
            "reconnect_backoff_max_ms": 500,
            "max_block_ms": 120_000,
            "request_timeout_ms": 5_000,
            **options,
        },
    )


class Driver(threading.Thread):
    """Publishes messages at their time; ends when all are acknowledged.

    Attributes
    ----------
    transactional : messages go in transactions of about a second, some of which are aborted and sent again.
    sent : records handed to Kafka so far.
    """

    def __init__(self, settings: Settings, messages: Sequence[Message], *, transactional: bool = False) -> None:
        super().__init__(daemon=True, name="gateways")
        self._settings, self._messages, self._transactional = settings, messages, transactional
        self._asked = threading.Event()
        self._began_s = time.monotonic()
        self.sent = 0
        self.failures: list[str] = []
        self.more: deque[Message] = deque()  # to publish at once, whatever their time
        self.taken_s: dict[str, float] = {}  # wearer -> wall clock at which the first severe reading was acknowledged

    def run(self) -> None:
        options = {"transactional_id": self._settings.kafka.topic_prefix + "gateway", "enable_idempotence": True}
        out = producer(self._settings, **(options if self._transactional else {}))
        try:
            if self._transactional:
                out.init_transactions()
            self._publish(out)
            out.flush(120)
        except KafkaError as failure:
            self.failures.append(repr(failure))
        finally:
            out.close(10)

    def _publish(self, out: KafkaProducer) -> None:
        self._began_s = time.monotonic()
        done = 0
        while (done < len(self._messages) or self.more) and not self._asked.is_set():
            while self.more:
                self._send(out, [self.more.popleft()])
            now_s = time.monotonic() - self._began_s
            end = done
            while end < len(self._messages) and self._messages[end].at_s <= now_s:
                end += 1
            if self._transactional and end > done:
                self._in_transactions(out, self._messages[done:end])
            else:
                self._send(out, self._messages[done:end])
            done = end
            self._asked.wait(LOOK_S if not self._transactional else 0.7)

    def _in_transactions(self, out: KafkaProducer, messages: Sequence[Message]) -> None:
        """Abort every third transaction after half of it, then send all of it in the next."""
        if zlib.crc32(messages[0].value) % 3 == 0:
            out.begin_transaction()
            self._send(out, messages[: len(messages) // 2])
            out.flush(30)
            out.abort_transaction()
        out.begin_transaction()
        self._send(out, messages)
        out.commit_transaction()

    def _send(self, out: KafkaProducer, messages: Sequence[Message]) -> None:
        settings = self._settings
        for message in messages:
            key = message.wearer.encode()
            partition = murmur2_partition(key, settings.stream.partitions)
            future = out.send(settings.kafka.topic_prefix + message.topic, message.value, key=key, partition=partition)
            future.add_errback(self._failed)
            if message.topic == BLOOD_PRESSURE:
                future.add_callback(self._took, message)
            self.sent += 1

    def _took(self, message: Message, _: object) -> None:
        if json.loads(message.value)["systolic_mmhg"] >= SEVERE_MMHG:
            self.taken_s.setdefault(message.wearer, time.time())

    def _failed(self, failure: Exception) -> None:
        self.failures.append(repr(failure))

    def stop(self) -> None:
        """Publish nothing more."""
        self._asked.set()


class CareTeam(threading.Thread):
    """Reads the alert topics and acknowledges about half of what is new; sometimes asks for what is refused."""

    def __init__(self, settings: Settings, seed: int) -> None:
        super().__init__(daemon=True, name="care team")
        self._settings, self._seed = settings, seed
        self._asked = threading.Event()
        self.commands = 0
        self.heard_s: dict[tuple[str, str], float] = {}  # (wearer, rule) -> wall clock of the first alert

    def run(self) -> None:
        settings = self._settings
        consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            reconnect_backoff_max_ms=500,
        )
        out = producer(settings)
        topics = [settings.kafka.topic_prefix + alerts_topic(team) for team in settings.teams]
        consumer.assign([TopicPartition(topic, p) for topic in topics for p in range(settings.stream.partitions)])
        consumer.seek_to_beginning()
        seen: set[tuple[str, int]] = set()
        try:
            while not self._asked.is_set():
                for records in consumer.poll(timeout_ms=200).values():
                    for record in records:
                        alert = json.loads(record.value)
                        if (key := (alert["alert_id"], alert["version"])) not in seen:
                            seen.add(key)
                            self.heard_s.setdefault((alert["wearer_id"], alert["rule"]), time.time())
                            self._answer(out, alert)
            out.flush(20)
        finally:
            consumer.close()
            out.close(5)

    def _answer(self, out: KafkaProducer, alert: dict[str, Any]) -> None:
        dice = zlib.crc32(f"{self._seed} {alert['alert_id']} {alert['version']}".encode()) % 100
        if alert["workflow"] != "unacked" or dice >= 52:
            return
        action = "snooze" if dice >= 50 else "acknowledge"
        command = {
            "schema": "alert-command/1",
            "command_id": f"{alert['alert_id']}-{alert['version']}",
            "wearer_id": alert["wearer_id"],
            "alert_id": alert["alert_id"],
            "seen_version": alert["version"],
            "action": action,
            "actor": "nurse",
            "at": rfc3339(time.time_ns() // 1_000_000),
        }
        key = alert["wearer_id"].encode()
        partition = murmur2_partition(key, self._settings.stream.partitions)
        topic = self._settings.kafka.topic_prefix + COMMANDS
        out.send(topic, json.dumps(command).encode(), key=key, partition=partition)
        self.commands += 1

    def stop(self) -> None:
        """Go home, with everything sent."""
        self._asked.set()
        self.join(30)
