"""One rule's finding of one wearer at one moment: what the policy acts on."""

from dataclasses import dataclass

from monitor.alerting.evidence import Priority, Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, with everything that an alert says of it.

    Attributes
    ----------
    raised, cleared : the condition holds, or is past its clear limit; never both.
    event_ms : event time of the deciding data. start_ms : event time at which the episode begins; it names the alert.
    metric, unit, op : what `value` is, in which unit, and how it stands to `limit`.
    off_delay_ms : how long it must stay cleared. escalate : the alert needs someone else now.
    late : received later than the rule's clinical window.
    """

    rule: Rule
    raised: bool
    cleared: bool
    event_ms: int
    start_ms: int
    priority: Priority
    metric: str
    value: float
    unit: str
    op: str
    limit: float
    window_s: int
    samples: int
    off_delay_ms: int = 0
    unverified: bool = False
    late: bool = False
    escalate: bool = False
    missing: tuple[str, ...] = ()
    quality: float | None = None
    model_version: str | None = None
    note: str = ""
