"""docs/faults.md, written by the command that ran the faults."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.row import Row

HEADINGS = (
    "fault",
    "seed",
    "broken",
    "events",
    "alerts expected",
    "lost",
    "doubled",
    "different",
    "recovery s",
    "still s",
    "repeated",
    "stale",
    "void cuts",
)

INTRODUCTION = """\
Gateways publish a seeded stream to a real Kafka, a care team acknowledges, and a nemesis breaks something. What must
come of it is known beforehand by plain reasoning about the story that is published; no line of the product takes part
in that. Afterwards a history checker judges the alert topics, and the whole log is replayed in a process that took no
part and compared byte for byte.

```
make faults                                             # all of it, about 45 minutes on two cores
make faults ARGS="--only zombie --seed 7"               # one fault, another seed
make faults ARGS="--json rows.json --write-docs"        # add rows to a file, and write this page of all that it holds
make faults ARGS="--only list"                          # what there is
```
"""

COLUMNS = """\
- **events**: records in the input topics, duplicates and commands included. **broken**: how often something was broken.
- **alerts expected**: how often a rule must tell of an episode, by the story alone (crises, fast and slow hearts, low
  pressures, silences), summed over all wearers.
- **lost**: of those, the ones that nobody was told; and outputs that the log gives and no topic holds.
- **doubled**: told twice for one episode; and a version of an alert with two contents.
- **different**: outputs that the log does not give, alerts that nothing in the story explains, versions that went back,
  two open alerts of one rule and wearer.
- **recovery s**: from the fault to when every partition stepped again, median over the run's faults, as the stamps in
  `cuts.v1` tell it. A worker that is killed is missed by its group after the session timeout, which is 6 s here; a
  frozen one is counted from when it was frozen.
- **still s**: with three brokers: how long the time of a partition that nothing was broken for did not go on, at most.
- **repeated**: records that repeat an earlier one byte for byte. A successor sends the outputs of the last cut again,
  because nobody knows whether they left; readers drop them by version.
- **stale**: records that an owner sent after its successor's claim. They are harmless only because their cut was valid
  before the claim, so that the successor sends the same bytes.
- **void cuts**: cuts that landed behind another claim; they count for nobody.
"""

OFF = """\
A checker that never fails proves nothing. In these runs one protection of the workers is switched off (by a patch in
the worker's process, `tests/faults/worker.py`), and the checker must find something.
"""

CLUSTER = """\
These have three brokers, each broker and controller in one, on one machine. Where the copies of each partition are, and
which of them leads, the run decides. Clocks differ by libfaketime; a network is cut by a proxy between the worker and
one broker.
"""

LIMITS = """\
One machine: no run shows a disk that lies about what it has synced, or a network that loses single packets. Most runs
have one broker; of three, one is broken at a time. The stories are simulated; the rules see
an hour or two of each wearer, told in less than a minute or a few. Limits are set so that silences and unanswered
crises happen within a run.
"""


def write(path: Path, ran: Sequence[tuple[Fault, Row]], command: str, date: str, machine: Mapping[str, str]) -> None:
    """Write the page."""
    path.write_text(text(ran, command, date, machine))


def text(ran: Sequence[tuple[Fault, Row]], command: str, date: str, machine: Mapping[str, str]) -> str:
    """Return the page as Markdown."""
    skipped = [row for _, row in ran if row.skipped]
    faults = [(fault, row) for fault, row in ran if not fault.must_fail and not row.skipped]
    off = [(fault, row) for fault, row in ran if fault.must_fail]
    wrong = [row for _, row in faults if not row.clean]
    lines = [
        "# Faults",
        "",
        INTRODUCTION,
        f"This page was written by `{command}` on {date}.",
        "",
        _verdict(len(faults), wrong),
        "",
        *_table(faults),
        "",
        COLUMNS,
        "## What each of them does",
        "",
    ]
    kinds = {fault.name: fault for fault, _ in faults}.values()
    lines += [f"- `{fault.name}`: {fault.what}." for fault in kinds if fault.place is None]
    if any(fault.place is not None for fault in kinds):
        lines += ["", CLUSTER]
        lines += [f"- `{fault.name}`: {fault.what}." for fault in kinds if fault.place is not None]
    if skipped:
        lines += ["", "## Not run here", "", *(f"- `{row.fault}`: {row.skipped}." for row in skipped)]
    if wrong:
        lines += ["", "## What was wrong", ""]
        lines += [f"- `{row.fault}`, seed {row.seed}: {sentence}" for row in wrong for sentence in row.why[:6]]
    if off:
        lines += ["", "## Protections switched off", "", OFF, *_table(off), ""]
        for fault, row in off:
            lines += [f"- `{fault.name}`, seed {row.seed}: {fault.what}. Found, among others:"]
            lines += [f"  - {sentence}" for sentence in row.why[:3]] or ["  - nothing, which is a fault of the checker"]
    lines += ["", "## What this does not show", "", LIMITS, "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    return "\n".join(lines) + "\n"


def _verdict(number: int, wrong: Sequence[Row]) -> str:
    if not wrong:
        return f"All {number} runs: nothing lost, nothing doubled, nothing different."
    return f"{len(wrong)} of {number} runs are not clean: {', '.join(f'`{row.fault}` ({row.seed})' for row in wrong)}."


def _table(ran: Sequence[tuple[Fault, Row]]) -> list[str]:
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|"]
    for fault, row in ran:
        recovery = "" if row.recovery_s is None else f"{row.recovery_s:.1f}"
        numbers = (row.seed, row.faults, row.events, row.alerts_expected, row.lost, row.doubled, row.different)
        still = "" if row.healthy_still_s is None else f"{row.healthy_still_s:.1f}"
        after = (row.repeated, row.stale, row.void_cuts)
        cells = [f"`{fault.name}`", *(f"{n:,}" for n in numbers), recovery, still, *(f"{n:,}" for n in after)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
