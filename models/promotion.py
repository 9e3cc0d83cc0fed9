"""Whether a candidate may take the champion's place: a pure comparison of two reports on the same people."""

from dataclasses import dataclass
from typing import Any

import numpy as np

AUROC_LOSS_ALLOWED = 0.01
SENSITIVITY_LOSS_ALLOWED = 0.02
ECE_ALLOWED = 0.05
ECE_RISE_ALLOWED = 0.01
BURDEN_FACTOR = 2.0  # of the stated budget of false alerts, on people whom the limits were not chosen on


@dataclass(frozen=True, slots=True)
class Promote:
    """The candidate is better. gain: mean rise of AUROC over the heads that both answer."""

    gain: float


@dataclass(frozen=True, slots=True)
class Keep:
    """The champion stays; every gate that the candidate failed, one sentence each."""

    reasons: tuple[str, ...]


def compare(candidate_report: dict[str, Any], champion_report: dict[str, Any]) -> Promote | Keep:
    """Compare two reports.

    The candidate must be evaluated on the same people; lose no head; in no head fall behind by more than 0.01 AUROC
    beyond doubt (paired bootstrap over the same draws of wearers) or 0.02 event sensitivity; stay calibrated (ECE at
    most 0.05 or the champion's + 0.01); raise at most twice the budget of false alerts; and be better: the 95 %
    interval of its mean AUROC rise lies above 0, or it answers a head that the champion cannot.
    """
    if candidate_report["people"] != champion_report["people"]:
        return Keep(("The two reports are about different people: evaluate both on the same ones.",))
    heads = champion_report["heads"]
    reasons: list[str] = []
    rises = []
    for name, mine in candidate_report["heads"].items():
        theirs = heads.get(name, {"evaluated": False})
        if not mine["evaluated"]:
            if theirs["evaluated"]:
                reasons.append(f"{name}: the champion answers it, the candidate cannot.")
            continue
        reasons += _limits(name, mine, theirs, candidate_report["budget_false_alerts_per_wearer_day"])
        if theirs["evaluated"]:
            reasons += _losses(name, mine, theirs)
            rises.append(_paired(mine, theirs))
    new = [n for n, e in candidate_report["heads"].items() if e["evaluated"] and not heads.get(n, {}).get("evaluated")]
    gain, low = _mean_rise(rises)
    if not low > 0 and not new:
        reasons.append(f"Not better: mean AUROC changes by {gain:+.4f}, and its 95 % interval begins at {low:+.4f}.")
    return Keep(tuple(reasons)) if reasons else Promote(gain)


def _mean_rise(rises: list[np.ndarray[Any, np.dtype[np.float64]]]) -> tuple[float, float]:
    if not rises:
        return 0.0, 0.0
    mean = np.mean(rises, axis=0)
    mean = mean[np.isfinite(mean)]
    return (float(np.median(mean)), float(np.quantile(mean, 0.025))) if len(mean) else (0.0, 0.0)


def _paired(mine: dict[str, Any], theirs: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Differences of AUROC over the same draws of wearers."""
    ours, others = (np.array(e["auroc_replicates"], np.float64) for e in (mine, theirs))
    return (
        ours - others if ours.shape == others.shape else np.full(1, mine["auroc"]["value"] - theirs["auroc"]["value"])
    )


def _losses(name: str, mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    reasons = []
    change = _paired(mine, theirs)
    change = change[np.isfinite(change)]
    if len(change) and np.quantile(change, 0.975) < 0 and np.median(change) < -AUROC_LOSS_ALLOWED:
        reasons.append(f"{name}: AUROC falls by {-np.median(change):.3f}.")
    caught, before = mine.get("event_sensitivity"), theirs.get("event_sensitivity")
    if before and before["value"] is not None:
        value = caught["value"] if caught and caught["value"] is not None else 0.0
        if value < before["value"] - SENSITIVITY_LOSS_ALLOWED:
            reasons.append(f"{name}: catches {value:.2f} of the events instead of {before['value']:.2f}.")
    return reasons


def _limits(name: str, mine: dict[str, Any], theirs: dict[str, Any], budget: float) -> list[str]:
    reasons = []
    allowed = max(ECE_ALLOWED, (theirs.get("ece") or 0.0) + ECE_RISE_ALLOWED)
    if (mine.get("ece") or 0.0) > allowed:
        reasons.append(f"{name}: miscalibrated, ECE {mine['ece']:.3f} above {allowed:.3f}.")
    burden = mine.get("false_alerts_per_wearer_day") or 0.0
    held = max(BURDEN_FACTOR * budget, theirs.get("false_alerts_per_wearer_day") or 0.0)
    if burden > held:
        reasons.append(f"{name}: {burden:.3f} false alerts a wearer-day, more than {held:.3f}.")
    return reasons
