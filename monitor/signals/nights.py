"""Sleep sessions to nights: what holds after corrections, and what each session and each local day says of sleep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.why_not import WhyNot
from stream_schemas.sleep import STAGES

DAY = 1440
LONGEST = 1440
MAIN_MINUTES = 180  # a shorter session is a nap: it is no night, and it does not prove that the night was recorded
ENOUGH_NIGHTS = 5
FREE_NIGHTS = 2
WORK_NIGHTS = 3

UNKNOWN, AWAKE = STAGES.index("unknown"), STAGES.index("awake")


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sleep sessions of n wearers in K slots, in any order.

    `source` (n, K) names the record that a correction corrects; `revision` (n, K); `start`, `end` (n, K) epoch minutes,
    0 = empty slot; `offset` (n, K) minutes east of UTC at the wearer's place at `end`; `minutes` (n, K, 5) total,
    light, deep, rem, awake, NaN = not told.
    """

    source: NDArray[np.uint64]
    revision: NDArray[np.signedinteger]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    offset: NDArray[np.int64]
    minutes: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Nights:
    """One column a local day, newest last; NaN where no night was recorded.

    `asleep` (n, D) minutes of all sessions that end on the day; `in_bed` (n, D) likewise; `efficiency` (n, D) and
    `midpoint` (n, D) of the main session: the share asleep, and the middle in local minutes after midnight of the day
    on which it ends (negative before midnight); `light`, `deep`, `rem` (n, D) shares of sleep.
    """

    asleep: NDArray[np.float64]
    in_bed: NDArray[np.float64]
    efficiency: NDArray[np.float64]
    midpoint: NDArray[np.float64]
    light: NDArray[np.float64]
    deep: NDArray[np.float64]
    rem: NDArray[np.float64]


def standing(sessions: Sessions, now_minute: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of each slot whether its session holds: ended by now, not corrected, not reversed, no second account.

    Returns
    -------
    (n, K) bool. Of one source record the highest revision holds, even if it is shorter. A session that ends before it
    begins, or lasts longer than 24 h, is a contradiction and falls out. Of sessions that overlap the longest holds (at
    equal length the earlier one): two devices in one bed slept one night.

    >>> at = np.array([[1000, 1000, 1100]]), np.array([[1400, 1300, 1200]])
    >>> three = Sessions(np.array([[7, 7, 8]], np.uint64), np.array([[1, 2, 1]]), *at, np.zeros((1, 3), int),
    ...                  np.full((1, 3, 5), np.nan))
    >>> standing(three, np.array([2000])).tolist()
    [[False, True, False]]
    """
    start, end, source = sessions.start, sessions.end, sessions.source
    held = (start > 0) & (end > 0) & (end <= now_minute[:, None])
    slots = start.shape[1]
    # Revisions: the newest of a record that is held by now. Ties (the same revision twice) fall to the later slot.
    rank = sessions.revision.astype(np.int64) * slots + np.arange(slots)
    same = source[:, :, None] == source[:, None, :]
    newer = same & held[:, None, :] & (rank[:, None, :] > rank[:, :, None])
    length = end - start
    keep: NDArray[np.bool_] = held & ~newer.any(axis=2) & (length > 0) & (length <= LONGEST)
    order = np.lexsort((source, start, -np.where(keep, length, 0)), axis=-1)
    begin, stop = np.take_along_axis(start, order, axis=1), np.take_along_axis(end, order, axis=1)
    taken = np.take_along_axis(keep, order, axis=1)
    for k in range(1, slots):
        clash = taken[:, :k] & (begin[:, :k] < stop[:, k : k + 1]) & (begin[:, k : k + 1] < stop[:, :k])
        taken[:, k] &= ~clash.any(axis=1)
    np.put_along_axis(keep, order, taken, axis=1)
    return keep


def asleep_minutes(minutes: NDArray[np.floating], in_bed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minutes asleep of each session: the total as told, else the sum of light, deep and rem if all are told.

    `minutes` (..., 5), `in_bed` (...). NaN where neither is told, or where more sleep than time in bed is told.

    >>> asleep_minutes(np.array([[np.nan, 200, 80, 90, 20], [500, *[np.nan] * 4]]), np.array([400.0, 400.0])).tolist()
    [370.0, nan]
    """
    told = minutes.astype(np.float64)
    asleep = np.where(np.isnan(told[..., 0]), told[..., 1] + told[..., 2] + told[..., 3], told[..., 0])
    return np.where((asleep >= 0) & (asleep <= in_bed), asleep, np.nan)


def nights(sessions: Sessions, keep: NDArray[np.bool_], last_day: NDArray[np.int64], days: int = 14) -> Nights:
    """Sleep of each of the last `days` local days; a night belongs to the day on which it ends.

    Parameters
    ----------
    keep : (n, K) from `standing`.
    last_day : (n,) local epoch day of the newest column.

    Returns
    -------
    Nights. The main session is the longest of at least 3 h in bed; a day without one has no night and is NaN
    throughout. Lengths are true minutes: the night of a clock change lasts what it lasts, and a flight changes none.
    The local clock is that of the place where the wearer woke. A share is NaN if its stage is not told or the stages
    told exceed the sleep told by more than a minute.

    Source: efficiency = asleep / time in bed, stage shares of total sleep time: the common definitions (checked in
    PMC4730747 table 1). That a main session lasts 3 h is this project's choice.

    >>> one = Sessions(np.ones((1, 1), np.uint64), np.ones((1, 1), int), np.array([[1380]]), np.array([[1860]]),
    ...                np.array([[60]]), np.array([[[432.0, 216, 108, 108, 48]]]))
    >>> found = nights(one, np.ones((1, 1), bool), np.array([1]), days=2)
    >>> found.efficiency.tolist(), found.midpoint.tolist(), found.deep.tolist()
    ([[nan, 0.9]], [[nan, 240.0]], [[nan, 0.25]])
    """
    length = np.where(keep, sessions.end - sessions.start, 0)
    in_bed = length.astype(np.float64)
    asleep = asleep_minutes(sessions.minutes, in_bed)
    local_end = sessions.end + sessions.offset
    column = local_end // DAY - last_day[:, None] + days - 1
    keep = keep & (column >= 0) & (column < days)
    n = len(length)
    rows, slots = np.nonzero(keep)
    column = column[rows, slots]
    slept, lain = np.zeros((n, days)), np.zeros((n, days))
    np.add.at(slept, (rows, column), asleep[rows, slots])
    np.add.at(lain, (rows, column), in_bed[rows, slots])
    order = np.lexsort((-sessions.start[rows, slots], in_bed[rows, slots]))  # the longest is written last and stays
    main = np.full((n, days), -1)
    main[rows[order], column[order]] = slots[order]
    of = np.maximum(main, 0)
    night = (main >= 0) & (np.take_along_axis(length, of, axis=1) >= MAIN_MINUTES)

    def of_main(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(night, np.take_along_axis(values, of, axis=1), np.nan)

    stages = sessions.minutes[..., 1:4].astype(np.float64)
    fits = (asleep > 0) & (np.where(np.isnan(stages), 0.0, stages).sum(axis=2) <= asleep + 1)
    share = np.where(fits[..., None], stages / np.where(fits, asleep, 1.0)[..., None], np.nan)
    return Nights(
        np.where(night, slept, np.nan),
        np.where(night, lain, np.nan),
        of_main(np.where(length > 0, asleep / np.maximum(length, 1), np.nan)),
        of_main(local_end - in_bed / 2) - DAY * (last_day[:, None] + np.arange(1 - days, 1)),
        of_main(share[..., 0]),
        of_main(share[..., 1]),
        of_main(share[..., 2]),
    )


@dataclass(frozen=True, slots=True)
class Timing:
    """When n wearers sleep; all (n,).

    `midpoint` local minutes after midnight, circular mean; `midpoint_sd` minutes; `social_jet_lag` minutes, positive =
    later on free days; `nights` known; `why_not` of `midpoint_sd`.
    """

    midpoint: NDArray[np.float64]
    midpoint_sd: NDArray[np.float64]
    social_jet_lag: NDArray[np.float64]
    nights: NDArray[np.int64]
    why_not: NDArray[np.uint8]


def timing(midpoint: NDArray[np.float64], free: NDArray[np.bool_]) -> Timing:
    """Spread of the midpoints of sleep, and their shift between work and free days.

    Parameters
    ----------
    midpoint : (n, D) local minutes after midnight, NaN = no night.
    free : (n, D) days after which nobody had to get up; `weekend` where nothing better is known.

    Returns
    -------
    Timing. The clock is a circle: 23:50 and 00:10 are 20 minutes apart. The spread is the root of the summed squared
    deviations from the circular mean over n - 1; NaN with fewer than 5 nights. Social jet lag is the mean midpoint of
    free days less that of work days; NaN with fewer than 2 free or 3 work nights. Both are NaN if midpoints lie so
    evenly around the clock that there is no mean.

    Source: Wittmann et al. (2006): MSF - MSW; sign as in Roenneberg et al. (2019) section 3.2 (checked in the mctq
    manual, which cites both). Minimum counts: this project's; 5 days as in the package sleepreg.

    >>> found = timing(np.array([[180.0, 180, 180, 180, 180, 240, 240]]), np.array([[False] * 5 + [True] * 2]))
    >>> round(float(found.social_jet_lag[0]), 6), round(float(found.midpoint_sd[0]), 1)
    (60.0, 29.3)
    """
    known = ~np.isnan(midpoint)
    count = known.sum(axis=1)
    middle = _mean_clock(midpoint, known)
    away = np.where(known, _around(midpoint - middle[:, None]), 0.0)
    spread = np.sqrt((away**2).sum(axis=1) / np.maximum(count - 1, 1))
    fits = (count >= ENOUGH_NIGHTS) & ~np.isnan(middle)
    rest, work = known & free, known & ~free
    lag = _around(_mean_clock(midpoint, rest) - _mean_clock(midpoint, work))
    both = (rest.sum(axis=1) >= FREE_NIGHTS) & (work.sum(axis=1) >= WORK_NIGHTS)
    why = np.where(count == 0, WhyNot.NOTHING, np.where(count < ENOUGH_NIGHTS, WhyNot.TOO_FEW, WhyNot.CONTRADICTION))
    return Timing(
        middle,
        np.where(fits, spread, np.nan),
        np.where(both, lag, np.nan),
        count,
        np.where(fits, WhyNot.KNOWN, why).astype(np.uint8),
    )


def weekend(last_day: NDArray[np.int64], days: int = 14) -> NDArray[np.bool_]:
    """(n, days) True where the local day is a Saturday or a Sunday; epoch day 0 was a Thursday.

    >>> weekend(np.array([3]), days=4).tolist()
    [[False, False, True, True]]
    """
    day = last_day[:, None] + np.arange(1 - days, 1)
    return (day + 3) % 7 >= 5


def _around(minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same difference of clock times, from -12 h to below 12 h."""
    return (minutes + DAY / 2) % DAY - DAY / 2


def _mean_clock(minutes: NDArray[np.float64], use: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) circular mean in minutes from 0 to below 1440; NaN where nothing is used or no direction stands out."""
    angle = np.where(use, minutes, 0.0) * (2 * np.pi / DAY)
    east = np.where(use, np.cos(angle), 0.0).sum(axis=1)
    north = np.where(use, np.sin(angle), 0.0).sum(axis=1)
    clear = use.any(axis=1) & (np.hypot(east, north) > 1e-9)
    return np.where(clear, np.arctan2(north, east) * (DAY / 2 / np.pi) % DAY, np.nan)


@dataclass(frozen=True, slots=True)
class Waking:
    """(n,) `latency` minutes to the first sleep, `waso` minutes awake after it, NaN = not known; `why_not`."""

    latency: NDArray[np.float64]
    waso: NDArray[np.float64]
    why_not: NDArray[np.uint8]


def waking(stage: NDArray[np.uint8], session: NDArray[np.bool_]) -> Waking:
    """Sleep latency and wake after sleep onset of one session, from its stages minute by minute.

    Parameters
    ----------
    stage : (n, T) codes of STAGES, oldest first.
    session : (n, T) True in the minutes of the session, one run a row.

    Returns
    -------
    Waking. Latency counts from the start of the session to the first minute asleep; WASO the awake minutes from there
    to the end of the session. Both are NaN if the stage of one minute of the session is unknown, or if the wearer
    never slept in it. A session that a device begins at sleep onset has latency 0: that is its account, not a truth.

    Source: AASM terms as in PMC4730747 table 1 (checked): wake from the first epoch of sleep to lights on.

    >>> night = np.array([[1, 1, 2, 3, 1, 4, 1]], np.uint8)
    >>> found = waking(night, np.ones((1, 7), bool)); float(found.latency[0]), float(found.waso[0])
    (2.0, 2.0)
    """
    asleep = session & (stage != UNKNOWN) & (stage != AWAKE)
    begun = np.logical_or.accumulate(asleep, axis=1)
    blind = (session & (stage == UNKNOWN)).any(axis=1)
    slept = asleep.any(axis=1)
    fits = slept & ~blind
    awake = session & (stage == AWAKE)
    why = np.where(session.any(axis=1) & ~blind, WhyNot.TOO_FEW, WhyNot.NOTHING)
    return Waking(
        np.where(fits, (awake & ~begun).sum(axis=1), np.nan),
        np.where(fits, (awake & begun).sum(axis=1), np.nan),
        np.where(fits, WhyNot.KNOWN, why).astype(np.uint8),
    )
