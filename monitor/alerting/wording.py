"""What an alert says: one plain sentence for staff, and what to do. Reviewed texts only; no diagnosis, no free text."""

import re

from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.policy import Episode
from stream_schemas.alert import Advice, Alert, Trigger
from stream_schemas.rfc3339 import text as rfc3339

DAY_S = 86_400
KINDS = {Rule.RISK_MODEL: "model", Rule.NO_DATA: "technical"}
PRIORITIES = {
    Priority.TECHNICAL: "technical",
    Priority.LOW: "low",
    Priority.MEDIUM: "medium",
    Priority.HIGH: "high",
}
ADVICE = {
    Rule.HR_HIGH_REST: Advice(
        code="call_and_check", text="Call the wearer, ask for symptoms, check the watch and a pulse by hand."
    ),
    Rule.HR_LOW: Advice(
        code="call_and_check", text="Call the wearer, ask for dizziness or fainting, check a pulse by hand."
    ),
    Rule.BP_SEVERE: Advice(
        code="repeat_reading",
        text="Ask for a repeated cuff reading after 5 minutes of rest; with chest pain, breathlessness or weakness call"
        " emergency services.",
    ),
    Rule.BP_LOW: Advice(
        code="repeat_reading", text="Ask for dizziness, have the wearer sit or lie down, repeat the cuff reading."
    ),
    Rule.HEAT_LOAD: Advice(code="cool_down", text="Ask the wearer to go to a cool place, drink and rest; check again."),
    Rule.RISK_MODEL: Advice(
        code="review", text="Review the last day of data and contact the wearer if it fits; the model may be wrong."
    ),
    Rule.NO_DATA: Advice(
        code="check_device", text="Ask whether the watch is worn, charged and in reach of its phone or gateway."
    ),
    Rule.NEWS2_PARTS: Advice(
        code="measure_all",
        text="Call the wearer and measure what is missing (breathing, oxygen, temperature, alertness): the total may be"
        " higher.",
    ),
    Rule.NIGHT_SIGNAL: Advice(
        code="ask_how", text="Ask how the wearer feels: fever, little sleep, alcohol or a late effort raise it too."
    ),
    Rule.PERSONAL_CUSUM: Advice(
        code="ask_how",
        text="Ask how the wearer feels and what changed in the last weeks; look at the nights in a chart.",
    ),
    Rule.AF_BURDEN: Advice(
        code="check_rhythm", text="Check a pulse by hand, ask for palpitations; have an ECG taken if it is irregular."
    ),
    Rule.BP_TREND: Advice(
        code="review_pressure", text="Review the readings of the week, how they were taken, and the medication."
    ),
    Rule.TREND_DEV: Advice(
        code="ask_how", text="Ask how the wearer feels and what was different that day; look at the days before."
    ),
    Rule.POOR_RECOVERY: Advice(
        code="rest", text="Ask how the wearer feels after the effort; advise a day of rest and look at the next night."
    ),
    Rule.SLEEP_DEBT: Advice(
        code="ask_sleep", text="Ask about sleep in the last two weeks and what shortens it; check that it is recorded."
    ),
    Rule.SUB_HEALTH: Advice(
        code="review_habits", text="Talk over sleep, activity and pressure of the last weeks at the next contact."
    ),
}

SENTENCES = {
    Rule.NEWS2_PARTS: "Pulse and systolic pressure alone have {value} NEWS2 points, limit >= {limit}",
    Rule.NIGHT_SIGNAL: "Resting rate of the night {value} bpm, limit >= {limit} bpm by {of} earlier nights, for {over}",
    Rule.PERSONAL_CUSUM: "Nights above the own usual add up to {value}, limit >= {limit}, for {over} ({of} judged)",
    Rule.AF_BURDEN: "Pulse irregular at rest for {value} min, limit >= {limit} min ({of} minutes with intervals)",
    Rule.BP_TREND: "Mean cuff pressure {value} mmHg, limit >= {limit} mmHg, over {over} ({of} readings)",
    Rule.TREND_DEV: "Signals of the day {value} deviations from the own usual, limit >= {limit} ({of} signals known)",
    Rule.POOR_RECOVERY: "Resting rate after a hard day {value} bpm, limit >= {limit} bpm by {of} earlier nights",
    Rule.SLEEP_DEBT: "Sleep short by {value} h in {over}, limit >= {limit} h ({of} nights known)",
    Rule.SUB_HEALTH: "Habits and trends have a share of {value} of their points, limit >= {limit} ({of} parts known)",
}


def sentence(finding: Finding) -> str:
    """Say what was found, against which limit, over how long, what the data is worth and what was missing.

    >>> f = Finding(rule=Rule.HR_HIGH_REST, raised=True, cleared=False, event_ms=0, start_ms=0,
    ...             priority=Priority.MEDIUM, metric="heart_rate", value=128, unit="bpm", op=">=", limit=120,
    ...             window_s=600, samples=600)
    >>> sentence(f)
    'Heart rate at rest 128 bpm, limit >= 120 bpm, for 10 min (600 samples).'
    """
    value, limit = _number(finding.value), _number(finding.limit)
    over = _duration(finding.window_s)
    doubt = ", unverified" if finding.unverified else ""
    late = " Received late." if finding.late else ""
    match finding.rule:
        case Rule.HR_HIGH_REST:
            said = f"Heart rate at rest {value} bpm, limit >= {limit} bpm, for {over} ({finding.samples} samples)"
        case Rule.HR_LOW:
            said = f"Heart rate {value} bpm, limit <= {limit} bpm, for {over} ({finding.samples} samples)"
        case Rule.BP_SEVERE:
            doubt = ", unconfirmed" if finding.unverified else f", {finding.samples} readings"
            said = f"Cuff reading {finding.note}: {finding.metric} {value} mmHg, limit >= {limit} mmHg"
        case Rule.BP_LOW:
            said = (
                f"Cuff reading {finding.note}: systolic {value} mmHg, limit <= {limit} mmHg, {finding.samples} readings"
            )
        case Rule.HEAT_LOAD:
            said = (
                f"Heat index {value} °C, limit >= {limit} °C, with a raised resting heart rate or a vulnerable wearer"
            )
        case Rule.RISK_MODEL:
            said = (
                f"Risk model {finding.note}: probability {value}, limit >= {limit}, {finding.samples} scores in a row"
            )
        case Rule.NO_DATA:
            said = f"No new heart-rate data for {over}, expected at least every {_duration(int(finding.limit))}"
        case rule:
            said = SENTENCES[rule].format(value=value, limit=limit, over=over, of=finding.samples)
    quality = "" if finding.quality is None else f" Data quality {finding.quality:.2f}."
    missing = f" Missing: {', '.join(finding.missing).replace('_', ' ')}." if finding.missing else ""
    return f"{said}{doubt}.{quality}{missing}{late}"


def compose(episode: Episode, wearer_id: str) -> Alert:
    """Write one version of an episode as it goes to the care team."""
    finding = episode.finding
    return Alert(
        alert_id=episode.alert_id,
        version=episode.version,
        wearer_id=wearer_id,
        team=episode.team,
        kind=KINDS.get(finding.rule, "physiological"),
        rule=finding.rule.name,
        priority=PRIORITIES[finding.priority],
        condition=episode.condition.value,
        workflow=episode.workflow.value,
        event_time=rfc3339(finding.start_ms),
        raised_at=rfc3339(episode.raised_T_ms),
        updated_at=rfc3339(episode.stamp_ms),
        trigger=Trigger(
            metric=finding.metric,
            value=round(float(finding.value), 3),
            limit=round(float(finding.limit), 3),
            op=finding.op,
            unit=finding.unit,
            window_s=float(finding.window_s),
            n_samples=finding.samples,
        ),
        text=sentence(finding),
        advice=ADVICE[finding.rule],
        missing=finding.missing,
        quality=None if finding.quality is None else round(finding.quality, 3),
        unverified=finding.unverified,
        late=finding.late,
        flap_count=episode.flap_count,
        escalation_level=episode.escalation_level,
        model_version=finding.model_version,
        device_id=episode.device_id,
        actor=episode.actor,
        verdict=episode.verdict,
    )


def note_of(text: str) -> str:
    """Return what a sentence says between its kind and the colon: the reading, or the head of the model.

    >>> note_of("Cuff reading 184/100: systolic 184 mmHg, limit >= 180 mmHg, unconfirmed.")
    '184/100'
    """
    found = _NOTE.match(text)
    return found[1] if found is not None else ""


_NOTE = re.compile("(?:Cuff reading|Risk model) ([^:]+):")


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _duration(seconds: int) -> str:
    if seconds >= DAY_S:
        days = -(-seconds // DAY_S)
        return "a day" if days == 1 else f"{days} days"
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
