"""An ordinary event of every input topic, with every field told, so that each can be moved to its edge."""

from typing import Any

from stream_schemas.rfc3339 import text as rfc3339
from tests.engine.feed import MINUTE, START

NOW = START + 14 * 60 * MINUTE
"""When these events are received."""
DAY = 1440 * MINUTE


def ordinary(topic: str, wearer: str, alert_id: str = "a-1", at: int = NOW - 1000) -> dict[str, Any]:
    """Return an event of a topic, received at `NOW`; the alert that a command is about, or when a score was made."""
    who = {"event_id": f"e-{wearer}", "wearer_id": wearer, "device_id": "d"}
    start = rfc3339(NOW - 2 * MINUTE)
    match topic:
        case "vitals.heart-rate.v1":
            return {
                "schema": "heart-rate/1",
                **who,
                "start": start,
                "offset_ms": [0, 1000, 2000],
                "bpm": [120, 121, 122],
                "rr_ms": [500, 510, 505],
                "context": "at_rest",
                "quality": 0.9,
            }
        case "vitals.blood-pressure.v1":
            return {
                "schema": "blood-pressure/1",
                **who,
                "start": start,
                "systolic_mmhg": 300,
                "diastolic_mmhg": 20,
                "pulse_bpm": 90,
                "measurement_method": "cuff_oscillometric",
                "posture": "sitting",
            }
        case "vitals.sleep.v1":
            return {
                "schema": "sleep/1",
                **who,
                "start": rfc3339(NOW - DAY),  # as long as a session may be
                "end": rfc3339(NOW),
                "stage_start_s": [0, 3600],
                "stage": ["light", "deep"],
                "source_record_id": "s-1",
                "revision": 3,
                **dict.fromkeys(("total_sleep_min", "light_min", "deep_min", "rem_min", "awake_min"), 90),
            }
        case "vitals.activity.v1":
            return {
                "schema": "activity/1",
                **who,
                "start": rfc3339(NOW - DAY),
                "steps": [3, 0],
                "energy_kcal": 1.5,
                "activity": "still",
            }
        case "context.weather.v1":
            return {
                "schema": "weather/1",
                **who,
                "start": start,
                "temperature_c": 41,
                "humidity_pct": 40,
                "wind_mps": 2,
                "pm25_ugm3": 10,
                "forecast_offset_h": [0, 1],
                "forecast_temperature_c": [40, 39],
                "forecast_humidity_pct": [40, 41],
            }
        case _:
            return _rarer(topic, wearer, who, alert_id, at)


def _rarer(topic: str, wearer: str, who: dict[str, str], alert_id: str, at: int) -> dict[str, Any]:
    match topic:
        case "context.wearer.v1":
            own = {"hr_high_bpm": 120, "hr_low_bpm": 40, "systolic_high_mmhg": 180, "diastolic_high_mmhg": 120}
            return {
                "schema": "wearer/1",
                **who,
                "start": rfc3339(NOW),
                "team": "south",
                "time_zone": "America/New_York",
                "age_years": 70,
                "sex": "female",
                "height_cm": 170,
                "weight_kg": 70,
                "conditions": ["hypertension"],
                "medications": ["diuretic"],
                "limits": own,
                "consent": True,
            }
        case "alert-commands.v1":
            return {
                "schema": "alert-command/1",
                **who,
                "command_id": "c-1",
                "alert_id": alert_id,
                "seen_version": 1,
                "action": "acknowledge",
                "until": rfc3339(NOW),
                "verdict": "unsure",
                "reason": "seen",
                "actor": "nurse",
                "at": rfc3339(NOW),
            }
        case "risk.scores.v1":
            return {
                "schema": "risk-scores/1",
                "scored_at_ms": at,
                "model_version": "m-1",
                "heads": ["infection"],
                "limit": [0.5],
                "wearer_id": [wearer],
                "probability": [[0.9]],
                "coverage": [1],
                "missing": [0],
                "modalities": ["heart_rate"],
            }
        case "control.v1":
            return {
                "schema": "control/1",
                "event_id": "e-1",
                "kind": "rules",
                "model_version": "m-1",
                "sha256": None,
                "bundle_url": "file:///bundle",
                "content": "hr_low_awake_bpm = 41",
                "replace": False,
                "origin": "operator",
                "at": rfc3339(NOW),
            }
    raise NotImplementedError(f"{topic} is new: give it an ordinary event, so that its edges are tried")
