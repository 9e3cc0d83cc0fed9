"""``python -m monitor topics grow``."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from monitor.growing.growing import Grown, grow
from monitor.growing.request import Request, request
from monitor.settings import Settings
from monitor.wearers.store import said


def run(settings: Settings, *, to: int, prefix: str, checkpoints: str | None) -> int:
    """Carry a log over to a new one with more partitions, say what went over and how to go on; return 0.

    Raises
    ------
    PulsewardenError
        As `request` and `grow`.
    """
    asked = request(settings, to=to, prefix=prefix, place=checkpoints)
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("Looking through the cuts", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        grown = grow(asked, progress)
    out = Console(highlight=False, soft_wrap=True)
    for line in lines(asked, grown):
        out.print(line, markup=False)
    return 0


def lines(asked: Request, grown: Grown) -> list[str]:
    """Say what went over, and with which settings everything is to be started now."""
    new, place = asked.new, asked.new.checkpoint_place
    old = asked.old.stream.partitions
    carried = (
        f"Carried over from {old} to {new.stream.partitions} partitions: {grown.wearers:,} wearers with their state, "
        f"{grown.alerts:,} open alerts, {grown.records:,} records, {grown.unread:,} of which no worker had read yet."
    )
    told = [carried]
    if grown.replayed_cuts:
        told.append(
            f"{grown.replayed_cuts:,} cuts lay behind the newest checkpoints (the workers were not drained): the "
            "journal lacks what they decided; states and alerts do not."
        )
    hidden = " (with the keys and options that the old place has)" if said(place) != place else ""
    return [
        *told,
        "Start workers, projector and trainer with these settings, and let publishers write to the new topics:",
        f"  PULSEWARDEN_KAFKA__TOPIC_PREFIX={new.kafka.topic_prefix}",
        f"  PULSEWARDEN_STREAM__PARTITIONS={new.stream.partitions}",
        f"  PULSEWARDEN_CHECKPOINT__PLACE={said(place)}{hidden}",
        "Then, as Redis still says how far the old topics were applied: `python -m monitor redis rebuild`.",
    ]
