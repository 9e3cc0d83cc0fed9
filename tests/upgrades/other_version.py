"""A worker, or verify, of another version: the product's code with what a release may change, patched in this process.

    python -m tests.upgrades.other_version --version next --word worker
    python -m tests.upgrades.other_version --version next --input worker

`--word` changes a word in the advice of every rule, `--input` adds reports.wearer.v1 to the inputs, `--rule` switches
a rule off that the version before had. Settings come from the environment, as for `python -m monitor`.
"""

import argparse
import sys
from typing import Any

REPORTS = "reports.wearer.v1"


def change_version(name: str) -> None:
    """Let this process be of a version with this name."""
    from monitor import version
    from monitor.stream import worker
    from monitor.verifying import checking

    for module in (version, worker, checking):
        setattr(module, "engine_version", lambda: name)  # noqa: B010 - others import it by name


def change_a_word() -> None:
    """Word the advice of every rule otherwise."""
    from msgspec.structs import replace

    from monitor.alerting import wording

    for rule, advice in wording.ADVICE.items():
        wording.ADVICE[rule] = replace(advice, text=f"{advice.text} Thank you.")


def drop_a_rule() -> None:
    """Never raise a severe reading: what the version before told must stay."""
    from monitor.alerting.blood_pressure import bp_severe
    from monitor.deciding import records

    setattr(records, "bp_severe", _never(bp_severe))  # noqa: B010


def _never(judge: Any) -> Any:
    from dataclasses import replace

    return lambda *args: replace(judge(*args), raised=False)


def add_an_input() -> None:
    """Read the wearers' reports, too; each is counted, and decides nothing yet."""
    import numpy as np

    from monitor import engine
    from monitor.stream import worker
    from monitor.wearers.intake import INTAKE
    from stream_schemas.codec import decode
    from stream_schemas.columns import WearerColumns
    from stream_schemas.reasons import Rejected
    from stream_schemas.topics import INPUTS

    decode_batch: Any = getattr(engine, "decode_batch")  # noqa: B009

    def decode_more(topic: str, keys: Any, values: Any) -> Any:
        if topic != REPORTS:
            return decode_batch(topic, keys, values)
        read = [decode(topic, key, value) for key, value in zip(keys, values, strict=True)]
        refused = [Rejected(i, one.reason, one.detail) for i, one in enumerate(read) if isinstance(one, Rejected)]
        return WearerColumns(np.zeros(0, np.int64), [], []), refused

    setattr(engine, "decode_batch", decode_more)  # noqa: B010
    INTAKE[REPORTS] = lambda admission, batch, columns, intake: None
    setattr(worker, "INPUTS", (*INPUTS, REPORTS))  # noqa: B010


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", required=True)
    parser.add_argument("--word", action="store_true")
    parser.add_argument("--input", action="store_true")
    parser.add_argument("--rule", action="store_true")
    parser.add_argument("role", choices=("worker",))
    asked = parser.parse_args()
    from monitor.errors import PulsewardenError
    from monitor.settings import load
    from monitor.stream import worker

    change_version(asked.version)
    if asked.word:
        change_a_word()
    if asked.input:
        add_an_input()
    if asked.rule:
        drop_a_rule()
    try:
        return worker.run(load())
    except PulsewardenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
