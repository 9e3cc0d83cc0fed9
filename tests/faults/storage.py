"""The places where state is kept: full, damaged, or with the log gone from under them."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from kafka import KafkaAdminClient, TopicPartition

from stream_schemas.topics import BLOOD_PRESSURE, INPUTS
from tests.faults.agreement import agreement_since
from tests.faults.fault import Fault, logs_say
from tests.faults.history import check
from tests.faults.records import ends, read, read_all
from tests.faults.row import Row
from tests.faults.run import Run
from tests.faults.story import Expected, Fate

SMALL_MIB = 24
SAYS_FULL = "a checkpoint was not written and will be tried again"
SAYS_DAMAGED = "a checkpoint is not usable"
SAYS_LOST = "the log was cut off before it was read"


def generations(run: Run) -> dict[int, list[Path]]:
    """Return the checkpoint files of each partition, newest first."""
    place = Path(run.settings.checkpoint_place)
    return {
        p: sorted((place / f"{p:05d}").glob("*.safetensors"), reverse=True) if (place / f"{p:05d}").is_dir() else []
        for p in run.watch.partitions
    }


def has_checkpoints(run: Run, number: int) -> bool:
    """Tell whether every partition has so many generations."""
    return all(len(files) >= number for files in generations(run).values())


# ------------------------------------------------------------------------------------------------------------ full disk


def mount_small(run: Run) -> None:
    """Put the state folder on a small filesystem of its own, if we may mount one."""
    place = run.settings.state_dir
    place.mkdir(parents=True)
    if os.geteuid() != 0:
        return
    options = ["-o", f"size={SMALL_MIB}m"]
    made = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(place)], check=False, capture_output=True)
    if made.returncode == 0:
        run.at_end.append(lambda: subprocess.run(["umount", "-l", str(place)], check=False))


def set_modes(folders: Iterable[Path], mode: int) -> None:
    for folder in folders:
        folder.chmod(mode)


def fill(run: Run) -> Callable[[], None]:
    """Let nothing more be written under the state folder; return what makes room again."""
    place = run.settings.state_dir
    if not os.path.ismount(place):
        run.tell("no small filesystem may be mounted here: the folders of the checkpoints are closed instead")
        folders = [Path(run.settings.checkpoint_place), *Path(run.settings.checkpoint_place).iterdir()]
        set_modes(folders, 0o555)
        return partial(set_modes, folders, 0o755)
    filler = place / "filler"
    for piece in (b"\0" * 65536, b"\0"):
        with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(piece)
    return filler.unlink


def disk_full(run: Run) -> None:
    """Fill the disk; the stream must go on. Kill the worker while it is full; then make room again."""
    run.until("every partition has a checkpoint", lambda: has_checkpoints(run, 1))
    run.tell("the disk is full")
    make_room = fill(run)
    run.faults += 1
    run.until("the worker says so", lambda: SAYS_FULL in run.children.logs(), 20)
    run.wait(2)
    if not run.all_moving():
        run.notes.append("the stream stopped because the disk was full")
    run.mark("kill -9 of the worker, with the disk still full")
    run.children.kill("w1")
    run.start_worker("w1")
    run.wait(6)  # it may refuse to start on a full disk, with a sentence; the supervisor goes on trying
    before = generations(run)
    run.tell("there is room again")
    make_room()
    run.recovered()
    run.until("every partition has a newer checkpoint", lambda: _newer(before, generations(run)), 30)
    run.mark("kill -9 of the worker")
    run.children.kill("w1")
    run.start_worker("w1")
    run.recovered()


def _newer(before: dict[int, list[Path]], now: dict[int, list[Path]]) -> bool:
    return all(now[p] and now[p][0] != before[p][0] for p in before)


# -------------------------------------------------------------------------------------------------------------- damage


def newest_damaged(run: Run) -> None:
    """Kill the worker, flip a bit in or cut off the newest checkpoint of every partition, and start it again."""
    run.until("every partition has two checkpoints", lambda: has_checkpoints(run, 2))
    run.wait(1 + 2 * run.chance.random())
    run.mark("kill -9 of the worker; every newest checkpoint is damaged")
    run.children.kill("w1")
    for files in generations(run).values():
        damage(files[0], run.chance.random(), cut_off=run.chance.random() < 0.5)
    run.start_worker("w1")
    run.recovered()


def damage(file: Path, where: float, *, cut_off: bool) -> None:
    """Change one bit, or leave only the beginning."""
    size = file.stat().st_size
    at = min(size - 1, int(size * where))
    if cut_off:
        os.truncate(file, at)
        return
    with file.open("r+b") as content:
        content.seek(at)
        (byte,) = content.read(1)
        content.seek(at)
        content.write(bytes([byte ^ 8]))


# ----------------------------------------------------------------------------------------------------- a log cut short


def log_cut_off(run: Run) -> None:
    """Kill the worker, let the log begin behind what its checkpoint needs, and start it again."""
    run.until("every partition has a checkpoint", lambda: has_checkpoints(run, 1))
    run.wait(1)
    run.mark("kill -9 of the worker")
    run.children.kill("w1")
    run.wait(3)
    run.tell("the inputs begin behind the checkpoints now")
    beyond = ends(run.settings)
    delete_before(run, beyond)
    run.wait(0.5)
    run.start_worker("w1")
    run.recovered()


def delete_before(run: Run, offsets: dict[tuple[str, int], int]) -> None:
    """Delete the records of the inputs below these offsets, as retention does."""
    admin = KafkaAdminClient(bootstrap_servers=run.settings.kafka.bootstrap_servers)
    prefix = run.settings.kafka.topic_prefix
    compacted = {"context.wearer.v1"}
    try:
        admin.delete_records(
            {
                TopicPartition(prefix + topic, p): at
                for (topic, p), at in offsets.items()
                if topic in INPUTS and topic not in compacted
            }
        )
    finally:
        admin.close()


def judge_what_is_left(run: Run, row: Row) -> None:
    """What was lost is said. Whoever is told of by what is left must have the alert; the log gives what is new."""
    row.lost = row.doubled = row.different = 0
    row.why = list(run.children.ended)
    logs_say(SAYS_LOST)(run, row)
    claimed = {p: run.watch.of[p].claims[-1][0] for p in run.watch.partitions}
    since = [told for told in read_all(run.settings).alerts if told.stamp_ms >= claimed[told.partition]]
    expected = untouched(run)
    names = {one.wearer for one in expected}
    history = check([told for told in since if any(name.encode() in told.value for name in names)], expected)
    differs = agreement_since(run.settings, since, claimed)
    row.alerts_expected, row.outputs = history.expected, differs.expected
    row.lost = history.lost + differs.missing
    row.doubled, row.different = history.doubled, history.different + differs.different
    row.why += history.why


def untouched(run: Run) -> Iterable[Expected]:
    """Return the crises of which the log still holds every reading."""
    held = {told.value for told in read(run.settings, BLOOD_PRESSURE)}
    wanted: dict[str, set[bytes]] = {}
    for message in run.messages:
        if message.topic == BLOOD_PRESSURE and b'"diastolic_mmhg":10' in message.value:  # the severe ones
            wanted.setdefault(message.wearer, set()).add(message.value)
    return [one for one in run.story.expected() if wanted.get(one.wearer, {b""}) <= held]


FAULTS = [
    Fault("disk-full", "no room under the state folder", disk_full, 40, least_s=35, before=mount_small, may_end=True),
    Fault(
        "checkpoint-damaged",
        "the newest checkpoint of every partition damaged: the one before it is taken",
        newest_damaged,
        22,
        20,
        judge_more=logs_say(SAYS_DAMAGED),
    ),
    Fault(
        "log-cut-off",
        "the log begins behind the checkpoint: said, and nothing of what is left is lost",
        log_cut_off,
        22,
        20,
        plot={"only": (Fate.CRISIS, Fate.CALM)},
        judge_more=judge_what_is_left,
    ),
]
