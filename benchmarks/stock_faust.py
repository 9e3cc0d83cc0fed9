"""The peer: a stock Faust agent that does nothing with the same messages. It measures its own CPU time and ends.

Topics, number of messages and bootstrap servers come on the command line; it prints one line of JSON.
"""

import json
import logging
import os
import sys
import time
from typing import Any

import faust

SKIPPED = 5_000  # start-up and the first fetches
EVERY = 500


def main(servers: str, topics: list[str], messages: int, datadir: str) -> None:
    """Consume `messages` after the first ones and print what they cost."""
    app = faust.App(
        f"stock-{os.getpid()}",
        broker=[f"kafka://{server}" for server in servers.split(",")],
        store="memory://",
        datadir=datadir,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    began: list[float] = []

    @app.agent(app.topic(*topics, key_type=bytes, value_type=bytes))
    async def nothing(stream: Any) -> None:
        seen = 0
        async for _ in stream:
            seen += 1
            if seen == SKIPPED:
                began[:] = [time.process_time(), time.monotonic()]
            elif seen == SKIPPED + messages:
                cpu_s, wall_s = time.process_time() - began[0], time.monotonic() - began[1]
                print(json.dumps({"messages": messages, "cpu_s": cpu_s, "wall_s": wall_s}), flush=True)
                os._exit(0)  # leaving the group in order takes seconds and measures nothing

    logging.getLogger().setLevel(logging.ERROR)
    app.finalize()
    faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","), int(sys.argv[3]), sys.argv[4])
