"""What episodes do to the body: changes of the latent state, minute by minute, before any sensor looks at it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.episodes import Episodes
from simulators.kinds import Kind

FIBRILLATION_CV = (0.15, 0.25)  # beat-to-beat, against < 0.05-0.08 in sinus rhythm at rest
HOT_HUMIDITY_PCT = 38.0  # while `heat_c` holds; hot air is seldom humid
HOLD_BEFORE_MIN = 14  # who is struck at rest has been sitting for this long


@dataclass(frozen=True, slots=True)
class Effects:
    """(B, T) changes of the latent state."""

    add_bpm: NDArray[np.float32]  # on the sinus rate
    hold_bpm: NDArray[np.float32]  # rate that another focus or block imposes; 0 = none
    still: NDArray[np.bool_]  # no activity at all
    moves: NDArray[np.float32]  # multiplies activity
    systolic_mmhg: NDArray[np.float32]  # imposed; 0 = none
    diastolic_mmhg: NDArray[np.float32]
    pressure_share: NDArray[np.float32]  # how much of the imposed pressure holds, 0..1
    irregular_cv: NDArray[np.float32]  # of RR intervals in fibrillation; 0 = sinus
    heat_c: NDArray[np.float32]  # added to the weather that the wearer's phone reports


def effects(episodes: Episodes, B: int, first_min: int, T: int) -> Effects:
    """Lay the episodes of B wearers over T minutes from `first_min`."""

    def zeros() -> NDArray[np.float32]:
        return np.zeros((B, T), np.float32)

    out = Effects(
        add_bpm=zeros(),
        hold_bpm=zeros(),
        still=np.zeros((B, T), bool),
        moves=np.ones((B, T), np.float32),
        systolic_mmhg=zeros(),
        diastolic_mmhg=zeros(),
        pressure_share=zeros(),
        irregular_cv=zeros(),
        heat_c=zeros(),
    )
    for row in range(len(episodes)):
        _APPLY.get(Kind(int(episodes.kind[row])), _nothing)(out, episodes, row, first_min)
    return out


def _span(out: Effects, first_min: int, begin: int, end: int) -> tuple[slice, NDArray[np.float32]]:
    """Return the columns of begin..end that are in the grid, and their epoch minutes."""
    T = out.add_bpm.shape[1]
    columns = slice(min(max(begin - first_min, 0), T), min(max(end - first_min, 0), T))
    return columns, (first_min + np.arange(columns.start, columns.stop)).astype(np.float32)


def _nothing(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Watches and gateways: the body does not notice."""


def _rhythm(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Tachycardia and bradycardia: another rate takes over within two minutes; some announce themselves."""
    w, onset, end = int(e.wearer[row]), int(e.onset_min[row]), int(e.end_min[row])
    columns, minute = _span(out, first_min, onset, end)
    wave = 1.5 * np.sin(minute / 7 + 6 * e.shift[row])
    out.hold_bpm[w, columns] = e.level[row] + wave
    out.still[w, _span(out, first_min, onset - HOLD_BEFORE_MIN, end + 3)[0]] = True
    if e.kind[row] == Kind.TACHYCARDIA_AT_REST and e.shift[row] > 0.4:
        lead = int(180 * (e.shift[row] - 0.4))
        columns, minute = _span(out, first_min, onset - lead, onset)
        out.add_bpm[w, columns] += 10 * (e.shift[row] - 0.4) * (1 - (onset - minute) / max(lead, 1))


def _pressure(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Crisis and hypotension: pressure builds up over the ramp, holds, and comes back within the hour."""
    w, onset, end, ramp = int(e.wearer[row]), int(e.onset_min[row]), int(e.end_min[row]), int(e.ramp_min[row])
    columns, minute = _span(out, first_min, onset - ramp, end + 60)
    share = np.minimum(1.0, (minute - (onset - ramp)) / max(ramp, 1))
    share = np.clip(np.minimum(share, 1 - (minute - end) / 60), 0, 1)
    crisis = e.kind[row] == Kind.HYPERTENSIVE_CRISIS
    diastolic = 119 + 14 * e.shift[row] if crisis else 0.6 * e.level[row]
    out.systolic_mmhg[w, columns] = e.level[row]
    out.diastolic_mmhg[w, columns] = diastolic
    out.pressure_share[w, columns] = share
    out.add_bpm[w, columns] += share * (18 * e.shift[row] if crisis else 8 + 16 * e.shift[row])
    out.moves[w, columns] *= 0.4


def _infection(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Infection: up over a day and a half, down over the second half; less movement the worse it is."""
    w, onset, end = int(e.wearer[row]), int(e.onset_min[row]), int(e.end_min[row])
    columns, minute = _span(out, first_min, onset, end)
    course = np.clip(np.minimum((minute - onset) / (36 * 60), (end - minute) / (0.55 * (end - onset))), 0, 1)
    out.add_bpm[w, columns] += e.level[row] * course
    out.moves[w, columns] *= 1 - 0.65 * course * (0 if e.silent[row] else e.severity[row])


def _heat(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Heat strain: it has been hot for hours before the heart gives way (10-33 bpm per C inside)."""
    w, onset, end = int(e.wearer[row]), int(e.onset_min[row]), int(e.end_min[row])
    out.heat_c[w, _span(out, first_min, onset - 240, end + 60)[0]] = 38.5 + 4 * e.shift[row]
    columns, minute = _span(out, first_min, onset - 20, end + 40)
    out.add_bpm[w, columns] += e.level[row] * np.clip(
        np.minimum((minute - onset + 20) / 20, (end + 40 - minute) / 40), 0, 1
    )
    out.moves[w, columns] *= 0.2
    out.still[w, _span(out, first_min, onset, min(end, onset + 45))[0]] = True


def _fibrillation(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Fibrillation: beats lose their order from one minute to the next; the rate may hardly change."""
    w = int(e.wearer[row])
    columns, minute = _span(out, first_min, int(e.onset_min[row]), int(e.end_min[row]))
    low, high = FIBRILLATION_CV
    out.irregular_cv[w, columns] = low + (high - low) * e.shift[row]
    out.add_bpm[w, columns] += e.level[row] + 3 * np.sin(minute / 3 + 6 * e.shift[row])


def _recovery(out: Effects, e: Episodes, row: int, first_min: int) -> None:
    """Poor recovery: the night's rate stays up and the next day is slower."""
    w, onset, end = int(e.wearer[row]), int(e.onset_min[row]), int(e.end_min[row])
    columns, minute = _span(out, first_min, onset, end)
    out.add_bpm[w, columns] += e.level[row] * np.clip((end - minute) / (0.6 * (end - onset)), 0, 1)
    out.moves[w, columns] *= 0.8


_APPLY = {
    Kind.TACHYCARDIA_AT_REST: _rhythm,
    Kind.BRADYCARDIA: _rhythm,
    Kind.HYPERTENSIVE_CRISIS: _pressure,
    Kind.HYPOTENSION: _pressure,
    Kind.INFECTION: _infection,
    Kind.HEAT_STRAIN: _heat,
    Kind.ATRIAL_FIBRILLATION: _fibrillation,
    Kind.POOR_RECOVERY: _recovery,
}
