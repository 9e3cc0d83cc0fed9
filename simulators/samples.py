"""From what a sensor saw in a minute to the samples of its messages: 1-s samples, lost ones, beat intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import envelopes
from simulators.chance import generator
from simulators.gathering import Gathering, Part
from simulators.people import People
from simulators.sensor import NO_RR

ALL_SECONDS = list(range(60))
SPIKE_BPM = 38.0  # how far off single samples are, as optical sensors have them
LOW, HIGH = 21, 240
CONTEXTS = ("unknown", "at_rest", "active", "exercise", "asleep")


@dataclass(frozen=True, slots=True)
class Strip:
    """N wearers over the grid: the columns that samples are made from; arrays (N, T), half floats to save memory."""

    names: list[str]
    phase_s: NDArray[np.int64]  # second of the minute at which a wearer's messages begin
    bpm: NDArray[np.float16]
    lost: NDArray[np.float16]
    steps: NDArray[np.uint8]
    irregular: NDArray[np.uint8]
    sd_bpm: NDArray[np.float16]
    context: NDArray[np.uint8]
    swing_bpm: NDArray[np.float16] | None  # None = nobody's rate swings in sleep
    swing_s: NDArray[np.float16] | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One message of a wearer: its row, when it leaves the device (ms after the epoch), its bytes."""

    row: int
    sent_ms: int
    value: bytes


class Sampler:
    """Makes the heart-rate messages of one minute for all wearers."""

    def __init__(self, strip: Strip, people: People, seed: int, first_min: int) -> None:
        self._strip, self._seed, self._first_min = strip, seed, first_min
        self._ahead_ms = np.zeros(len(people), np.int64)
        cadence = people.worn("cadence_s", np.int64)
        self._has_rr = people.worn("has_rr", np.bool_)
        self._wire_name = [people.wire_name(row) for row in range(len(people))]
        own = (people.worn("message_min", np.int64) <= 1) | (people.worn("samples_per_message", np.int64) == 1)
        self._alone = own.tolist()  # whose message is made at once, without waiting for further samples
        self._gathering = Gathering(people, strip.names)
        self._dense = np.flatnonzero(cadence < 60)
        self._slow = np.flatnonzero(cadence >= 60)
        self._due = np.arange(60)[None, :] % cadence[self._dense][:, None] == 0
        self._full = self._due.sum(1).tolist()
        self._spikes = people.worn("artefact_share")[self._dense][:, None]
        self._every = cadence[self._slow] // 60
        second = strip.phase_s[self._dense][:, None] + np.arange(60)
        middle = second / 60 - 0.5  # minutes after the middle of the minute in which the message begins
        self._left = np.floor(middle).astype(np.int64) + 1  # column among the four around that minute
        self._part = (middle - np.floor(middle)).astype(np.float32)
        self._minute = second // 60  # 0 or 1: which minute's losses apply

    def messages(self, minute: int, ahead_min: NDArray[np.int64], *, last: bool = False) -> list[Sample]:
        """Return the messages of this epoch minute; the watches' clocks run `ahead_min` (N,) ahead.

        Those of many minutes come in their last one, and in the `last` of all as far as they have got.
        """
        rng = generator(self._seed, "samples", minute)
        self._ahead_ms = ahead_min * 60_000
        alone = self._seconds(minute, rng) + self._singles(minute, rng)
        phase_s = self._strip.phase_s
        return alone + [
            Sample(row, (end_s + int(phase_s[row])) * 1000, value)
            for row, end_s, value in self._gathering.complete(minute, last=last)
        ]

    def _seconds(self, minute: int, rng: np.random.Generator) -> list[Sample]:
        s, rows, at = self._strip, self._dense, minute - self._first_min
        if not len(rows):
            return []
        around = s.bpm[rows, at - 1 : at + 3].astype(np.float32)
        left = np.take_along_axis(around, self._left, 1)
        right = np.take_along_axis(around, self._left + 1, 1)
        value = left + (right - left) * self._part
        white = rng.standard_normal((len(rows), 61), dtype=np.float32)
        value += s.sd_bpm[rows, at][:, None] * np.float32(np.sqrt(0.5)) * (white[:, 1:] + white[:, :-1])
        if s.swing_bpm is not None and s.swing_s is not None and (s.swing_bpm[rows, at] > 0).any():
            second = (minute % 1440) * 60 + s.phase_s[rows][:, None] + np.arange(60)
            period = np.maximum(s.swing_s[rows, at].astype(np.float64), 1)[:, None]
            value += s.swing_bpm[rows, at][:, None] * np.sin(2 * np.pi * second / period).astype(np.float32)
        spike = rng.random(value.shape, dtype=np.float32) < self._spikes
        value += spike * np.where(white[:, 1:] > 0, np.float32(SPIKE_BPM), np.float32(-SPIKE_BPM))
        bpm = np.clip(np.rint(value), LOW, HIGH).astype(np.int64)
        lost = np.take_along_axis(s.lost[rows, at : at + 2], self._minute, 1)
        kept = (rng.random(bpm.shape, dtype=np.float32) >= lost) & self._due
        there_count = kept.sum(1).tolist()
        context = s.context[rows, at].tolist()
        has_rr = (self._has_rr[rows] & (s.irregular[rows, at] != NO_RR)).tolist()
        start = (minute * 60 + s.phase_s[rows]) * 1000
        out = []
        for i, row in enumerate(rows.tolist()):
            if not there_count[i]:
                continue
            offsets, rates = envelopes.EVERY_SECOND, bpm[i].tolist()
            there = ALL_SECONDS
            if there_count[i] < 60:
                there = np.flatnonzero(kept[i]).tolist()
                offsets = ",".join([envelopes.SECOND_OFFSETS[j] for j in there])
                rates = [rates[j] for j in there]
            at_ms = int(start[i])
            rr = self._intervals(row, at, rng) if has_rr[i] else None
            if not self._alone[row]:
                part = Part(there, rates, rr, context[i])
                self._gathering.add(row, minute, at_ms + int(self._ahead_ms[row]), part)
                continue
            value_bytes = envelopes.heart_rate(
                s.names[row],
                f"{s.names[row]}-h{minute}",
                at_ms + int(self._ahead_ms[row]),
                offsets,
                rates,
                rr_ms=rr,
                context=CONTEXTS[context[i]],
                quality=there_count[i] / self._full[i],
                device=self._wire_name[row],
            )
            out.append(Sample(row, at_ms + 60_000, value_bytes))
        return out

    def _intervals(self, row: int, at: int, rng: np.random.Generator) -> list[int]:
        rate = float(self._strip.bpm[row, at])
        mean = 60_000 / rate
        spread = float(self._strip.irregular[row, at]) / 100 / np.sqrt(2) * mean
        beats = mean + spread * rng.standard_normal(max(int(rate), 1), dtype=np.float32)
        return [int(beat) for beat in np.clip(np.rint(beats), 250, 2800)]

    def _singles(self, minute: int, rng: np.random.Generator) -> list[Sample]:
        s, at = self._strip, minute - self._first_min
        rows = self._slow[minute % self._every == 0]
        scatter = rng.standard_normal(len(rows), dtype=np.float32)
        bpm = np.clip(np.rint(s.bpm[rows, at] + s.sd_bpm[rows, at] * scatter), LOW, HIGH).astype(np.int64).tolist()
        there = (rng.random(len(rows), dtype=np.float32) >= s.lost[rows, at]).tolist()
        out = []
        for i, row in enumerate(rows.tolist()):
            if there[i]:
                at_ms = (minute * 60 + int(s.phase_s[row])) * 1000
                name, told_ms = s.names[row], at_ms + int(self._ahead_ms[row])
                if not self._alone[row]:
                    self._gathering.add(row, minute, told_ms, Part([0], [bpm[i]]))
                    continue
                value = envelopes.heart_rate(
                    name, f"{name}-h{minute}", told_ms, "0", [bpm[i]], device=self._wire_name[row]
                )
                out.append(Sample(row, at_ms + 1000, value))
        return out
