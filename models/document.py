"""Reports for people: a table of text, the model card, and docs/model-report.md."""

from typing import Any

from models.bundle import Manifest
from models.heads import HEADS

COLUMNS = (
    "head or baseline",
    "AUROC [95 %]",
    "before onset",
    "AUPRC (chance)",
    "ECE",
    "events caught [95 %]",
    "by chance",
    "false alerts / wearer-day",
    "median lead, min",
)
NOT_A_DEVICE = "It is not a medical device, and nothing it prints is a diagnosis."


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _spread(estimate: dict[str, float | None] | None, digits: int = 2) -> str:
    if not estimate or estimate["value"] is None:
        return "-"
    value, low, high = (_number(estimate[part], digits) for part in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def table(report: dict[str, Any]) -> str:
    """Return the report as a Markdown table: each head, then below it the scores that it should beat.

    Sensitivity, false alerts and lead are those of each score's own limit for the same budget of false alerts.
    """
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for name, entry in report["heads"].items():
        if not entry["evaluated"]:
            why = (
                "no episodes among the test people" if entry["trained"] else "untrained: no truth in the training data"
            )
            lines.append(f"| **{name}** | {why} | | | | | | | |")
            continue
        lines.append(_row(f"**{name}**", entry, head=True))
        for rival, judged in entry["baselines"].items():
            wins = " (better AUROC)" if rival in entry["beaten_by"] else ""
            lines.append(_row(f"&nbsp;&nbsp;{rival}{wins}", judged, head=False))
    return "\n".join(lines)


def _row(title: str, entry: dict[str, Any], *, head: bool) -> str:
    prc = _number(entry["auprc"]) + (f" ({_number(entry['prevalence'], 3)})" if head else "")
    caught = entry.get("event_sensitivity")
    shown = f"{_spread(caught)} of {entry['eligible_events']}" if caught else f"no limit ({entry['eligible_events']})"
    cells = (
        title,
        _spread(entry["auroc"], 3),
        _number(entry.get("auroc_before_onset"), 3) if head else "",
        prc,
        _number(entry.get("ece"), 3) if head else "",
        shown,
        _number(entry.get("chance_hit_rate")),
        _number(entry.get("false_alerts_per_wearer_day"), 3),
        _number(entry.get("median_lead_min"), 0),
    )
    return "| " + " | ".join(cells) + " |"


def verdict(report: dict[str, Any]) -> str:
    """Say where the network loses, in one paragraph; a reader must not have to search the table for it."""
    judged = {name: entry for name, entry in report["heads"].items() if entry["evaluated"]}
    lost = [f"{name} ({', '.join(entry['beaten_by'])})" for name, entry in judged.items() if entry["beaten_by"]]
    coin = [name for name, entry in judged.items() if not (entry["auroc"]["low"] or 0) > 0.5]
    return (
        f"A baseline has the better AUROC in {len(lost)} of {len(judged)} heads: {'; '.join(lost) or 'none'}. "
        f"Not told from a coin (interval reaches 0.5): {', '.join(coin) or 'none'}."
    )


def how_to_read(report: dict[str, Any]) -> str:
    """Say in a few lines what the columns mean."""
    budget = report["budget_false_alerts_per_wearer_day"]
    return (
        f"{report['wearers']} wearers that no part of training had seen, {report['moments']} moments, one every "
        f"{report['tick_min']} min. Intervals: bootstrap over wearers ({report['bootstrap']['replicates']} draws). "
        f"A limit is the lowest that keeps a score within {budget} false alerts a wearer-day on the *validation* "
        "people, so the rate here may differ; heads without a limit never alert. An alert needs two scores above the "
        "limit in a row and is not repeated within 6 h. *Before onset* is the AUROC at moments without a running "
        "episode: what is foreseen and not merely seen. *By chance* is what the same alerts would have caught at other "
        "times of the wearer. *Lead* is negative where the alert comes after the onset. Baselines have no calibration."
    )


def model_card(manifest: Manifest, report: dict[str, Any]) -> str:
    """Return MODEL_CARD.md."""
    training = manifest.training
    untrained = [head.name for head, known in zip(HEADS, manifest.trained, strict=True) if not known]
    limits = ", ".join(
        f"{head.name} {limit:.2f}" if limit is not None else f"{head.name} none"
        for head, limit in zip(HEADS, manifest.limits, strict=True)
    )
    people = training["wearers"]
    return f"""# Risk model

Trained on **{training["origin"]}**. {NOT_A_DEVICE} Figures from simulated people say how well the simulator's
rules were learned, and nothing about real ones.

- **What it does**: from 24 h of heart rate and activity by the minute, sleep, blood pressure, weather, 28 past days and
  a profile it gives one probability a head. What is missing is masked; a head that lacks what it needs answers "not
  assessable".
- **People**: {people["training"]} for training, {people["validation"]} for early stopping and limits,
  {people["calibration"]} for calibration, {report["wearers"]} others for the report; {training["days"]} days each.
- **Training**: {training["epochs_run"]} epochs of {training["recipe"]["samples_per_epoch"]} moments, seed
  {training["recipe"]["seed"]}; parts and weights are in bundle.json under training.recipe. All of it, scoring for
  limits and report included, took {report["cost"]["cpu_min"]} CPU minutes with {report["cost"]["threads"]} thread(s).
- **Limits** (probability, for {manifest.budget_per_wearer_day} false alerts a wearer-day and head): {limits}.
- **Untrained heads** (always "not assessable"): {", ".join(untrained) or "none"}.
- **Not for**: children, pregnancy, implanted pacemakers, sport: the training data hold too few of them.
- **Known weakness**: tokens and features that training never held (such as a weather forecast, if the journal has none)
  are masked for good. Journals carry no arrival times: late data are used in training as if they had come in time.

## Report

{verdict(report)}

{how_to_read(report)}

{table(report)}
"""


def page(manifest: Manifest, report: dict[str, Any], version: str) -> str:
    """Return docs/model-report.md."""
    return f"""# How good the default model is

Version `{version}`, trained on {manifest.training["origin"]}. {NOT_A_DEVICE} This page is written by
`python -m models show --markdown docs/model-report.md`; the figures are in the bundle's report.json.

{verdict(report)}

{how_to_read(report)}

{table(report)}
"""
