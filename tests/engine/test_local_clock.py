"""Rules that read the wall clock: by the offset of the minute, from the locked zone database and no other."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import tzdata

from tests.engine.feed import MINUTE, feed


@pytest.mark.parametrize(
    ("zone", "change", "hour", "told"),
    [
        ("America/New_York", "2026-03-08T07:00", -5, True),  # 21:05 EST of the evening before: day by the clock
        ("America/New_York", "2026-03-08T07:00", 18, True),  # 21:05 EDT of the evening after
        ("America/New_York", "2026-03-08T07:00", 19, False),  # 22:05 EDT
        ("America/New_York", "2026-11-01T06:00", -4, False),  # 22:05 EDT of the evening before
        ("America/New_York", "2026-11-01T06:00", 20, True),  # 21:05 EST
        ("America", "2026-03-08T07:00", 14, True),  # a folder is no zone, so the clock is UTC: 21:05
        ("America", "2026-03-08T07:00", -5, False),  # 02:05
    ],
)
def test_day_and_night_go_by_the_clock_of_the_minute_around_a_change(
    zone: str, change: str, hour: int, told: bool
) -> None:
    begin = int(np.datetime64(change, "ms").astype(np.int64)) + hour * 60 * MINUTE + 5 * MINUTE
    f = feed()
    f.profile("w", begin - 60 * MINUTE, time_zone=zone)
    f.minutes("w", begin, [38] * 30, steps=None)

    f.run(begin + 31 * MINUTE)

    assert [a[0] for a in f.told("HR_LOW")[:1]] == ["medium"] * told


PLAYED = """
import json, sys
from tests.engine.feed import MINUTE, feed
evening = 1768442700000  # 2026-01-14T21:05 in New York: day, by the clock there
f = feed()
f.profile("ny", evening - 60 * MINUTE, time_zone="America/New_York")
f.minutes("ny", evening, [38] * 30, steps=None)
f.run(evening + 40 * MINUTE)
print(json.dumps([[a["alert_id"], a["updated_at"], a["rule"]] for a in f.out]))
"""


def test_the_same_log_gives_the_same_alerts_with_any_zone_data_of_the_host(tmp_path: Path) -> None:
    moved = tmp_path / "America"
    moved.mkdir()
    new_york = Path(tzdata.__file__).parent / "zoneinfo" / "Etc" / "GMT+4"  # an hour ahead
    (moved / "New_York").write_bytes(new_york.read_bytes())

    def alerts(tzpath: str) -> list[list[str]]:
        env = {**os.environ, "PYTHONTZPATH": tzpath}
        played = subprocess.run([sys.executable, "-c", PLAYED], env=env, check=True, capture_output=True)
        told: list[list[str]] = json.loads(played.stdout)
        return told

    elsewhere = alerts(str(tmp_path))

    assert "HR_LOW" in [rule for _, _, rule in elsewhere]
    assert elsewhere == alerts("")
    with (moved / "New_York").open("rb") as file:  # the host's data would have made it night
        assert ZoneInfo.from_file(file).utcoffset(datetime(2026, 1, 14, tzinfo=UTC)) == timedelta(hours=-4)
