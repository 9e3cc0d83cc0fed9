"""The slow, obvious twins of the step signals: one wearer, one minute after the other. None = not known."""

from itertools import pairwise

Minute = float | None


def merged(devices: list[list[Minute]], worn: list[list[bool]]) -> list[Minute]:
    result: list[Minute] = []
    for minute in range(len(devices[0])):
        answer: Minute = None
        for steps, wear in zip(devices, worn, strict=True):
            told = steps[minute]
            if told is not None and (told > 0 or wear[minute]):
                answer = told
                break
        result.append(answer)
    return result


def band_minutes(steps: list[Minute]) -> list[int]:
    limits = [0, 1, 20, 40, 60, 80, 100, 120, float("inf")]
    return [sum(s is not None and low <= s < high for s in steps) for low, high in pairwise(limits)]


def active_bouts(steps: list[Minute]) -> list[tuple[int, int]]:
    """First and last minute of each bout."""
    found: list[list[int]] = []
    current: list[int] = []
    below = 0
    for minute, told in enumerate(steps):
        if told is None:
            below = 3
        elif told >= 100:
            if below > 2:
                found.append(current)
                current = []
            current.append(minute)
            below = 0
        else:
            below += 1
    found.append(current)
    return [
        (run[0], run[-1])
        for run in found
        if run and run[-1] - run[0] + 1 >= 10 and len(run) >= 0.8 * (run[-1] - run[0] + 1)
    ]


def still_runs(steps: list[Minute], awake: list[bool]) -> list[tuple[int, bool]]:
    """Length of each still run, and whether a step ended it."""
    found: list[tuple[int, bool]] = []
    run = 0
    for told, up in [*zip(steps, awake, strict=True), (None, False)]:
        if told == 0 and up:
            run += 1
            continue
        if run:
            found.append((run, told is not None and told > 0 and up))
        run = 0
    return found
