"""Workers as their status files and their group in Kafka show them."""

from collections import defaultdict

from monitor.clock import SystemClock
from monitor.console.status_files import folder, read_all
from monitor.console.wording import count, duration, many
from monitor.console.worker_health import ABOUT, STALE_S, oldest, troubles
from monitor.doctoring.finding import Finding
from monitor.draining import DRAINED
from monitor.errors import BrokerUnreachable
from monitor.group_members import members
from monitor.settings import Settings


def status(settings: Settings) -> list[Finding]:
    """Look at the status files: who is gone, what lags, what fails."""
    now_ms = SystemClock().now_ms()
    workers = read_all(settings.state_dir, now_ms)
    if not workers:
        where = folder(settings.state_dir)
        if (drained := settings.state_dir / DRAINED).exists():
            return [Finding("workers", "note", "they were drained", f"To let `up` start them again: rm {drained}")]
        return [Finding("workers", "note", f"none has a status in {where}", "Start one, or look where one runs.")]
    found = [
        Finding(one.about, "wrong" if one.urgent else "note", one.found, one.mend)
        for one in troubles(workers, settings, now_ms)
    ]
    told = {one.what for one in found}
    live = [worker for worker in workers if worker.age_s < STALE_S]
    last = oldest(live)
    behind_s = 0.0 if last is None or last.T_ms is None else (now_ms - last.T_ms) / 1000
    ages = [worker.oldest_checkpoint_s for worker in live if worker.oldest_checkpoint_s is not None]
    fine = {
        "workers": f"{len(live)} report here, {count(sum(worker.lag_records or 0 for worker in live))} records unread",
        "partitions": f"all {settings.stream.partitions} are owned",
        "log time": "none yet" if last is None else f"the oldest is {duration(behind_s)} old, in {last.worker_id}",
        "inputs": "no partition goes on without one",
        "checkpoints": f"the oldest is {duration(max(ages))} old" if ages else "none written yet",
        "quarantine": "no record was set aside",
        "clocks": "no broker's is known to be ahead",
    }
    if settings.stream.clock == "log":
        fine["log time"] = "that of the records (log clock)"
    healthy = [Finding(what, "ok", fine[what]) for what in ABOUT if what not in told and live]
    return sorted(found + healthy, key=lambda one: ABOUT.index(one.what))


def names(settings: Settings) -> list[Finding]:
    """Look for two workers of one name, on whatever machines."""
    try:
        found = members(settings)
    except BrokerUnreachable as error:
        return [Finding("group", "wrong", *_halves(str(error)))]
    hosts: defaultdict[str, list[str]] = defaultdict(list)
    for member in found:
        hosts[member.name].append(member.host)
    doubled = {name: sorted(where) for name, where in hosts.items() if len(where) > 1}
    if not doubled:
        return [Finding("group", "ok", f"{many(len(found), 'worker')} in it, no two of one name")]
    mend = "Give each its own PULSEWARDEN_STREAM__WORKER_ID."
    return [
        Finding("group", "wrong", f"{len(where)} workers are named {name}, on {', '.join(where)}", mend)
        for name, where in sorted(doubled.items())
    ]


def _halves(sentence: str) -> tuple[str, str]:
    found, _, mend = sentence.partition(": ")
    return found, mend
