"""What the kernel says about a process that runs under a leash: its CPU time and its largest memory."""

import os
from pathlib import Path

from monitor.local.leash import Leashed

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def pid_under(leash: Leashed) -> int:
    """Return the process id of the child of a leash."""
    return int(Path(f"/proc/{leash.pid}/task/{leash.pid}/children").read_text().split()[0])


def cpu_s(pid: int) -> float:
    """Return user and system time of all threads of a process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def peak_rss_mib(pid: int) -> float:
    """Return the most memory that a process ever held, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"The kernel does not tell the peak memory of process {pid}.")
