"""docs/real-data.md, written by the command that measured, with its pictures beside it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.real_data.results import Study

LARGEST_PICTURE = 150_000


@dataclass(frozen=True, slots=True)
class Run:
    """How the page came about: day, command, and the digest of the data."""

    date: str
    command: str
    digest: str
    files: int


def digest(data: Path) -> tuple[str, int]:
    """Return a short digest of all files below a folder, by their names and contents, and how many they are."""
    paths = sorted(path for path in data.rglob("*") if path.is_file())
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.relative_to(data).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16], len(paths)


def write(path: Path, studies: Sequence[Study], run: Run) -> None:
    """Write the page and its pictures; pictures of studies that were not run stay.

    Raises
    ------
    ValueError
        If a picture is larger than a page should carry.
    """
    pictures = path.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    for study in studies:
        for name, (content, _) in study.pictures.items():
            if len(content) > LARGEST_PICTURE:
                raise ValueError(f"{name} has {len(content):,} bytes, more than {LARGEST_PICTURE:,}.")
            (pictures / name).write_bytes(content)
    path.write_text("\n".join(_lines(studies, run, pictures.name)) + "\n", encoding="utf-8")


def _lines(studies: Sequence[Study], run: Run, pictures: str) -> Iterator[str]:
    yield "# Real data"
    yield ""
    yield (
        f"This page was written by `{run.command}` on {run.date}, from a folder of {run.files} files with digest "
        f"`{run.digest}`. `python -m benchmarks.real_data --data DIR --only NAME --json FILE` runs a study on any "
        "folder of the same layout. Sources and licences are named in the folder's READMEs. Nothing here is a "
        "diagnosis, and Pulsewarden is not a medical device."
    )
    yield ""
    yield "## What was asked and what came out"
    yield ""
    targets = [target for study in studies for target in study.targets]
    yield from (f"- {target.sentence()}" for target in targets)
    if not targets:
        yield "- Nothing was measured."
    missing = [f"{study.name}: {study.skipped}" for study in studies if study.skipped]
    missing += [f"{study.name}: {what}" for study in studies for what in study.missing]
    if missing:
        yield ""
        yield "Missing:"
        yield ""
        yield from (f"- {what}" for what in missing)
    for study in studies:
        if not study.skipped:
            yield from _section(study, pictures)


def _section(study: Study, pictures: str) -> Iterator[str]:
    yield ""
    yield f"## {study.title}"
    yield ""
    for sentence in study.sentences:
        yield sentence
        yield ""
    for table in study.tables:
        yield from table.markdown()
    for name, (_, says) in study.pictures.items():
        yield f"![{says}]({pictures}/{name})"
        yield ""
    if study.limits:
        yield "What this does not show:"
        yield ""
        yield from (f"- {limit}" for limit in study.limits)
