"""Messages as lines of JSON: {"topic", "key", "timestamp_ms", "value"}; the same run gives the same bytes."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from simulators.delivery import Message
from simulators.errors import OptionRefused


def write(path: Path, minutes: Iterable[list[Message]]) -> dict[str, int]:
    """Write all messages in the order of their arrival; return how many of each topic.

    Raises
    ------
    OptionRefused
        If the file cannot be written.
    """
    counts: Counter[str] = Counter()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for messages in minutes:
                for message in messages:
                    key = json.dumps(message.key.decode())
                    file.write(
                        f'{{"topic":"{message.topic}","key":{key},"timestamp_ms":{message.arrival_ms},'
                        f'"value":{message.value.decode()}}}\n'
                    )
                    counts[message.topic] += 1
    except OSError as error:
        raise OptionRefused(f"{path} cannot be written: {error.strerror or error}.") from error
    return dict(counts)
