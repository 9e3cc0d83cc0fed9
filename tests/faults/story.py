"""What happens to whom: wearers with a fate each, all decided by a seed, and the alerts that must come of it.

The truth here is plain reasoning about the story ("her heart ran at 126 for 24 minutes at rest, so HR_HIGH_REST is
raised once"); no line of the product takes part in it. The story is told in the recent past, several minutes of it in
each second of the run, because the rules need minutes and a run has seconds.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

HEART_RATE = "vitals.heart-rate.v1"
BLOOD_PRESSURE = "vitals.blood-pressure.v1"
ACTIVITY = "vitals.activity.v1"
PROFILE = "context.wearer.v1"

MINUTE_MS = 60_000
SAMPLE_EVERY_S = 10
RARELY_S = 45.0  # seconds of the run between two deliveries of a wearer who delivers rarely
BURST_MINUTES = 720
EPISODE_MINUTES = 24
BETWEEN_EPISODES = 50  # minutes from one begin to the next: the one before has cleared by then
FIRST_EPISODE = 14  # minutes of ordinary data first: a rule looks back ten
RAISED_WITHIN = 14  # minutes from the begin of an episode to its alert, at most
CALM_BPM, FAST_BPM, SLOW_BPM = 72, 126, 27


class Fate(StrEnum):
    """What a wearer is there for."""

    CALM = "calm"
    FAST_HEART = "fast heart"
    SLOW_HEART = "slow heart"
    CRISIS = "blood-pressure crisis"
    LOW_PRESSURE = "low blood pressure"
    SILENT = "falls silent"
    RARE = "delivers rarely"
    BURST = "syncs twelve hours at once"


SHARES = {
    Fate.CALM: 20,
    Fate.FAST_HEART: 20,
    Fate.SLOW_HEART: 8,
    Fate.CRISIS: 25,
    Fate.LOW_PRESSURE: 8,
    Fate.SILENT: 6,
    Fate.RARE: 7,
    Fate.BURST: 6,
}
"""Of a hundred wearers."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record to publish: `at_s` seconds after the run's begin."""

    at_s: float
    topic: str
    wearer: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Expected:
    """A rule that must be raised for a wearer, so many times in all."""

    wearer: str
    rule: str
    times: int


@dataclass(frozen=True, slots=True)
class Wearer:
    """One wearer of a story.

    Attributes
    ----------
    begins : minutes of the story at which something begins (an episode, a crisis).
    ends_s : second of the run after which nothing more is delivered; infinite for most.
    phase_s : offset of the deliveries inside their cadence, seconds of the run.
    """

    name: str
    fate: Fate
    team: str
    begins: tuple[int, ...] = ()
    ends_s: float = float("inf")
    phase_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plot:
    """The size of a story.

    Attributes
    ----------
    seconds : of the run in which records are published. minutes : of the story told in them.
    duplicates : share of all messages that are repetitions. shuffle_s : how long a message may be held back;
    `held` : the share of those that are.
    """

    seed: int
    wearers: int = 240
    seconds: float = 40.0
    minutes: int = 60
    duplicates: float = 0.15
    shuffle_s: float = 1.4
    held: float = 0.3
    only: tuple[Fate, ...] = tuple(Fate)

    @property
    def minutes_a_second(self) -> float:
        """Minutes of the story in a second of the run."""
        return self.minutes / self.seconds


class Story:
    """All wearers of a plot; a pure function of it."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        chance = random.Random(f"story {plot.seed}")
        fates = [fate for fate in plot.only for _ in range(SHARES[fate])]
        self.wearers = [self._wearer(chance, i, fates[i * len(fates) // plot.wearers]) for i in range(plot.wearers)]

    def _wearer(self, chance: random.Random, i: int, fate: Fate) -> Wearer:
        plot = self.plot
        begins: tuple[int, ...] = ()
        if fate in (Fate.FAST_HEART, Fate.SLOW_HEART, Fate.CRISIS, Fate.LOW_PRESSURE):
            last = plot.minutes - RAISED_WITHIN - round(3 * plot.minutes_a_second)
            first = FIRST_EPISODE + chance.randrange(max(1, min(BETWEEN_EPISODES - 20, last - FIRST_EPISODE)))
            begins = tuple(range(first, max(last, first) + 1, BETWEEN_EPISODES))
        if fate is Fate.BURST:
            begins = (-BURST_MINUTES + 150 + chance.randrange(60), -BURST_MINUTES + 450 + chance.randrange(60))
        ends_s = 5 + chance.random() * 0.2 * plot.seconds if fate is Fate.SILENT else float("inf")
        phase_s = chance.random()
        if fate is Fate.BURST:
            phase_s = (0.3 + 0.4 * phase_s) * plot.seconds
        team = ("north", "south")[chance.random() < 0.3]
        return Wearer(f"f{plot.seed}-{i:04d}", fate, team, begins, ends_s, phase_s)

    def expected(self) -> list[Expected]:
        """Return every alert that the story alone decides; silences depend on when records really arrived."""
        rule_of = {
            Fate.FAST_HEART: "HR_HIGH_REST",
            Fate.BURST: "HR_HIGH_REST",
            Fate.SLOW_HEART: "HR_LOW",
            Fate.CRISIS: "BP_SEVERE",
            Fate.LOW_PRESSURE: "BP_LOW",
        }
        return [
            Expected(wearer.name, rule_of[wearer.fate], len(wearer.begins))
            for wearer in self.wearers
            if wearer.fate in rule_of
        ]

    def messages(self, begin_ms: int) -> list[Message]:
        """Return everything to publish, in the order of publishing, duplicates and shuffles included.

        Parameters
        ----------
        begin_ms : epoch milliseconds at which the run begins; the story ends two minutes before the run does.
        """
        plot = self.plot
        chance = random.Random(f"delivery {plot.seed}")
        zero_ms = (begin_ms // MINUTE_MS - plot.minutes - 2) * MINUTE_MS
        out: list[Message] = []
        for wearer in self.wearers:
            for message in self._of(wearer, chance, zero_ms):
                held_s = chance.random() * plot.shuffle_s if chance.random() < plot.held else 0.0
                out.append(Message(message.at_s + held_s, message.topic, message.wearer, message.value))
                if chance.random() < plot.duplicates / (1 - plot.duplicates):
                    again_s = chance.random() * plot.shuffle_s
                    out.append(Message(message.at_s + again_s, message.topic, message.wearer, message.value))
        return sorted(out, key=lambda message: message.at_s)

    def _of(self, wearer: Wearer, chance: random.Random, zero_ms: int) -> Iterator[Message]:
        yield Message(0.0, PROFILE, wearer.name, profile(wearer.name, wearer.team, zero_ms))
        if wearer.fate is Fate.BURST:
            yield from self._burst(wearer, chance, zero_ms)
        elif wearer.fate in (Fate.CRISIS, Fate.LOW_PRESSURE):
            yield from self._readings(wearer, chance, zero_ms)
        if wearer.fate is not Fate.BURST:
            yield from self._minutes(wearer, chance, zero_ms)

    def _minutes(self, wearer: Wearer, chance: random.Random, zero_ms: int) -> Iterator[Message]:
        """Ordinary deliveries: a minute of heart rate each; who delivers rarely brings all since the last one."""
        plot = self.plot
        speed = plot.minutes_a_second
        step = max(1, round(RARELY_S * speed)) if wearer.fate is Fate.RARE else 1
        moves = wearer.fate is not Fate.FAST_HEART and chance.random() < 0.5
        for minute in range(0, plot.minutes, step):
            at_s = minute / speed + wearer.phase_s * step / speed
            if at_s > min(wearer.ends_s, plot.seconds):
                return
            n = min(step, plot.minutes - minute)
            bpm = [b for m in range(minute, minute + n) for b in samples(chance, self._bpm(wearer, m))]
            start_ms = zero_ms + minute * MINUTE_MS
            yield Message(at_s, HEART_RATE, wearer.name, heart_rate(wearer.name, start_ms, bpm))
            if not moves or chance.random() < 0.3:
                steps = [0 if not moves else chance.randrange(90) for _ in range(n)]
                yield Message(at_s, ACTIVITY, wearer.name, activity(wearer.name, start_ms, steps))

    def _burst(self, wearer: Wearer, chance: random.Random, zero_ms: int) -> Iterator[Message]:
        """Some minutes, silence on the wire, then twelve hours at once."""
        for k in range(4):
            start_ms = zero_ms - (BURST_MINUTES + 4 - k) * MINUTE_MS
            yield Message(0.5 + k / 2, HEART_RATE, wearer.name, heart_rate(wearer.name, start_ms, samples(chance, 70)))
        for hour in range(-BURST_MINUTES, 0, 60):
            bpm = [b for m in range(hour, hour + 60) for b in samples(chance, self._bpm(wearer, m))]
            start_ms = zero_ms + hour * MINUTE_MS
            yield Message(wearer.phase_s, ACTIVITY, wearer.name, activity(wearer.name, start_ms, [0] * 60))
            yield Message(wearer.phase_s, HEART_RATE, wearer.name, heart_rate(wearer.name, start_ms, bpm))

    def _readings(self, wearer: Wearer, chance: random.Random, zero_ms: int) -> Iterator[Message]:
        """Every begin brings severe or low readings, and an ordinary one that clears them some minutes later."""
        severe = wearer.fate is Fate.CRISIS
        told = [(2, 124, 79)]
        for begin in wearer.begins:
            systolic = 184 + chance.randrange(30) if severe else 82 + chance.randrange(8)
            told.append((begin, systolic, 100 if severe else 52))
            if not severe or chance.random() < 0.5:
                told.append((begin + 6, systolic, 102 if severe else 51))
            told.append((begin + 30, 126, 80))
        for minute, systolic, diastolic in told:
            at_s = minute / self.plot.minutes_a_second + wearer.phase_s
            if at_s <= self.plot.seconds:
                at_ms = zero_ms + minute * MINUTE_MS
                yield Message(at_s, BLOOD_PRESSURE, wearer.name, pressure(wearer.name, at_ms, systolic, diastolic))

    def _bpm(self, wearer: Wearer, minute: int) -> int:
        if any(begin <= minute < begin + EPISODE_MINUTES for begin in wearer.begins):
            return {Fate.FAST_HEART: FAST_BPM, Fate.BURST: FAST_BPM, Fate.SLOW_HEART: SLOW_BPM}.get(
                wearer.fate, CALM_BPM
            )
        return CALM_BPM


def samples(chance: random.Random, bpm: int) -> list[int]:
    """Return a minute of samples around a rate."""
    return [bpm + chance.randrange(-1, 2) for _ in range(60 // SAMPLE_EVERY_S)]


def rfc3339(epoch_ms: int) -> str:
    """Return a time as events carry it."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat()


def _event(schema: str, wearer: str, start_ms: int, **fields: object) -> bytes:
    name = f"{wearer}-{schema.partition('/')[0]}-{start_ms}"
    head = {"schema": schema, "event_id": name, "wearer_id": wearer, "start": rfc3339(start_ms)}
    return json.dumps({**head, **fields}, separators=(",", ":")).encode()


def heart_rate(wearer: str, start_ms: int, bpm: Sequence[int]) -> bytes:
    """Return an envelope of samples every ten seconds."""
    offset = list(range(0, len(bpm) * SAMPLE_EVERY_S * 1000, SAMPLE_EVERY_S * 1000))
    return _event("heart-rate/1", wearer, start_ms, device_id="watch", offset_ms=offset, bpm=list(bpm))


def activity(wearer: str, start_ms: int, steps: Sequence[int]) -> bytes:
    """Return the steps of consecutive minutes."""
    return _event("activity/1", wearer, start_ms, device_id="watch", steps=list(steps))


def pressure(wearer: str, at_ms: int, systolic: int, diastolic: int) -> bytes:
    """Return one reading of a cuff."""
    return _event(
        "blood-pressure/1",
        wearer,
        at_ms,
        device_id="cuff",
        systolic_mmhg=systolic,
        diastolic_mmhg=diastolic,
        measurement_method="cuff_oscillometric",
    )


def profile(wearer: str, team: str, at_ms: int) -> bytes:
    """Return a profile without anything special."""
    return _event(
        "wearer/1",
        wearer,
        at_ms,
        team=team,
        time_zone="UTC",
        age_years=50,
        conditions=[],
        medications=[],
        consent=True,
    )


def weather(wearer: str, at_ms: int, temperature_c: float) -> bytes:
    """Return the weather at the wearer's place, without a forecast."""
    return _event("weather/1", wearer, at_ms, temperature_c=temperature_c, humidity_pct=50)
