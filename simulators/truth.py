"""The truth about a run, as rows: what struck whom from when to when. It comes from the latent state alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulators.episodes import Episodes
from simulators.kinds import Kind
from simulators.world import Block, World
from stream_schemas import rfc3339

ASSERTED_BY = "simulator"


@dataclass(frozen=True, slots=True)
class Truth:
    """One episode of one wearer; epoch minutes, end exclusive."""

    wearer: str
    kind: str
    onset_min: int
    end_min: int
    severity: float
    silent: bool


def truths(world: World, episodes: Episodes, first_row: int = 0) -> list[Truth]:
    """Return the episodes that touch the run, those of a block counted from its first row."""
    last = world.start_min + world.minutes
    return [
        Truth(
            world.wearer_id(first_row + int(episodes.wearer[row])),
            Kind(int(episodes.kind[row])).outcome,
            int(episodes.onset_min[row]),
            int(episodes.end_min[row]),
            round(float(episodes.severity[row]), 3),
            bool(episodes.silent[row]),
        )
        for row in range(len(episodes))
        if episodes.end_min[row] > world.start_min and episodes.onset_min[row] < last
    ]


def of_block(world: World, block: Block) -> list[Truth]:
    """Return all truth about the wearers of one block."""
    return truths(world, block.episodes, block.first_row) + truths(world, block.off, block.first_row)


def write(path: Path, world: World, rows: Iterable[Truth], published: Mapping[str, int], until_min: int) -> None:
    """Write the truth file; episodes that had not begun by *until_min* are left out."""
    content = {
        "seed": world.seed,
        "scenario": world.scenario.name,
        "wearers": len(world.people),
        "start": rfc3339.text(world.start_min * 60_000),
        "end": rfc3339.text(until_min * 60_000),
        "episodes": [
            {
                "wearer": row.wearer,
                "kind": row.kind,
                "onset": rfc3339.text(row.onset_min * 60_000),
                "end": rfc3339.text(row.end_min * 60_000),
                "severity": row.severity,
                "silent": row.silent,
            }
            for row in sorted(rows, key=lambda row: (row.onset_min, row.wearer, row.kind))
            if row.onset_min < until_min
        ],
        "events_published": dict(sorted(published.items())),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
