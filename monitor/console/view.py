"""A frame as a picture for a terminal of at least 80 x 24, and as one line of text.

Top to bottom: what time it is and whether that can be believed; how many alerts are open; what flows; the alerts, worst
first; what went wrong. Nothing is said by colour alone.
"""

import textwrap
from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.console.frame import PRIORITIES, AlertLine, Frame, TopicLine, total
from monitor.console.marks import DIM, GOOD, STALE, TITLE, mark
from monitor.console.wording import against_limit, count, duration, moment, name, state

WIDE = 96
"""From this many columns on, lines have room for the team and for longer states."""
_TOPIC_ROWS = 7
_MOST_NOTICES = 3
_WEARER = {False: 10, True: 14}
"""Columns of a wearer's id, in a narrow and in a wide terminal."""
_FIXED_LINES = 2 + (_TOPIC_ROWS + 2) + 2 + 1
"""Title and model, the two panels, the alerts' heading and remainder, dead letters."""


def view(frame: Frame, *, width: int, height: int, hint: str = "Ctrl-C ends the view") -> RenderableType:
    """Return the picture of a frame, at most *width* x *height* characters.

    Parameters
    ----------
    frame : Frame
    width, height : int
        Columns and lines of the terminal.
    hint : str
        What the person can do, at the end of the last line.
    """
    notices = [row for notice in frame.notices[:_MOST_NOTICES] for row in _wrapped(notice, width)]
    room = max(1, height - _FIXED_LINES - len(notices))
    panels = Table.grid(expand=True, padding=(0, 1, 0, 0))
    panels.add_column(width=31)
    panels.add_column(ratio=1)
    panels.add_row(_burden(frame), _flow(frame))
    return Group(
        _title(frame),
        _model(frame),
        panels,
        *_worklist(frame, width, room),
        *(Text(row, style=STALE, no_wrap=True, overflow="ellipsis") for row in notices),
        _footer(frame, hint),
    )


def _wrapped(notice: str, width: int) -> list[str]:
    """Break a notice into at most two lines."""
    rows = textwrap.wrap(notice, width - 4)[:2]
    return [f"{' ! ' if number == 0 else '   '}{row} " for number, row in enumerate(rows)]


def line(frame: Frame) -> str:
    """Return a frame as one line without names and readings, for logs and CI."""
    parts = [_log_time(frame), f"{count(frame.ingested)} events", f"{count(frame.per_s)}/s"]
    if frame.alerts is None:
        parts.append("open alerts unknown")
    else:
        counts = ", ".join(f"{frame.alerts.count(priority)} {priority}" for priority in PRIORITIES)
        parts.append(f"open {frame.alerts.total}: {counts}")
    parts += [f"scores {count(_scores(frame))}", f"lag {count(frame.lag_records)}", _dead_letters(frame)]
    return " | ".join([*parts, *(f"! {notice}" for notice in frame.notices)])


def _log_time(frame: Frame) -> str:
    return "no log time yet" if frame.T_ms is None else moment(frame.T_ms)


def _title(frame: Frame) -> RenderableType:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    clock = "log clock" if frame.log_clock else "live"
    if frame.log_clock and frame.speed is not None and frame.speed >= 0.5:
        clock += f", {frame.speed:.0f}x"
    left = Text.assemble((" Pulsewarden ", TITLE), f" {_log_time(frame)}", (f"  {clock}", DIM))
    right = Text(" STALE, see below ", style=STALE) if frame.stale else Text(" UP TO DATE ", style=GOOD)
    table.add_row(left, right)
    return table


def _model(frame: Frame) -> RenderableType:
    workers = frame.workers
    if not workers:
        return Text(" no worker", no_wrap=True)
    versions = sorted({worker.model_version for worker in workers if worker.model_version})
    devices = sorted({worker.device for worker in workers if worker.device})
    model = f" model {', '.join(versions)} on {', '.join(devices)}" if versions else " no model: limits only"
    names = workers[0].worker_id if len(workers) == 1 else f"{len(workers)} workers"
    memory = [worker.rss_mib for worker in workers if worker.rss_mib is not None]
    parts = [model, f"{count(_scores(frame))} scores", names]
    if memory:
        parts.append(f"{count(sum(memory))} MiB")
    return Text(" · ".join(parts), no_wrap=True, overflow="ellipsis")


def _scores(frame: Frame) -> int:
    return sum(worker.scores for worker in frame.workers)


def _burden(frame: Frame) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(Text("priority", style=DIM), Text("open", style=DIM), Text("not seen", style=DIM))
    for priority in PRIORITIES:
        if frame.alerts is None:
            table.add_row(mark(priority).badge(), "?", "?")
            continue
        unseen = frame.alerts.count(priority, unseen=True)
        table.add_row(
            mark(priority).badge(), count(frame.alerts.count(priority)), Text(count(unseen), TITLE if unseen else "")
        )
    if frame.alerts is None:
        table.add_row("all", "?", "?")
        table.add_row("wearers", "?", "")
    else:
        unseen = sum(alert.unseen for alert in frame.alerts.lines)
        table.add_row("all", count(frame.alerts.total), count(unseen))
        table.add_row("wearers", count(len({alert.wearer_id for alert in frame.alerts.lines})), "")
    return Panel(
        table, title="Open alerts", title_align="left", box=box.ROUNDED, padding=(0, 1), height=_TOPIC_ROWS + 2
    )


def _flow(frame: Frame) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for topic in _merged(frame.topics, _TOPIC_ROWS - 1):
        table.add_row(_short(topic.topic), f"{count(topic.per_s)}/s", count(topic.total))
    table.add_row(
        Text(f"all, {count(frame.lag_records)} not read yet", TITLE), f"{count(frame.per_s)}/s", count(frame.ingested)
    )
    return Panel(table, title="Events", title_align="left", box=box.ROUNDED, padding=(0, 1), height=_TOPIC_ROWS + 2)


def _merged(topics: Iterable[TopicLine], rows: int) -> list[TopicLine]:
    """Keep the first topics, the vitals, apart and add up the rest so that all of them fit."""
    lines = list(topics)
    if len(lines) <= rows:
        return lines
    rest = lines[rows - 1 :]
    known = [line.per_s for line in rest if line.per_s is not None]
    return [
        *lines[: rows - 1],
        TopicLine("all other topics", total(rest), sum(known) if known else None),
    ]


def _short(topic: str) -> str:
    """Return a topic's name as people say it."""
    for group in ("vitals.", "context."):
        topic = topic.removeprefix(group)
    return topic.removesuffix(".v1").replace("-", " ").replace(".", " ")


def _worklist(frame: Frame, width: int, room: int) -> list[RenderableType]:
    wide = width >= WIDE
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style=DIM, pad_edge=False)
    table.add_column("worst first", width=11, no_wrap=True)
    table.add_column("wearer", width=_WEARER[wide], no_wrap=True)
    if wide:
        table.add_column("team", width=8, no_wrap=True, overflow="ellipsis")
    table.add_column("rule", width=15 if wide else 12, no_wrap=True, overflow="ellipsis")
    table.add_column("value against limit", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("since", width=7, no_wrap=True, justify="right")
    table.add_column("state", width=15 if wide else 12, no_wrap=True, overflow="ellipsis")
    alerts = () if frame.alerts is None else frame.alerts.lines
    shown = alerts[:room]
    for alert in shown:
        table.add_row(*_alert_cells(alert, frame, wide))
    blank = [Text("")] * (room - len(shown) - (0 if shown else 1))
    if frame.alerts is None:
        return [table, Text(" Nobody could ask Redis yet, so open alerts are not known."), *blank, Text("")]
    if not shown:
        return [table, Text(" No open alerts."), *blank, Text("")]
    return [table, *blank, _remainder(frame, alerts[room:])]


def _remainder(frame: Frame, rest: Iterable[AlertLine]) -> Text:
    hidden = list(rest)
    unread = 0 if frame.alerts is None else frame.alerts.total - len(frame.alerts.lines)
    if not hidden and not unread:
        return Text("")
    groups = [(sum(alert.priority == priority for alert in hidden), priority) for priority in PRIORITIES]
    words = ", ".join(f"{number} {priority}" for number, priority in groups if number)
    return Text(f" and {count(len(hidden) + unread)} more open: {words}", style=TITLE)


def _alert_cells(alert: AlertLine, frame: Frame, wide: bool) -> list[Text | str]:
    since = "?" if frame.T_ms is None else duration((frame.T_ms - alert.event_time_ms) / 1000)
    what = against_limit(alert) + (" (late)" if alert.late else "")
    cells: list[Text | str] = [mark(alert.priority).badge(), Text(name(alert.wearer_id, _WEARER[wide]))]
    if wide:
        cells.append(Text(alert.team))
    return [*cells, Text(alert.rule), Text(what), since, Text(state(alert), TITLE if alert.unseen else "")]


def _dead_letters(frame: Frame) -> str:
    reasons = frame.dead_letters
    if not reasons:
        return "dead letters 0" if frame.workers else "dead letters ?"
    return f"dead letters {count(sum(reasons.values()))}: " + ", ".join(
        f"{why} {number}" for why, number in reasons.items()
    )


def _footer(frame: Frame, hint: str) -> RenderableType:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    late = sum(worker.late for worker in frame.workers)
    aside = sum(worker.quarantined for worker in frame.workers)
    text = f" {_dead_letters(frame)}" + (f" · late {count(late)}" if late else "")
    text += f" · set aside {count(aside)}" if aside else ""
    table.add_row(Text(text), Text(f" {hint} ", style=DIM))
    return table
