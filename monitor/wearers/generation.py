"""The names of checkpoint files, and what they tell."""

import re
from typing import NamedTuple

_NAME = re.compile(r"(?P<epoch>\d{12,})-(?P<at>\d{12,})(?P<pinned>\.pinned)?\.safetensors")


class Generation(NamedTuple):
    """What the name of a checkpoint tells; the tuple's order is that of age."""

    epoch: int
    at: int
    pinned: bool = False


def parsed(name: str) -> Generation | None:
    """Read a file's name, without the folder; None if it is not that of a checkpoint.

    >>> parsed("000000000007-000000000010.pinned.safetensors")
    Generation(epoch=7, at=10, pinned=True)
    """
    found = _NAME.fullmatch(name)
    return None if found is None else Generation(int(found["epoch"]), int(found["at"]), bool(found["pinned"]))


def folder_of(partition: int) -> str:
    """Name the folder of a partition's checkpoints."""
    return f"{partition:05d}"


def name_of(partition: int, generation: Generation) -> str:
    """Name a file, with its folder.

    >>> name_of(2, Generation(7, 10))
    '00002/000000000007-000000000010.safetensors'
    """
    pinned = ".pinned" if generation.pinned else ""
    return f"{folder_of(partition)}/{generation.epoch:012d}-{generation.at:012d}{pinned}.safetensors"
