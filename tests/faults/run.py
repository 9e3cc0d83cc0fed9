"""One run: topics of its own, workers, a story that is published, and what a nemesis needs to act on them."""

import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka.errors import KafkaError

from monitor.settings import Settings
from tests.faults.children import Children
from tests.faults.cut_watch import STILL_MS, CutWatch
from tests.faults.driver import CareTeam, Driver
from tests.faults.ground import Ground, patiently
from tests.faults.records import ends
from tests.faults.story import Expected, Message, Story
from tests.patience import patience

Say = Callable[[str], None]
SETTLED_WITHIN_S = 90.0
LET_IT_SHOW_MS = STILL_MS + 300  # before that, what has just stopped still looks as if it moved


class RunFailed(Exception):
    """Something did not come about that every run needs; its sentence says what."""


@dataclass
class Run:
    """What a nemesis acts on. All of it runs in the main thread, beside the threads that publish.

    Attributes
    ----------
    options : of every worker that is started, as `tests.faults.worker` takes them.
    marks : moments of the wall clock, in ms, at which something was broken.
    said : sentences that the logs must hold; missing : those that they did not.
    spans : times in which partitions that nothing was broken for should have gone on.
    """

    ground: Ground
    settings: Settings
    story: Story
    seed: int
    say: Say
    options: tuple[str, ...] = ()
    transactional: bool = False
    patience_s: float = SETTLED_WITHIN_S
    marks: list[int] = field(default_factory=list)
    faults: int = 0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"nemesis {self.seed}")
        self.children = Children(self.settings, self.settings.state_dir.parent / "logs")
        self.watch = CutWatch(self.settings)
        self.began_s = time.monotonic()
        self.messages = self.story.messages(time.time_ns() // 1_000_000)
        self.driver = Driver(self.settings, self.messages, transactional=self.transactional)
        self.team = CareTeam(self.settings, self.seed)
        self.may_end = self.may_crash = False
        self.expected: list[Expected] = []  # beside what the story asks for
        self.silences_count = True
        self.poisoned = 0  # records that no engine can bear
        self.spans: list[tuple[int, int, frozenset[int]]] = []  # from and until, in ms, who should have gone on
        self.at_end: list[Callable[[], object]] = []
        self.ended_ms = 0
        self._settling = False

    # ------------------------------------------------------------------------------------------------------ beginning

    def start_worker(self, name: str = "w1", *options: str) -> None:
        """Start a worker; its options are those of the run and these."""
        self.children.start(name, "--seed", str(self.seed), *self.options, *options)

    def start_projector(self) -> None:
        """Start the projector."""
        self.children.start("p1", role="projector")

    def begin(self, workers: int) -> None:
        """Start the workers, wait until they own everything, and let the gateways publish."""
        for i in range(workers):
            self.start_worker(f"w{i + 1}")
        self.until("the workers own every partition", lambda: all(self.watch.of[p].last for p in self.watch.partitions))
        self.driver.start()
        self.team.start()

    # -------------------------------------------------------------------------------------------------------- waiting

    @property
    def left_s(self) -> float:
        """Seconds until the last message is due."""
        if not self.driver.is_alive():
            return 0.0
        return max(0.0, self.story.plot.seconds - (time.monotonic() - self.driver._began_s))

    def wait(self, seconds: float) -> None:
        """Let time pass, while the cuts are followed and whoever ended by itself is started again."""
        deadline = time.monotonic() + seconds
        while True:
            self._look()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.1, left))

    def until(self, what: str, true: Callable[[], object], within_s: float = 40.0) -> None:
        """Wait for something."""
        deadline = time.monotonic() + patience(within_s)
        while not true():
            if time.monotonic() > deadline:
                raise RunFailed(f"not within {within_s:.0f} s: {what}")
            self._look()
            time.sleep(0.05)

    def _look(self) -> None:
        self.watch.look()
        for child in self.children.workers():
            if self._settling and child.frozen:
                child.send(signal.SIGCONT)
        for child in self.children.gone():
            self.tell(f"{self.children.ended[-1]}; the supervisor starts it again")
            if child.name.startswith("w"):
                self.start_worker(child.name)
            else:
                self.start_projector()

    def all_moving(self) -> bool:
        """Tell whether every partition was cut just now."""
        self.watch.look()
        return self.watch.moving(time.time_ns() // 1_000_000)

    def recovered(self, within_s: float = 45.0) -> None:
        """Wait until every partition steps again, after a fault that was just marked."""
        mark = self.marks[-1]
        self.until(
            "every partition steps again",
            lambda: time.time_ns() // 1_000_000 - mark > LET_IT_SHOW_MS and self.all_moving(),
            within_s,
        )

    # --------------------------------------------------------------------------------------------------------- acting

    def tell(self, what: str) -> None:
        """Print what was done, and when."""
        self.say(f"{time.monotonic() - self.began_s:6.1f} s  {what}")

    def mark(self, what: str) -> None:
        """Note a fault that is about to be done."""
        self.tell(what)
        self.marks.append(time.time_ns() // 1_000_000)
        self.faults += 1

    @contextmanager
    def others_go_on(self, partitions: Iterable[int]) -> Iterator[None]:
        """Note that these partitions had no reason to stand still while something else was broken."""
        begin_ms = time.time_ns() // 1_000_000
        yield
        self.spans.append((begin_ms, time.time_ns() // 1_000_000, frozenset(partitions)))

    def healthy_still_s(self) -> float | None:
        """Return for how long a partition that had no reason to did stand still, at most; None if there was none."""
        stood = [self.watch.still_s(p, begin, end) for begin, end, healthy in self.spans for p in healthy]
        return round(max(stood), 1) if stood else None

    def publish(self, messages: Iterable[Message]) -> None:
        """Hand a nemesis's own records over; whoever takes part in the story does not wait for them."""
        self.driver.more.extend(messages)

    def owned_again(self, within_s: float = 40.0) -> None:
        """Wait until each partition has one owner, and each running worker a share, as their status files say."""
        self.until(
            "each partition has one owner and each worker a share",
            lambda: self.children.owned() == list(self.watch.partitions) and all(self.children.shares().values()),
            within_s,
        )

    # --------------------------------------------------------------------------------------------------------- ending

    def settle(self) -> None:
        """Wait until everything published is decided, the care team has gone home, and that is decided too."""
        self.until("the gateways are done", lambda: not self.driver.is_alive(), self.story.plot.seconds + 120)
        self._settling = True
        if not self.children.workers():
            self.start_worker("w9")
        self._decided()
        self.team.stop()
        self._decided()
        self.ended_ms = time.time_ns() // 1_000_000

    def _decided(self) -> None:
        reach = patiently(lambda: ends(self.settings))
        self.until("everything published is decided", lambda: self.watch.reached(reach), self.patience_s)

    def close(self) -> None:
        """Stop whatever still runs, and undo what was done to the machine."""
        self.driver.stop()
        self.team._asked.set()
        self.children.end()
        try:
            self.watch.close()
        except KafkaError as failure:
            self.say(f"the consumer of cuts did not close: {failure!r}")
        for thread in (self.driver, self.team):
            if thread.is_alive():
                thread.join(15)
        for undo in self.at_end:
            undo()
