"""``python -m monitor trainer``: a training by the cron of the settings, or now with ``--once``.

Each scheduled training is ``python -m monitor trainer --once`` as a process of its own: torch and the training data
leave the memory with it, and a training that dies leaves the schedule alive. Exit status of ``--once``: 0 when a
candidate was promoted *and* when it was refused, because a refusal is a normal outcome; 2, with a sentence, when
nothing could be compared at all, for instance because Kafka does not answer.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from monitor.console.wording import count
from monitor.errors import SettingsInvalid
from monitor.local.leash import Leashed, spawn
from monitor.retraining.verdict import Verdict
from monitor.settings import Settings

GRACE_S = 3600
"""A training that could not start on time, because the machine slept, may start this much later."""

log = structlog.get_logger()


def run(settings: Settings, *, once: bool = False) -> int:
    """Train by the settings' cron until Ctrl-C or SIGTERM, or once.

    Returns
    -------
    int
        0, also when the candidate was refused: the log and the table say why.

    Raises
    ------
    PulsewardenError
        If the cron cannot be read, or, with `once`, if nothing could be trained.
    """
    if once:
        from monitor.retraining.job import retrain  # brings torch, which the schedule itself does without

        with _progress() as told:
            verdict = retrain(settings, told=told)
        show(verdict)
        return 0
    return _Schedule(settings).serve()


def trigger(cron: str) -> CronTrigger:
    """Return the trigger of a cron line, UTC.

    Raises
    ------
    SettingsInvalid
        If it is no cron line.
    """
    try:
        return CronTrigger.from_crontab(cron, timezone="UTC")
    except ValueError as error:
        raise SettingsInvalid(
            f"PULSEWARDEN_TRAINER__CRON is {cron!r}, which is no cron line ({error}); give "
            "five fields, as in '0 3 * * *'."
        ) from error


class _Schedule:
    """The scheduler and the training that may be running."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._training: Leashed | None = None
        self._scheduler = BlockingScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._train, trigger(settings.trainer.cron), coalesce=True, max_instances=1, misfire_grace_time=GRACE_S
        )

    def serve(self) -> int:
        """Wait and train until a signal."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        log.info("waiting for the next training", cron=self._settings.trainer.cron, time_zone="UTC")
        self._scheduler.start()
        return 0

    def _train(self) -> None:
        log_file = self._settings.state_dir.resolve() / "logs" / "training.log"
        log.info("training starts", log=str(log_file))
        self._training = spawn("training", [sys.executable, "-m", "monitor", "trainer", "--once"], log_file)
        status = self._training.wait()
        self._training.ask_to_end()
        if status == 0:
            log.info("training ended", log=str(log_file))
        else:
            log.error("training failed; the champion stays", status=status, end=self._training.tail(3))
        self._training = None

    def _end(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        training = self._training
        if training is not None:
            training.ask_to_end()
        self._scheduler.shutdown(wait=False)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar a stage, on a terminal only."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bars:
        stages: dict[str, TaskID] = {}

        def told(stage: str, done: int, of: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=of)
            bars.update(stages[stage], completed=done, total=of)

        yield told


def show(verdict: Verdict, console: Console | None = None) -> None:
    """Print a verdict as a short table and a sentence."""
    console = console or Console(highlight=False)
    table = Table(title="Candidate against champion, on people neither has seen", title_justify="left")
    for name in ("head", "measure", "candidate", "champion"):
        table.add_column(name, justify="left" if name in {"head", "measure"} else "right")
    for row in verdict.rows:
        table.add_row(row.head, row.measure, _figure(row.candidate), _figure(row.champion))
    if verdict.rows:
        console.print(table)
    console.print(verdict.sentence, soft_wrap=True)
    for reason in verdict.reasons:
        console.print(f"  - {reason}", soft_wrap=True)
    console.print(f"Labels copied: {count(verdict.labels)}; wearers in the journal: {count(verdict.wearers)}.")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
