"""How the topics that there are differ from those that are wanted, in sentences that say what to do."""

from collections.abc import Sequence

from monitor.settings import Settings
from monitor.topic_config import SAFE_COPIES, Listed, Wanted, differing


def differences(found: Sequence[Listed], rows: Sequence[Wanted], settings: Settings) -> list[str]:
    """Return one sentence for each way in which topics differ from the table; a worker refuses to start with any."""
    sentences = []
    count = settings.stream.partitions
    missing = [row.name for row in found if row.partitions is None]
    counts = sorted({row.partitions for row in found if row.partitions is not None})
    if missing:
        names = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        sentences.append(f"Missing topics: {names}: run `python -m monitor topics create`.")
    if len(counts) > 1:
        odd = ", ".join(f"{row.name} {row.partitions}" for row in found if row.partitions not in {None, count})
        sentences.append(
            f"The topics have different partition counts ({odd}, others {count}), but a wearer's records must meet in "
            "one partition: delete the odd ones if they are empty and create them, or start a new log with another "
            "PULSEWARDEN_KAFKA__TOPIC_PREFIX; more partitions are what `python -m monitor topics grow` is for."
        )
    elif counts and counts != [count]:
        sentences.append(
            f"The topics have {counts[0]} partitions, but the settings say {count}: the count of a log is frozen; set "
            f"PULSEWARDEN_STREAM__PARTITIONS={counts[0]}, or start a new log with another "
            "PULSEWARDEN_KAFKA__TOPIC_PREFIX; `python -m monitor topics grow` carries a log over to more partitions."
        )
    sentences += _too_few_copies(found, settings.kafka.replication_factor)
    by_name = {one.name: one for one in found}
    for row in rows:
        have = by_name[row.name]
        for key, value in differing(row, have).items():
            sentences.append(
                f"Topic {have.name} has {key}={have.config.get(key)}, but the table says {value}: set it with "
                "`python -m monitor topics create --alter`, or choose another PULSEWARDEN_KAFKA__TOPIC_PREFIX."
            )
    return sentences


def remarks(found: Sequence[Listed], settings: Settings) -> list[str]:
    """Return one sentence for each thing that is no error, but worth knowing."""
    copies = [row.copies for row in found if row.partitions is not None]
    fewest = min(copies, default=settings.kafka.replication_factor)
    sentences = []
    if fewest == 1:
        sentences.append(
            "acks=all on one copy: a lost disk loses the log: with three brokers or more, set "
            f"PULSEWARDEN_KAFKA__REPLICATION_FACTOR={SAFE_COPIES} before the topics are created."
        )
    elif fewest == 2:
        sentences.append(
            "acks=all on two copies: while one broker is away, what is written lies on one disk: with three brokers or "
            f"more, set PULSEWARDEN_KAFKA__REPLICATION_FACTOR={SAFE_COPIES} before the topics are created."
        )
    if fewest > settings.kafka.replication_factor:
        sentences.append(
            f"The topics have {fewest} copies, the settings say {settings.kafka.replication_factor}: set "
            f"PULSEWARDEN_KAFKA__REPLICATION_FACTOR={fewest}, so that new topics get as many and are checked for them."
        )
    return sentences


def _too_few_copies(found: Sequence[Listed], factor: int) -> list[str]:
    """More copies than the settings ask for are no fault; fewer are: nobody would see it before a disk is lost."""
    fewer = [row for row in found if row.partitions is not None and row.copies < factor]
    fewer.sort(key=lambda row: row.copies)
    if not fewer:
        return []
    names = fewer[0].name + (f" (and {len(fewer) - 1} more)" if len(fewer) > 1 else "")
    fewest = fewer[0].copies
    return [
        (
            f"Copies are missing: the settings say {factor} of each partition, but {names} has {fewest}: add some with "
            f"Kafka's own kafka-reassign-partitions.sh, or set PULSEWARDEN_KAFKA__REPLICATION_FACTOR={fewest}."
        )
    ]
