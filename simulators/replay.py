"""``python -m simulators.replay welltory|fitabase``: real recordings through the same topics, gaps and oddities kept.

Record times are the times of the events (the log clock). A value that the schema refuses is published as it is, so that
it becomes a dead letter, and counted.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from simulators import options
from simulators.errors import OptionRefused, RecordingsMissing, SimulatorError
from simulators.progress import Progress
from simulators.publishing import Publisher, Target
from simulators.recordings import fitabase, welltory
from simulators.recordings.recording import Record, Recording
from stream_schemas import rfc3339
from stream_schemas.decode import decode_batch
from stream_schemas.zones import time_zone

DATA = Path(__file__).parents[2] / "shared" / "data"  # beside the checkout
DAY_MS = 86_400_000
CHUNK = 2000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Source(StrEnum):
    """A set of recordings that can be replayed."""

    WELLTORY = "welltory"
    FITABASE = "fitabase"


class Method(StrEnum):
    """How blood pressure was measured, where the source does not say."""

    UNKNOWN = "unknown"
    CUFF = "cuff_oscillometric"
    CUFFLESS = "cuffless"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: counts of records by topic, of refused ones by reason, of what was left out."""

    source: str
    zone_assumed: str
    wearers: int
    events_published: dict[str, int]
    refused_by_schema: dict[str, int]
    left_out: dict[str, int]
    first: str
    last: str

    def report(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


Send = Callable[[str, bytes, bytes, int], None]


def replay(recording: Recording, send: Send, *, shift_to_ms: int | None, speed: float, plain: bool) -> Replayed:
    """Send all of a recording in the order of time.

    Parameters
    ----------
    send
        Takes topic, key, value, time in epoch ms.
    shift_to_ms
        Move the first record to the day of this moment; whole days only, so that the time of day stays.
    speed
        Recorded seconds a second; 0 = as fast as possible.
    """
    records = recording.in_order()
    if not records:
        raise RecordingsMissing(f"The {recording.source} recordings hold nothing for these wearers.")
    first_ms = records[0].at_ms
    shift_ms = 0 if shift_to_ms is None else (shift_to_ms // DAY_MS - first_ms // DAY_MS) * DAY_MS
    published: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    begun = time.monotonic()
    with Progress(f"replay of {recording.source}", len(records), "messages", plain=plain) as progress:
        for begin in range(0, len(records), CHUNK):
            chunk = records[begin : begin + CHUNK]
            values = [record.value(shift_ms) for record in chunk]
            refused.update(_refused(chunk, values))
            for record, value in zip(chunk, values, strict=True):
                if speed > 0:
                    due = begun + (record.at_ms - first_ms) / 1000 / speed
                    time.sleep(max(due - time.monotonic(), 0))
                send(record.topic, record.key.encode(), value, record.at_ms + shift_ms)
                published[record.topic] += 1
            progress.advance(len(chunk))
    return Replayed(
        recording.source,
        str(recording.zone),
        len({record.key for record in records}),
        dict(sorted(published.items())),
        dict(sorted(refused.items())),
        dict(sorted(recording.left_out.items())),
        rfc3339.text(first_ms + shift_ms),
        rfc3339.text(records[-1].at_ms + shift_ms),
    )


def _refused(chunk: Sequence[Record], values: Sequence[bytes]) -> Counter[str]:
    found: Counter[str] = Counter()
    for topic in {record.topic for record in chunk}:
        mine = [k for k, record in enumerate(chunk) if record.topic == topic]
        _, rejected = decode_batch(topic, [chunk[k].key.encode() for k in mine], [values[k] for k in mine])
        found.update(str(one.reason) for one in rejected)
    return found


def read(
    source: Source,
    data: Path | None = None,
    *,
    zone: str = "UTC",
    wearers: set[str] | None = None,
    bp_method: str = Method.UNKNOWN,
    assume_wake_min: int | None = None,
    teams: tuple[str, ...] = ("north", "south"),
) -> Recording:
    """Read a set of recordings from *data*, by default from shared/data beside the checkout."""
    assumed = time_zone(zone)
    if assumed is None:
        raise OptionRefused(f"--zone {zone!r} is no time zone: use an IANA name, as in Europe/Kyiv.")
    where = data or DATA
    if source == Source.WELLTORY:
        return welltory.read(where, assumed, wearers, bp_method, teams)
    return fitabase.read(where, assumed, wearers, assume_wake_min)


def _minute_of_day(text: str | None) -> int | None:
    if text is None:
        return None
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise OptionRefused(f"--assume-wake {text!r} is no time of day: use for example 07:00.")
    return int(hour) * 60 + int(minute)


@app.command()
def main(
    source: Annotated[Source, typer.Argument(help="Which recordings.")],
    data: Annotated[Path | None, typer.Option(help="Folder with the recordings; default ../shared/data.")] = None,
    zone: Annotated[str, typer.Option(help="Assumed zone of the recordings' local times.")] = "UTC",
    wearers: Annotated[str | None, typer.Option(help="Only these people, comma separated.")] = None,
    shift_to: Annotated[str | None, typer.Option(help="RFC 3339; move the first day to that day.")] = None,
    speed: Annotated[float, typer.Option(help="Recorded seconds a second; 0 = as fast as possible.")] = 0.0,
    bp_method: Annotated[Method, typer.Option(help="welltory does not say how it was measured.")] = Method.UNKNOWN,
    assume_wake: Annotated[
        str | None, typer.Option(help="fitabase nights have no times; publish as ended then.")
    ] = None,
    teams: Annotated[str | None, typer.Option(help="Comma separated; default north,south.")] = None,
    bootstrap_servers: Annotated[str | None, typer.Option(help="host:port of Kafka.")] = None,
    topic_prefix: Annotated[str | None, typer.Option(help="Put before topic names.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the counts to this JSON file.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="No colours, no moving line.")] = False,
) -> None:
    """Publish real recordings as events; times without a zone are read in --zone."""
    try:
        options.at_least("--speed", speed, 0)
        shift_to_ms = options.start_min(shift_to) * 60_000 if shift_to else None
        recording = read(
            source,
            data,
            zone=zone,
            wearers={name.strip() for name in wearers.split(",")} if wearers else None,
            bp_method=bp_method,
            assume_wake_min=_minute_of_day(assume_wake),
            teams=options.teams(teams),
        )
        target = Target(options.bootstrap_servers(bootstrap_servers), options.topic_prefix(topic_prefix))
        with Publisher(target) as publisher:
            publisher.require({record.topic for record in recording.records})
            done = replay(recording, publisher.send, shift_to_ms=shift_to_ms, speed=speed, plain=plain)
            publisher.flush()
        if report is not None:
            report.write_text(json.dumps(done.report(), indent=1) + "\n", encoding="utf-8")
    except SimulatorError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from refused
    typer.echo(f"{done.wearers} wearers, {done.first} to {done.last}; local times read as {done.zone_assumed}.")
    for what, counts in (
        ("", done.events_published),
        ("refused: ", done.refused_by_schema),
        ("left out: ", done.left_out),
    ):
        for name, count in counts.items():
            typer.echo(f"{count:>12,}  {what}{name}")


if __name__ == "__main__":
    app()
