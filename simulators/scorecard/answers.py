"""Which rule answers which kind of event, and how far from its onset an alarm still counts as an answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulators.kinds import CONFOUNDERS, TECHNICAL, Kind

HOUR, DAY = 60, 1440


@dataclass(frozen=True, slots=True)
class Answers:
    """What a rule is there for. `kinds` empty: truth has no kind for it, so no alarm of it can be right or wrong."""

    rule: str
    kinds: tuple[Kind, ...]
    why: str


RULES: Mapping[str, Answers] = {
    one.rule: one
    for one in (
        Answers(
            "HR_HIGH_REST",
            (Kind.TACHYCARDIA_AT_REST, Kind.ATRIAL_FIBRILLATION, Kind.DETERIORATION, Kind.HEAT_STRAIN),
            "each can take the rate at rest above 120 bpm",
        ),
        Answers("HR_LOW", (Kind.BRADYCARDIA, Kind.BETA_BLOCKER_START), "a block, or a dose that is too much"),
        Answers("BP_SEVERE", (Kind.HYPERTENSIVE_CRISIS,), "the same limit"),
        Answers(
            "BP_LOW",
            (Kind.HYPOTENSION, Kind.DETERIORATION, Kind.DEHYDRATION, Kind.BETA_BLOCKER_START),
            "pressure falls in each",
        ),
        Answers("HEAT_LOAD", (Kind.HEAT_STRAIN,), "heat with a fast heart; a heat wave alone is a confounder"),
        Answers(
            "RISK_MODEL",
            (
                Kind.TACHYCARDIA_AT_REST,
                Kind.BRADYCARDIA,
                Kind.HYPERTENSIVE_CRISIS,
                Kind.HYPOTENSION,
                Kind.INFECTION,
                Kind.ATRIAL_FIBRILLATION,
                Kind.HEAT_STRAIN,
                Kind.POOR_RECOVERY,
            ),
            "the model's heads ask for these",
        ),
        Answers("NO_DATA", (Kind.WATCH_OFF, Kind.GATEWAY_SILENT), "silence is about the data"),
        Answers("NEWS2_PARTS", (Kind.DETERIORATION, Kind.HYPOTENSION), "pulse and pressure together"),
        Answers(
            "NIGHT_SIGNAL",
            (Kind.INFECTION, Kind.OVERTRAINING, Kind.DETERIORATION),
            "nights in a row above the usual; one bad night is not enough for it",
        ),
        Answers(
            "PERSONAL_CUSUM",
            (Kind.INFECTION, Kind.OVERTRAINING, Kind.DETERIORATION, Kind.SLEEP_APNOEA),
            "the same nights, and small rises that last",
        ),
        Answers("AF_BURDEN", (Kind.ATRIAL_FIBRILLATION,), "beats without order"),
        Answers("BP_TREND", (), "raised pressure over days is how a wearer is, and truth has episodes only"),
        Answers(
            "TREND_DEV",
            (Kind.INFECTION, Kind.DETERIORATION, Kind.OVERTRAINING, Kind.DEHYDRATION),
            "two signals of a day far from usual; it looks for a faster night, not for a slower one",
        ),
        Answers("POOR_RECOVERY", (Kind.POOR_RECOVERY, Kind.OVERTRAINING), "a night after effort"),
        Answers("SLEEP_DEBT", (), "short nights add up with or without an episode"),
        Answers("SUB_HEALTH", (), "habits and measurements; truth has no such state"),
    )
}


@dataclass(frozen=True, slots=True)
class Window:
    """Where an alarm answers: from `before` the onset to `after` it, and no later than `grace` after the end; min.

    Whether an alarm is a false one does not ask for `after`: as long as something is the matter, none is.
    """

    before: int
    after: int
    grace: int


WINDOWS: Mapping[Kind, Window] = {
    # before and grace: the longest lead-up and the longest fading that either parameter set gives it, and half an hour
    Kind.TACHYCARDIA_AT_REST: Window(2 * HOUR, 6 * HOUR, 150),
    Kind.BRADYCARDIA: Window(15, 8 * HOUR, 90),
    Kind.HYPERTENSIVE_CRISIS: Window(6 * HOUR, DAY, 12 * HOUR + 30),
    Kind.HYPOTENSION: Window(HOUR, 6 * HOUR, 2 * HOUR),
    Kind.HEAT_STRAIN: Window(4 * HOUR, 6 * HOUR, 210),
    Kind.ATRIAL_FIBRILLATION: Window(0, 2 * DAY, 75),
    # days: rules on days speak at noon of the next one, so a day of grace; later than a week is no help
    Kind.INFECTION: Window(5 * DAY, 7 * DAY, DAY),
    Kind.POOR_RECOVERY: Window(0, 3 * DAY, DAY),
    Kind.DEHYDRATION: Window(0, 3 * DAY, DAY),
    Kind.OVERTRAINING: Window(0, 28 * DAY, DAY),
    Kind.SLEEP_APNOEA: Window(0, 28 * DAY, DAY),
    Kind.BETA_BLOCKER_START: Window(0, 7 * DAY, DAY),
    Kind.DETERIORATION: Window(0, 7 * DAY, 0),  # help comes at the end: an alarm after it is too late
    Kind.WATCH_OFF: Window(0, 2 * DAY, 30),
    Kind.GATEWAY_SILENT: Window(0, 2 * DAY, 30),
    # confounders: an alarm in this time is counted to it
    Kind.ALCOHOL: Window(0, 2 * DAY, DAY),
    Kind.LATE_EXERCISE: Window(0, 2 * DAY, DAY),
    Kind.STRESS: Window(0, 7 * DAY, DAY),
    Kind.TRAVEL: Window(0, 14 * DAY, 2 * DAY),
    Kind.VACCINATION: Window(0, 7 * DAY, 2 * DAY),
    Kind.MENSTRUAL_PHASE: Window(0, 18 * DAY, 2 * DAY),
    Kind.NEW_DEVICE: Window(0, 21 * DAY, DAY),
    Kind.HEAT_WAVE: Window(0, 10 * DAY, DAY),
}


def answering(kind: Kind) -> tuple[str, ...]:
    """Return the rules that answer a kind.

    >>> answering(Kind.HYPERTENSIVE_CRISIS)
    ('BP_SEVERE', 'RISK_MODEL')
    """
    return tuple(rule for rule, one in RULES.items() if kind in one.kinds)


def is_condition(kind: Kind) -> bool:
    """Tell whether something is the matter with the wearer: neither a confounder nor the data."""
    return kind not in CONFOUNDERS and kind not in TECHNICAL


def is_technical(rule: str) -> bool:
    """Tell whether a rule speaks of the data alone."""
    return rule in RULES and bool(RULES[rule].kinds) and all(kind in TECHNICAL for kind in RULES[rule].kinds)


def is_judged(rule: str) -> bool:
    """Tell whether truth can say that an alarm of this rule was wrong; a rule nobody has listed here is judged."""
    return rule not in RULES or bool(RULES[rule].kinds)


def lines(rules: Iterable[str] = RULES) -> list[tuple[str, str, str]]:
    """Return rule, kinds and reason as rows for a page."""
    return [(r, ", ".join(kind.outcome for kind in RULES[r].kinds) or "nothing", RULES[r].why) for r in rules]
