"""The commit ledger: what Kafka may be told is read. Commits follow durable checkpoints and nothing else.

A commit decides nothing here, for recovery reads from the checkpoint; but lag monitors believe it, and so must be able
to: what is committed is safe whatever happens to this worker.
"""

from collections.abc import Iterable, Mapping


class Ledger:
    """Positions of the inputs in the newest durable checkpoint of each partition, and the claim it was owned under."""

    def __init__(self) -> None:
        self._durable: dict[int, tuple[int, tuple[int, ...]]] = {}

    def enter(self, partition: int, epoch: int, positions: tuple[int, ...]) -> None:
        """A checkpoint with these positions is durable, and the partition is owned under the claim *epoch*."""
        self._durable[partition] = (epoch, positions)

    def forget(self, partition: int) -> None:
        """The partition is no longer owned under that claim."""
        self._durable.pop(partition, None)

    def committable(self, owned: Iterable[tuple[int, int]]) -> Mapping[int, tuple[int, ...]]:
        """Return, per partition, the positions to commit.

        Parameters
        ----------
        owned : iterable of (partition, epoch)
            What is owned and assigned now. What was entered under another claim does not count.
        """
        found = {}
        for partition, epoch in owned:
            entered, positions = self._durable.get(partition, (None, ()))
            if entered == epoch:
                found[partition] = positions
        return found
