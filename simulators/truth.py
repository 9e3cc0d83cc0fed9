"""The truth about a run, as rows: what struck whom from when to when. It comes from the latent state alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simulators.courses import Form
from simulators.episodes import Episodes
from simulators.faults import Fault
from simulators.kinds import ACUTE, CONFOUNDERS, SLOW, TECHNICAL, Kind
from simulators.world import Block, World
from stream_schemas import rfc3339

ASSERTED_BY = "simulator"

SCHEMA = pa.schema(
    [
        ("wearer", pa.string()),
        ("kind", pa.string()),
        ("family", pa.string()),
        ("form", pa.string()),
        ("onset", pa.timestamp("ms", "UTC")),
        ("end", pa.timestamp("ms", "UTC")),
        ("severity", pa.float32()),
        ("silent", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Truth:
    """One episode of one wearer; epoch minutes, end exclusive."""

    wearer: str
    kind: str
    onset_min: int
    end_min: int
    form: str
    severity: float
    silent: bool


def truths(world: World, episodes: Episodes, first_row: int = 0) -> list[Truth]:
    """Return the episodes that touch the run, those of a block counted from its first row."""
    last, graded = world.start_min + world.minutes, episodes.graded
    return [
        Truth(
            world.wearer_id(first_row + int(episodes.wearer[row])),
            Kind(int(episodes.kind[row])).outcome,
            int(episodes.onset_min[row]),
            int(episodes.end_min[row]),
            Form(int(episodes.form[row])).name.lower(),
            round(float(graded[row]), 3),
            bool(episodes.silent[row]),
        )
        for row in range(len(episodes))
        if episodes.end_min[row] > world.start_min and episodes.onset_min[row] < last
    ]


def of_block(world: World, block: Block) -> list[Truth]:
    """Return all truth about the wearers of one block."""
    return truths(world, block.episodes, block.first_row) + truths(world, block.off, block.first_row)


def of_faults(world: World) -> list[Truth]:
    """Return the faults that touch the run; they are told in the truth file, and in no label."""
    f, last = world.faults, world.start_min + world.minutes
    return [
        Truth(
            world.wearer_id(int(f.wearer[row])),
            Fault(int(f.kind[row])).name.lower(),
            int(f.onset_min[row]),
            int(f.end_min[row]),
            Form.CLEAR.name.lower(),
            1.0,
            False,
        )
        for row in range(len(f))
        if f.end_min[row] > world.start_min and f.onset_min[row] < last
    ]


def write(
    path: Path,
    world: World,
    rows: Iterable[Truth],
    published: Mapping[str, int],
    until_min: int,
    transport: Mapping[str, int] | None = None,
) -> None:
    """Write the truth file; episodes that had not begun by *until_min* are left out.

    A name that ends in ``.parquet`` gets the table alone (`table`), any other one JSON document with the counts.
    `transport` counts messages that came late, twice, or were held back.
    """
    begun, faults = _begun(rows, until_min), _begun(of_faults(world), until_min)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if path.suffix == ".parquet":
        pq.write_table(table(world, [*begun, *faults]), part, compression="zstd")
        part.replace(path)
        return
    content = {
        "seed": world.seed,
        "scenario": world.scenario.name,
        "parameters": world.parameters.name,
        "wearers": len(world.people),
        "start": rfc3339.text(world.start_min * 60_000),
        "end": rfc3339.text(until_min * 60_000),
        "episodes": [_told(row) | {"form": row.form, "severity": row.severity, "silent": row.silent} for row in begun],
        "faults": [_told(row) for row in faults],
        "transport": dict(sorted((transport or {}).items())),
        "events_published": dict(sorted(published.items())),
    }
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _begun(rows: Iterable[Truth], until_min: int) -> list[Truth]:
    return sorted(
        (row for row in rows if row.onset_min < until_min), key=lambda row: (row.onset_min, row.wearer, row.kind)
    )


def _told(row: Truth) -> dict[str, Any]:
    onset, end = rfc3339.text(row.onset_min * 60_000), rfc3339.text(row.end_min * 60_000)
    return {"wearer": row.wearer, "kind": row.kind, "onset": onset, "end": end}


def table(world: World, rows: Iterable[Truth]) -> pa.Table:
    """Return the truth as a table: what struck whom, when, how badly; names and types are those of `SCHEMA`.

    `family` says what a kind is: acute, slow, confounder (looks like illness and is none), technical or fault. The
    seed, scenario and parameter set are in the table's metadata.
    """
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for row in rows:
        columns["wearer"].append(row.wearer)
        columns["kind"].append(row.kind)
        columns["family"].append(family(row.kind))
        columns["form"].append(row.form)
        columns["onset"].append(row.onset_min * 60_000)
        columns["end"].append(row.end_min * 60_000)
        columns["severity"].append(row.severity)
        columns["silent"].append(row.silent)
    about = {"seed": str(world.seed), "scenario": world.scenario.name, "parameters": world.parameters.name}
    return pa.table(columns, schema=SCHEMA.with_metadata(about))


def family(kind: str) -> str:
    """Return what a kind of truth is.

    >>> family("infection"), family("alcohol"), family("watch_off"), family("clock_skew")
    ('slow', 'confounder', 'technical', 'fault')
    """
    for name, kinds in (("acute", ACUTE), ("slow", SLOW), ("confounder", CONFOUNDERS), ("technical", TECHNICAL)):
        if kind in [one.outcome for one in kinds]:
            return name
    return "fault"
