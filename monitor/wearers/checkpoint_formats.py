"""The formats that checkpoints had, and how a file of an older one becomes one of the next.

Every format is sealed as `monitor.wearers.tensor_file` tells and names itself in the metadata entry ``format``.
Whoever changes what a checkpoint holds adds a name, a migration from the last one, and a real file of the last one to
``tests/wearers`` and ``tests/engine/saved_worlds``. What is only new needs no format: an engine reads zeros, "nothing
yet", where a field or a rule is missing, and leaves out and names what it does not know.

=======  ==============================================================================================================
format   what a file holds
=======  ==============================================================================================================
0        engine arrays under their bare names; ``document`` a tensor; the books as text and the position as the JSON
         list [at, epoch, seq, T, next, stamp, digest] in the metadata entries ``books`` and ``cut``
1        engine arrays as ``engine/NAME``; ``document`` and ``books`` tensors; the position as a JSON object
2        of wearers: 16 rules where there were 7; six minutes and days as int32; the minute of a weather report where
         its ms was; a bit a slot that says whether a day is held, where its epoch day was
3        rules and kinds of events by name: in the document ``rules`` and ``kinds`` name the columns of
         ``wearer.alert_*`` and the codes of ``waiting.kind``, episodes and what events carry go by them; an input may
         be one that the reader has not; ``version`` in the metadata and the tensor ``outputs``, where there are any
=======  ==============================================================================================================
"""

from collections.abc import Callable

import msgspec
import numpy as np

from monitor.wearers.tensor_file import TensorFile

FORMAT_NAMES = tuple(f"pulsewarden-checkpoint/{number}" for number in range(4))
"""All there ever were, oldest first; the last is the one that is written."""


_RULES_OF_2 = (
    "HR_HIGH_REST", "HR_LOW", "BP_SEVERE", "BP_LOW", "HEAT_LOAD", "RISK_MODEL", "NO_DATA", "NEWS2_PARTS",
    "NIGHT_SIGNAL", "PERSONAL_CUSUM", "AF_BURDEN", "BP_TREND", "TREND_DEV", "POOR_RECOVERY", "SLEEP_DEBT", "SUB_HEALTH",
)  # fmt: skip
_KINDS_OF_2 = ("PROFILE", "HEART_RATE", "ACTIVITY", "SLEEP", "WEATHER", "READING", "SCORE", "COMMAND")


class NotMigrated(Exception):
    """The file is of a format that this version does not know, or not what its format says; the text tells."""


def migrated(file: TensorFile) -> TensorFile:
    """Return a file of any known format as one of the newest.

    Raises
    ------
    NotMigrated
        If the format is unknown (a newer version wrote it), or a part that it must have is missing.
    """
    name = file.metadata.get("format", "")
    if name not in FORMAT_NAMES:
        raise NotMigrated(f"its format is {name!r}, and this version knows {', '.join(FORMAT_NAMES)}")
    for step in MIGRATIONS[FORMAT_NAMES.index(name) :]:
        try:
            file = step(file)
        except (LookupError, TypeError, ValueError) as error:
            raise NotMigrated(f"it is not what a file of {name} must be ({error!r})") from error
    return file


def _from_0(file: TensorFile) -> TensorFile:
    metadata = dict(file.metadata)
    books = metadata.pop("books").encode()
    at, epoch, seq, T, following, stamp, digest = msgspec.json.decode(metadata.pop("cut"), type=tuple[object, ...])
    position = {"at": at, "epoch": epoch, "seq": seq, "T": T, "next": following, "stamp": stamp, "digest": digest}
    arrays = {name if name == "document" else f"engine/{name}": array for name, array in file.arrays.items()}
    arrays["books"] = np.frombuffer(books, np.uint8)
    return TensorFile(
        {**metadata, "format": FORMAT_NAMES[1], "position": msgspec.json.encode(position).decode()}, arrays
    )


def _from_1(file: TensorFile) -> TensorFile:
    arrays = dict(file.arrays)
    of_rules = [name for name in arrays if name.startswith("engine/wearer.alert_")]
    for name in of_rules:
        arrays[name] = np.pad(arrays[name], ((0, 0), (0, 16 - 7)))
    for field in ("sleep_start", "sleep_end", "head_minute", "head_second_minute", "dirty_minute", "day"):
        if (name := f"engine/wearer.{field}") in arrays:
            arrays[name] = arrays[name].astype(np.int32)
    if (weather := arrays.pop("engine/wearer.weather_ms", None)) is not None:
        arrays["engine/wearer.weather_minute"] = (weather // 60_000).astype(np.int32)
    if (held := arrays.pop("engine/wearer.days_held", None)) is not None:
        before = arrays["engine/wearer.day"][:, None]
        marked = (held > 0) & (held < before) & (held >= before - 28)
        arrays["engine/wearer.days_mask"] = (marked << np.arange(28)).sum(axis=1).astype(np.uint32)
    return TensorFile({**file.metadata, "format": FORMAT_NAMES[2]}, arrays)


def _from_2(file: TensorFile) -> TensorFile:
    arrays = dict(file.arrays)
    if "engine/waiting.kind" in arrays:  # so it is of the engine; other states have a document of their own
        document = msgspec.msgpack.decode(arrays["document"].tobytes())
        document["episodes"] = [(place, _RULES_OF_2[rule], episode) for place, rule, episode in document["episodes"]]
        document["carried"] = [(_KINDS_OF_2[kind], one) for kind, one in document["carried"]]
        document |= {"rules": _RULES_OF_2, "kinds": _KINDS_OF_2}
        arrays["document"] = np.frombuffer(msgspec.msgpack.encode(document), np.uint8)
    return TensorFile({**file.metadata, "format": FORMAT_NAMES[3]}, arrays)


MIGRATIONS: tuple[Callable[[TensorFile], TensorFile], ...] = (_from_0, _from_1, _from_2)
"""Entry n turns format n into n + 1."""
