"""``python -m monitor redis rebuild`` and ``check``."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress

from monitor.clock import SystemClock
from monitor.settings import Settings
from monitor.sinks import stored
from monitor.sinks.alert_topics import AlertTopics, Part
from monitor.sinks.comparing import Difference, differences, kept
from monitor.sinks.expected import Expected
from monitor.sinks.rebuilding import PATIENCE_S, Rebuilding, Rebuilt
from monitor.sinks.redis_projection import Client, Row, answering
from monitor.topics import require

LOOKS = 5
"""How often content is compared while a projector keeps changing it; what differs every time is a difference."""
SHOWN = 50
CATCH_UP_S = 10.0
STANDSTILL_S = 2.0
_POLL_S = 0.1


def rebuild(settings: Settings) -> int:
    """Fill Redis anew from the alert topics, and print what changed; return 0."""
    require(settings)
    console = Console(highlight=False, soft_wrap=True)
    with (
        AlertTopics(settings) as topics,
        answering(settings, PATIENCE_S) as client,
        Rebuilding(settings, topics, client) as rebuilding,
        Progress(console=Console(stderr=True), transient=True) as screen,
    ):
        bar = screen.add_task("Reading alerts", total=None)
        rebuilding.build(topics.ends(), lambda done, total: screen.update(bar, completed=done, total=total))
        done = [rebuilding.swap(team) for team in settings.teams]
    for one in done:
        console.print(_told(one))
    return 0


def check(settings: Settings) -> int:
    """Compare Redis with the alert topics and print what differs; return 1 if anything does."""
    require(settings)
    console = Console(highlight=False, soft_wrap=True)
    found, old, compared = compare(settings)
    for one in sorted(found)[:SHOWN]:
        console.print(str(one))
    if len(found) > SHOWN:
        console.print(f"... and {len(found) - SHOWN:,} more.")
    if old:
        console.print(f"{old:,} open alerts are older than what the topics still hold; only Redis has them.")
    if found:
        console.print(
            f"{len(found):,} differences: `python -m monitor redis rebuild` mends them; a projector must run, too."
        )
        return 1
    console.print(f"Redis holds what the topics say: {compared:,} alerts compared.")
    return 0


def compare(settings: Settings) -> tuple[set[Difference], int, int]:
    """Compare Redis with the alert topics; a projector may run meanwhile.

    Returns
    -------
    (set of Difference, int, int)
        What differs, how many open alerts only Redis still has, how many alerts were compared.

    Raises
    ------
    BrokerUnreachable, RedisUnreachable
        If one of them does not answer.
    """
    with AlertTopics(settings) as topics, answering(settings) as client:
        looks = _Looks(settings, topics, client)
        looks.wait_until_caught_up()
        found, quiet = looks.look()
        for _ in range(LOOKS):
            if quiet or not found:
                break
            again, quiet = looks.look()
            found = again if quiet else found & again
    return found, looks.old, sum(len(one.alerts) for one in looks.expected.values())


class _Looks:
    """Looks at Redis, each as of what Redis then says that it has applied."""

    def __init__(self, settings: Settings, topics: AlertTopics, client: Client) -> None:
        self._settings, self._topics, self._client = settings, topics, client
        self.expected = {team: Expected() for team in settings.teams}
        self.old = 0
        self._pending: dict[Part, list[Row]] = {part: [] for part in topics.starts}

    def wait_until_caught_up(self) -> None:
        """Wait until Redis has applied what the topics hold by now, or goes on no more."""
        ends, deadline = self._topics.ends(), time.monotonic() + CATCH_UP_S
        before, moved = self._offsets(), time.monotonic()
        while any(before.get(part, 0) < end for part, end in ends.items() if end > self._topics.starts[part]):
            if time.monotonic() > min(deadline, moved + STANDSTILL_S):
                return
            time.sleep(_POLL_S)
            now = self._offsets()
            before, moved = now, moved if now == before else time.monotonic()

    def look(self) -> tuple[set[Difference], bool]:
        """Return what differs now, and whether Redis stood still meanwhile, so that it is the truth."""
        said, ends = self._offsets(), self._topics.ends()
        for part, rows in self._topics.upto(ends):
            self._pending[part] += rows
        found = set()
        for part, end in ends.items():
            found |= set(self._offset(part, said.get(part, 0), end))
        self.old = 0
        for team in self._settings.teams:
            held = stored.read(self._client, self._settings.redis.key_prefix, team)
            starts = {partition: start for (of, partition), start in self._topics.starts.items() if of == team}
            old = kept(held, self.expected[team], starts, self._settings.stream.partitions)
            self.old += len(old)
            found |= set(differences(team, held, self.expected[team], old, SystemClock().now_ms()))
        return found, self._offsets() == said

    def _offset(self, part: Part, said: int, end: int) -> Iterator[Difference]:
        """Take in what Redis says that it applied of one partition, and yield what is wrong about that."""
        team, partition = part
        applied = [row for row in self._pending[part] if row[0] <= said]
        self._pending[part] = [row for row in self._pending[part] if row[0] > said]
        self.expected[team].take(partition, applied)
        if said > end:
            yield Difference(
                team, f"partition {partition}", f"Redis says that it applied up to {said}, but the topic ends at {end}"
            )
        if self._pending[part]:
            yield Difference(team, f"partition {partition}", f"{len(self._pending[part])} records are not applied")

    def _offsets(self) -> dict[Part, int]:
        prefix = self._settings.redis.key_prefix
        return {
            (team, partition): offset
            for team in self._settings.teams
            for partition, offset in stored.offsets(self._client, prefix, team).items()
        }


def _told(one: Rebuilt) -> str:
    sentence = (
        f"{one.team}: {one.records:,} records read, {one.open:,} alerts are open; {one.new:,} were missing in Redis, "
        f"{one.changed:,} were other versions, {one.gone:,} are not in the topic and are gone."
    )
    return sentence + (
        f" {one.kept:,} open ones were kept, which are older than what the topic still holds." if one.kept else ""
    )
