"""``python -m monitor verify``."""

import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.settings import Settings
from monitor.verifying.checking import verify
from monitor.verifying.wording import lines, sentences


def run(
    settings: Settings, *, from_checkpoint: bool, other_cuts: int | None, json_file: Path | None, show: bool
) -> int:
    """Verify, say what was found and return the exit status: 0 identical, 1 differences, 2 not all could be verified.

    Raises
    ------
    PulsewardenError
        As `verify`.
    """
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("Looking through the cuts", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        report = verify(settings, from_checkpoint=from_checkpoint, other_cuts=other_cuts, progress=progress)
    out = Console(highlight=False, soft_wrap=True)
    for sentence in (*sentences(report), *lines(report, show=show)):
        out.print(sentence, markup=False)
    if json_file is not None:
        json_file.write_text(json.dumps(report.document(show=show), indent=2) + "\n")
    return report.status
