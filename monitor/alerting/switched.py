"""Which rules are switched on: every detector has a limit `<rule>_on`; rules without one are always on."""

from dataclasses import replace

import numpy as np

from monitor.alerting.evidence import Evidence, Rule
from monitor.alerting.limits import Limits


def is_on(rule: Rule, limits: Limits) -> bool:
    """Tell whether a rule may raise.

    >>> is_on(Rule.TREND_DEV, Limits(trend_dev_on=False)), is_on(Rule.HR_LOW, Limits())
    (False, True)
    """
    return bool(getattr(limits, f"{rule.name.lower()}_on", True))


def switched(evidence: Evidence, limits: Limits) -> Evidence:
    """Let a rule that is off raise nothing; what it raised before may still clear."""
    if is_on(evidence.rule, limits):
        return evidence
    return replace(evidence, raised=np.zeros_like(evidence.raised))
