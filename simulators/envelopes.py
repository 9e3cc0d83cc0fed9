"""Heart-rate and activity messages as JSON bytes, made fast: texts of numbers are looked up, not formatted."""

from collections.abc import Sequence

from stream_schemas import rfc3339

NUMBER = [str(n) for n in range(3001)]
SECOND_OFFSETS = [NUMBER[0], *(f"{second}000" for second in range(1, 60))]
EVERY_SECOND = ",".join(SECOND_OFFSETS)


def heart_rate(
    wearer: str,
    event_id: str,
    start_ms: int,
    offsets: str,
    bpm: Sequence[int],
    *,
    rr_ms: Sequence[int] | None = None,
    context: str | None = None,
    quality: float | None = None,
    device: str = "watch",
) -> bytes:
    """Return one heart-rate/1 message; `offsets` is the text between the brackets of offset_ms."""
    head = (
        f'{{"schema":"heart-rate/1","event_id":"{event_id}","wearer_id":"{wearer}","device_id":"{wearer}-{device}",'
        f'"start":"{rfc3339.text(start_ms)}","offset_ms":[{offsets}],"bpm":[{",".join([NUMBER[b] for b in bpm])}]'
    )
    parts = [head]
    if rr_ms is not None:
        parts.append(f',"rr_ms":[{",".join([NUMBER[r] for r in rr_ms])}]')
    if context is not None:
        parts.append(f',"context":"{context}"')
    if quality is not None:
        parts.append(f',"quality":{quality:.2f}')
    parts.append("}")
    return "".join(parts).encode()


def activity(wearer: str, event_id: str, start_ms: int, steps: Sequence[int], device: str = "watch") -> bytes:
    """Return one activity/1 message; `start_ms` is on a whole minute."""
    return (
        f'{{"schema":"activity/1","event_id":"{event_id}","wearer_id":"{wearer}","device_id":"{wearer}-{device}",'
        f'"start":"{rfc3339.text(start_ms)}","steps":[{",".join([NUMBER[s] for s in steps])}]}}'
    ).encode()
