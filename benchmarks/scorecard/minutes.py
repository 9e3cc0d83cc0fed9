"""Minute recordings: episodes laid over them, and the real engine in this process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.in_process import Message, run
from benchmarks.real_data import people_minutes
from benchmarks.scorecard.compared import Copy
from benchmarks.scorecard.days import HISTORY_DAYS, onset_days
from benchmarks.scorecard.thin import EVERY_MIN, MINUTE_MS, wrist
from benchmarks.scorecard.variants import AT_REST, Variant
from monitor.alerting.limits import Limits
from monitor.signals.resting import night_rate
from simulators.recordings import welltory
from simulators.recordings.recording import Record as Told
from simulators.scorecard.alerts import alarms, version
from simulators.scorecard.record import Alarm, Event, Ints, wear, worn_share
from simulators.transplant import Minutes, over_minutes
from stream_schemas import topics

DAY_MIN, NIGHT_MIN = 1440, 420
AFTER_DAYS = 8  # of a recording behind an onset that builds up over days
AROUND_MIN = (DAY_MIN, DAY_MIN)  # before and behind an onset that does not
AWAKE_H = (9, 20)
TRIES = 40
CUT_MS = 10 * MINUTE_MS
NO_STEPS = 255
WELLTORY_PERSON = "6be5033971"
UTC = ZoneInfo("UTC")
PLAYED_FROM = 16_801 * DAY_MIN  # 2016-01-01: all pieces are played side by side from this day on


@dataclass(frozen=True, slots=True)
class Source:
    """A person's recording; `others` are messages of theirs that are sent on as they are, in order of time."""

    person: str
    minutes: Minutes
    others: Sequence[Told] = field(default_factory=list)


def fitabase(data: Path) -> list[Source]:
    """Read the people of Fitabase; nights have no times there and are left out."""
    return [
        Source(f"fitabase-{one.name}", Minutes(one.first, one.bpm, one.steps)) for one in people_minutes.fitabase(data)
    ]


def from_welltory(data: Path) -> list[Source]:
    """Read the one person whose rates come every five minutes: no steps by the minute, but nights and pressures."""
    found = welltory.read(data, UTC, {WELLTORY_PERSON}, "unknown", ("north",))
    records = found.in_order()
    watch = [one for one in records if one.topic == topics.HEART_RATE and "rr_ms" not in one.event]
    others = [one for one in records if one.topic != topics.HEART_RATE]
    if not watch:
        return []
    at = np.concatenate([(one.event["start"] + np.array(one.event["offset_ms"])) // MINUTE_MS for one in watch])
    bpm = np.concatenate([np.array(one.event["bpm"], np.float64) for one in watch])
    dense = _dense(at)
    first = int(dense[0]) * DAY_MIN
    grid = np.full((int(dense[-1]) - int(dense[0]) + 1) * DAY_MIN, np.nan)
    inside = (at >= first) & (at < first + len(grid))
    grid[at[inside] - first] = bpm[inside]
    return [Source(f"welltory-{WELLTORY_PERSON}", Minutes(first, grid, np.full(len(grid), np.nan)), others)]


def _dense(at: Ints) -> Ints:
    """Return the days with more than a hundred rates."""
    days, count = np.unique(at // DAY_MIN, return_counts=True)
    return np.asarray(days[count > 100])


@dataclass(frozen=True, slots=True)
class _Played:
    """What is played for one wearer: a piece of a source, changed or not."""

    source: Source
    minutes: Minutes
    every_min: int


def copies(sources: Sequence[Source], variants: Sequence[Variant], most: int, seed: int, limits: Limits) -> list[Copy]:
    """Lay every variant over every recording that can carry it, at up to *most* onsets, and play them to the engine."""
    rng = np.random.default_rng(seed)
    played: dict[str, _Played] = {}
    bare: dict[tuple[str, int, int], str] = {}  # the same piece without an episode is played once
    drawn: list[tuple[Variant, Source, Event, str]] = []
    for source in sources:
        for variant in variants:
            for onset, begin, end in _places(source, variant, most, rng):
                part = _cut(source.minutes, begin, end)
                episode = variant.episode(rng, float(np.nanpercentile(part.bpm, 10)))
                name = f"{source.person}-{len(drawn)}"
                event = Event(name, variant.kind, onset, onset + episode.minutes, variant.form.name.lower())
                often = 1 if variant.kind in AT_REST else EVERY_MIN
                played[name] = _Played(source, over_minutes(part, variant.kinetics, episode, onset), often)
                same = bare.setdefault((source.person, begin, end), f"{source.person}-bare-{len(bare)}")
                played[same] = _Played(source, part, often)
                drawn.append((variant, source, event, same))
    found = _play(played, limits)
    out = []
    for variant, source, event, same in drawn:
        without = [Alarm(event.wearer, alarm.rule, alarm.raised) for alarm in found.get(same, [])]
        known = np.flatnonzero(~np.isnan(played[same].minutes.bpm))
        worn = wear(played[same].minutes.first + known)
        out.append(Copy(variant, source.person, event, worn, found.get(event.wearer, []), without))
    return out


def _places(source: Source, variant: Variant, most: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Return onset, first and past-the-last minute of what is played."""
    m = source.minutes
    last = m.first + len(m.bpm)
    if variant.kind not in AT_REST:
        midnights = [m.first + day * DAY_MIN for day in onset_days(nights(m), most)]
        return [
            (at + 10 * 60, max(at - HISTORY_DAYS * DAY_MIN, m.first), min(at + AFTER_DAYS * DAY_MIN, last))
            for at in midnights
        ]
    worn = wear(m.first + np.flatnonzero(~np.isnan(m.bpm)))
    places: list[tuple[int, int, int]] = []
    for _ in range(TRIES):
        day = int(rng.integers(len(m.bpm) // DAY_MIN))
        onset = m.first + day * DAY_MIN + int(rng.integers(AWAKE_H[0] * 60, AWAKE_H[1] * 60))
        if worn_share(worn, onset - 120, onset + 120) >= 0.9 and len(places) < most:
            begin, end = max(onset - AROUND_MIN[0], m.first), min(onset + AROUND_MIN[1], last)
            places.append((onset, begin, end))
    return places


def nights(minutes: Minutes) -> NDArray[np.float64]:
    """Return the nightly rate of each day as the monitor has it; NaN = not known."""
    shape = (-1, DAY_MIN)
    known = ~np.isnan(minutes.steps).reshape(shape)
    bpm = np.nan_to_num(minutes.bpm).reshape(shape).astype(np.uint8)
    steps = np.nan_to_num(minutes.steps).reshape(shape).astype(np.uint8)
    return np.asarray(night_rate(bpm, steps, known, np.broadcast_to(np.arange(DAY_MIN) < NIGHT_MIN, bpm.shape)).bpm)


def _cut(minutes: Minutes, begin: int, end: int) -> Minutes:
    place = slice(begin - minutes.first, end - minutes.first)
    return Minutes(begin, minutes.bpm[place], minutes.steps[place])


def _play(played: dict[str, _Played], limits: Limits) -> dict[str, list[Alarm]]:
    """Play pieces side by side: each is moved by whole days, which changes no time of day."""
    messages: list[Message] = []
    shifts: dict[str, int] = {}
    for name, one in played.items():
        shifts[name] = one.minutes.first // DAY_MIN * DAY_MIN
        messages += _messages(name, one, shifts[name])
    messages.sort(key=lambda message: message[3])
    out: dict[str, list[Alarm]] = {}
    for alarm in alarms(map(version, run(messages, limits, every_ms=CUT_MS, tables=(), teams=("north",)).alerts)):
        moved = alarm.raised + shifts[alarm.wearer] - PLAYED_FROM
        out.setdefault(alarm.wearer, []).append(Alarm(alarm.wearer, alarm.rule, moved))
    return out


def _messages(name: str, piece: _Played, shift: int) -> Iterator[Message]:
    m = piece.minutes
    begin = m.first - shift + PLAYED_FROM
    lead = begin % EVERY_MIN  # a message ends at a whole half hour
    bpm, steps = np.zeros(lead + len(m.bpm), np.uint8), np.full(lead + len(m.bpm), NO_STEPS, np.uint8)
    bpm[lead:] = np.nan_to_num(m.bpm)
    steps[lead:] = np.where(np.isnan(m.steps), NO_STEPS, np.minimum(np.nan_to_num(m.steps), NO_STEPS - 1))
    yield from wrist(name, begin - lead, bpm, steps, piece.every_min)
    moved_ms = (PLAYED_FROM - shift) * MINUTE_MS
    first_ms, last_ms = m.first * MINUTE_MS, (m.first + len(m.bpm)) * MINUTE_MS
    for one in piece.source.others:
        if first_ms <= one.at_ms < last_ms or one.topic == topics.WEARER:
            at_ms = max(one.at_ms, first_ms)
            event = {**one.event, "wearer_id": name, "event_id": f"{name}-{one.event['event_id']}"}
            value = Told(at_ms, one.topic, name, event).value(moved_ms)
            yield one.topic, name.encode(), value, at_ms + moved_ms
