"""Checkpoints: what a partition's state was behind one cut, as sealed safetensors files with immutable names.

``<partition>/<epoch>-<at>.safetensors``: the claim under which the state's owner had the partition, and the cut in
`cuts.v1` behind which it stands. A cut that an owner saw acknowledged counts for good, so a checkpoint of an overtaken
owner is no lie, only old: names are compared by (epoch, at), and nobody deletes what a newer epoch wrote. Two
generations are kept, for the newest may turn out to be damaged. A pinned one, ``<epoch>-<at>.pinned.safetensors``,
stays beside them: the last of a version, to roll back to.

Beside the engine's arrays (``engine/NAME``) a file holds the tensors ``document`` and ``books`` (bytes), where there
are any ``outputs`` (bytes), and as metadata the format, the partition, the number of partitions, the inputs that the
position speaks of, the position, and the version of the engine.
"""

import errno
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from monitor.cuts import Position
from monitor.errors import CheckpointsDiffer, StoreUnreachable
from monitor.outputs import Output
from monitor.saved import Saved
from monitor.wearers.checkpoint_formats import FORMAT_NAMES, NotMigrated, migrated
from monitor.wearers.generation import Generation, folder_of, name_of, parsed
from monitor.wearers.store import check, open_store
from monitor.wearers.tensor_file import Damaged, metadata_of, sealed, unsealed

log = structlog.get_logger()

GENERATIONS = 2
PINNED = 4
_FOLDER = re.compile(r"\d{5,}")
_ENGINE = "engine/"
_HEAD_BYTES = 1 << 16
_NO_OUTPUTS = msgspec.msgpack.encode(())


class _Unusable(Exception):
    """A whole file that is not what is looked for; the text says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one partition behind one cut.

    Attributes
    ----------
    partition : int
    position : Position
        Of the cut; it has applied at least cut 0.
    engine : Saved
        Of `Engine.save`. From `Checkpoints.newest` its arrays are views of one buffer: copy what is to change.
    books : bytes
        The stream core's counts, encoded by the core.
    inputs : tuple of str
        What `position.next` and `position.stamp` speak of, in their order; not always the inputs of the reader.
    version : str
        Of the engine that wrote it; "" where the file does not say.
    outputs : tuple of Output
        Of the checkpoint's own cut: those that may not have been sent.
    """

    partition: int
    position: Position
    engine: Saved
    books: bytes
    inputs: tuple[str, ...]
    version: str = ""
    outputs: tuple[Output, ...] = ()


class Checkpoints:
    """The checkpoints in one place. Every method blocks: call it in a thread.

    Parameters
    ----------
    place : str or Path
        Folder or URL, see `monitor.wearers.store`; shared by all workers.
    partitions : int
        Of every topic. Another number puts wearers into other partitions, so checkpoints of another number are
        refused.

    Attributes
    ----------
    place : where they are, for sentences.

    Raises
    ------
    StoreUnreachable
        If no file system has such a URL.
    """

    def __init__(self, place: str | Path, *, partitions: int) -> None:
        self._store = open_store(place)
        self.place = self._store.place
        self._partitions = partitions
        self._unusable: set[str] = set()

    def check(self) -> None:
        """Find out at start whether the place can be used.

        Raises
        ------
        StoreUnreachable
            If it cannot be written and read.
        CheckpointsDiffer
            If the checkpoints in it are of another number of partitions.
        """
        check(self._store)
        try:
            for folder in self._store.folders():
                if _FOLDER.fullmatch(folder):
                    self._check_partitions(int(folder))
        except OSError as error:
            raise StoreUnreachable(
                f"The checkpoints in {self._store.place} cannot be read ({error.strerror or error}): "
                "make them readable for this worker, or name another place."
            ) from error

    def write(self, checkpoint: Checkpoint, *, pinned: bool = False) -> str:
        """Keep a checkpoint, then delete what is older than the two newest generations of its partition.

        Parameters
        ----------
        checkpoint : Checkpoint
        pinned : bool
            Keep it beside those two, until four pinned ones are newer.

        Returns
        -------
        str
            The name under which it is durable and visible.

        Raises
        ------
        OSError
            If it could not be written: nothing of it is visible, and the same may be tried again. An old generation
            that could not be deleted is only said.
        """
        position = checkpoint.position
        if position.next is None:
            raise ValueError("before cut 0 there is nothing to keep")
        own = Generation(position.epoch, position.at, pinned)
        name = name_of(checkpoint.partition, own)
        self._store.write(name, sealed(self._metadata(checkpoint), _arrays(checkpoint)))
        self._unusable.discard(name)
        try:
            self._prune(checkpoint.partition, own)
        except OSError as error:
            log.warning("old checkpoints were not deleted", partition=checkpoint.partition, why=str(error))
        return name

    def newest(self, partition: int, below: int) -> Checkpoint | None:
        """Return the newest usable checkpoint of a partition whose cut lies below an offset; None if there is none.

        Raises
        ------
        OSError, CheckpointsDiffer
            As `usable`.
        """
        return next(self.usable(partition, below), None)

    def usable(self, partition: int, below: int) -> Iterator[Checkpoint]:
        """Yield the usable checkpoints of a partition from the newest back, each read when it is asked for.

        Parameters
        ----------
        partition : int
        below : int
            Offset in `cuts.v1`, usually of the claim: only checkpoints of cuts below it.

        Yields
        ------
        Checkpoint
            By (epoch, at), highest first, of whatever inputs. A file that is damaged or of a newer format is named in
            the log and passed over.

        Raises
        ------
        OSError
            If the place does not answer: what is in it is unknown, which is not the same as nothing.
        CheckpointsDiffer
            If a checkpoint is of another number of partitions.
        """
        done: set[Generation] = set()
        while True:
            # Listed again after each: the predecessor may still write, and delete what was listed before.
            left = [one for one in self.generations(partition) if one.at < below and one not in done]
            if not left:
                return
            done.add(left[0])
            checkpoint = self._read(partition, left[0])
            if checkpoint is not None:
                yield checkpoint
            del checkpoint  # it may be large, and so is the next one

    def refuse(self, checkpoint: Checkpoint, reason: str) -> None:
        """Say that a checkpoint turned out not to be usable (the engine or the log refused it): never a generation.

        It stays where it is, as evidence, until two usable ones are newer; `usable` goes on behind it.
        """
        position = checkpoint.position
        for pinned in (True, False):  # either file of that cut
            name = name_of(checkpoint.partition, Generation(position.epoch, position.at, pinned))
            self._unusable.add(name)
        self._say_unusable(name, reason)

    def generations(self, partition: int) -> list[Generation]:
        """Return what is there of a partition by name, newest first, usable or not.

        Raises
        ------
        OSError
            If the place does not answer.
        """
        found = [parsed(name) for name in self._store.list(folder_of(partition))]
        return sorted((generation for generation in found if generation is not None), reverse=True)

    def _prune(self, partition: int, own: Generation) -> None:
        """Delete what is older than the newest usable ones among those that are not of a newer epoch."""
        room = {False: GENERATIONS, True: PINNED}
        for generation in self.generations(partition):
            name = name_of(partition, generation)
            if generation.epoch > own.epoch:
                continue
            if room[generation.pinned] <= 0 and generation != own:
                self._store.delete(name)
                self._unusable.discard(name)
            elif name not in self._unusable:
                room[generation.pinned] -= 1

    def _check_partitions(self, partition: int) -> None:
        """Look at the header of a partition's newest file, and only if it tells of another number at all of it."""
        for generation in self.generations(partition)[:1]:
            name = name_of(partition, generation)
            try:
                if metadata_of(self._store.read(name, _HEAD_BYTES)).get("partitions") != str(self._partitions):
                    self._opened(name, partition, generation)
            except (FileNotFoundError, Damaged, NotMigrated, _Unusable):
                continue  # whoever needs it finds out and says so

    def _read(self, partition: int, generation: Generation) -> Checkpoint | None:
        name = name_of(partition, generation)
        reason: Exception
        try:
            return self._opened(name, partition, generation)
        except FileNotFoundError:
            return None  # pruned since it was listed
        except (Damaged, NotMigrated, _Unusable) as error:
            reason = error
        except OSError as error:
            # A block that cannot be read is damage of this file; all else may pass, and another file may be older.
            if error.errno != errno.EIO:
                raise
            reason = error
        self._say_unusable(name, str(reason))
        return None

    def _say_unusable(self, name: str, reason: str) -> None:
        self._unusable.add(name)
        log.warning("a checkpoint is not usable: an older one is looked for", name=name, reason=reason)

    def _opened(self, name: str, partition: int, generation: Generation) -> Checkpoint:
        file = migrated(unsealed(self._store.read(name)))
        try:
            of, partitions = int(file.metadata["partition"]), int(file.metadata["partitions"])
            inputs = msgspec.json.decode(file.metadata["inputs"], type=tuple[str, ...])
            position = msgspec.json.decode(file.metadata["position"], type=Position)
            document, books = file.arrays["document"].tobytes(), file.arrays["books"].tobytes()
            sent = file.arrays["outputs"].tobytes() if "outputs" in file.arrays else _NO_OUTPUTS
            outputs = msgspec.msgpack.decode(sent, type=tuple[Output, ...])
        except (KeyError, ValueError) as error:
            raise _Unusable(f"a part of it is missing or unreadable ({error!r})") from error
        if partitions != self._partitions:
            raise CheckpointsDiffer(
                f"{self._store.place} holds checkpoints of {partitions} partitions, not of {self._partitions}: "
                "set the number back, or name an empty place (the state is then replayed from the log)."
            )
        if (of, position.epoch, position.at) != (partition, generation.epoch, generation.at):
            raise _Unusable("its name is that of another checkpoint")
        if position.next is None or not len(position.next) == len(position.stamp) == len(inputs):
            raise _Unusable("its position does not name every input")
        arrays = {key.removeprefix(_ENGINE): array for key, array in file.arrays.items() if key.startswith(_ENGINE)}
        version = file.metadata.get("version", "")
        return Checkpoint(partition, position, Saved(arrays, document), books, inputs, version, outputs)

    def _metadata(self, checkpoint: Checkpoint) -> dict[str, str]:
        version = {"version": checkpoint.version} if checkpoint.version else {}
        return version | {
            "format": FORMAT_NAMES[-1],
            "partition": str(checkpoint.partition),
            "partitions": str(self._partitions),
            "inputs": json.dumps(checkpoint.inputs),
            "position": msgspec.json.encode(_place(checkpoint.position)).decode(),
        }


def _arrays(checkpoint: Checkpoint) -> dict[str, NDArray[Any]]:
    arrays = {_ENGINE + name: array for name, array in checkpoint.engine.arrays.items()}
    arrays["document"] = np.frombuffer(checkpoint.engine.document, np.uint8)
    arrays["books"] = np.frombuffer(checkpoint.books, np.uint8)
    if checkpoint.outputs:
        arrays["outputs"] = np.frombuffer(msgspec.msgpack.encode(checkpoint.outputs), np.uint8)
    return arrays


def _place(position: Position) -> dict[str, Any]:
    """Return what is written of a position: its inputs and version stand beside it."""
    names = ("at", "epoch", "seq", "T", "next", "stamp", "digest")
    return {name: getattr(position, name) for name in names}
