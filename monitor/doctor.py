"""``python -m monitor doctor``: look at everything Pulsewarden needs, and say how to mend what is wrong.

Exit status 0 if everything that is needed works, 1 if anything does not. A missing GPU is no fault: the same model runs
on the CPU.
"""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
from rich.console import Console
from rich.table import Table

from monitor import topics
from monitor.console.log_ends import LogEnds
from monitor.console.open_alerts import connect
from monitor.console.projection import unapplied
from monitor.console.wording import many
from monitor.doctoring.disks import disks
from monitor.doctoring.finding import Finding, Verdict
from monitor.doctoring.log import copies, dead_letters, unknown_teams
from monitor.doctoring.workers import names, status
from monitor.errors import BrokerUnreachable, PulsewardenError, RedisUnreachable, TopicsDiffer
from monitor.local.address import running_environment
from monitor.settings import Settings

REDIS_TIMEOUT_S = 3.0
STUCK_S = 1.0
"""Alerts that wait for Redis now and so much later are no longer just on their way."""
MARKS: dict[Verdict, str] = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}


def run(settings: Settings) -> int:
    """Print what :func:`examine` finds; return 1 if anything is wrong, else 0."""
    found = examine(settings)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("check", "", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one.what, MARKS[one.verdict], one.found, one.mend)
    Console(highlight=False).print(table)
    return 1 if any(one.verdict == "wrong" for one in found) else 0


def examine(settings: Settings) -> list[Finding]:
    """Check everything, one or more findings each; what needs Kafka is not looked at while Kafka does not answer."""
    found = _stack(settings) + _kafka(settings)
    kafka_answers = found[-1].verdict == "ok"
    checks: list[tuple[str, bool, Callable[[Settings], list[Finding]]]] = [
        ("topics", True, _topics),
        ("copies", True, copies),
        ("Redis", False, _redis),
        ("projector", True, _projector),
        ("group", True, names),
        ("workers", False, status),
        ("disk", False, disks),
        ("dead letters", True, dead_letters),
        ("teams", True, unknown_teams),
        ("model", False, _model),
    ]
    for what, needs_kafka, check in checks:
        if needs_kafka and not kafka_answers:
            found.append(Finding(what, "note", "not looked at", "Mend Kafka first."))
        else:
            found.extend(check(settings))
        if what == "topics" and kafka_answers:
            kafka_answers = found[-1].verdict == "ok"  # what lies in topics that are missing cannot be looked at
    return found


def _stack(settings: Settings) -> list[Finding]:
    if running_environment(settings.state_dir):
        return [Finding("stack", "ok", f"our own Kafka and Valkey run on {settings.state_dir}")]
    return [Finding("stack", "ok", f"none of our own runs on {settings.state_dir}; the settings say where to look")]


def _kafka(settings: Settings) -> list[Finding]:
    began = time.monotonic()
    try:
        with topics.connected(settings) as admin:
            brokers = len(admin.describe_cluster()["brokers"])
    except PulsewardenError as error:
        sentence, _, mend = str(error).partition(": ")
        return [Finding("Kafka", "wrong", sentence, mend)]
    took_ms = (time.monotonic() - began) * 1000
    where = settings.kafka.bootstrap_servers
    return [Finding("Kafka", "ok", f"{brokers} broker{'s' * (brokers != 1)} at {where}, answered in {took_ms:.0f} ms")]


def _topics(settings: Settings) -> list[Finding]:
    try:
        sentences = topics.check(settings)
    except TopicsDiffer as error:
        sentences = [str(error)]
    if not sentences:
        count = len(topics.wanted(settings))
        return [Finding("topics", "ok", f"all {count}, with {settings.stream.partitions} partitions each")]
    return [Finding("topics", "wrong", *_split(sentence)) for sentence in sentences]


def _split(sentence: str) -> tuple[str, str]:
    found, _, mend = sentence.rpartition(": ")
    return (found, mend) if found else (sentence, "")


def _redis(settings: Settings) -> list[Finding]:
    where = _without_password(settings.redis.url)
    try:
        with redis.Redis.from_url(
            settings.redis.url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S, retry=None
        ) as client:
            began = time.monotonic()
            client.ping()
            took_ms = (time.monotonic() - began) * 1000
            policy = _policy(client)
    except (redis.RedisError, OSError) as error:
        return [
            Finding(
                "Redis",
                "wrong",
                f"no answer from {where} ({type(error).__name__})",
                "Start one with `python -m monitor up`, or set PULSEWARDEN_REDIS__URL.",
            )
        ]
    answered = Finding("Redis", "ok", f"{where}, answered in {took_ms:.1f} ms")
    if policy in {"noeviction", None}:
        return [answered]
    mend = "Set maxmemory-policy to noeviction: another one may drop open alerts."
    return [answered, Finding("Redis", "wrong", f"maxmemory-policy is {policy}", mend)]


def _projector(settings: Settings) -> list[Finding]:
    """Look for alerts that wait for Redis though there was time to put them there."""
    ends = LogEnds(settings)
    try:
        with connect(settings) as client:
            waiting = unapplied(client, ends, settings)
            if waiting:
                time.sleep(STUCK_S)
                waiting = min(waiting, unapplied(client, ends, settings))
    except (RedisUnreachable, BrokerUnreachable) as error:
        return [Finding("projector", "note", f"not looked at ({type(error).__name__})", "Mend that first.")]
    finally:
        ends.close()
    if not waiting:
        return [Finding("projector", "ok", "Redis holds all that the alert topics do")]
    sentence = f"waiting for Redis: {many(waiting, 'alert version')}"
    return [Finding("projector", "wrong", sentence, "Start `python -m monitor projector`, or look at its log.")]


def _policy(client: "redis.Redis") -> str | None:
    """Return the eviction policy, or None if this user may not ask (managed servers often forbid CONFIG)."""
    try:
        answer = client.config_get("maxmemory-policy")
    except redis.ResponseError:
        return None
    values = {_text(key): _text(value) for key, value in answer.items()}
    return values.get("maxmemory-policy")


def _text(value: bytes | str | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _bundle_folder(settings: Settings) -> Path | None:
    """Return the folder of the bundle that a worker would start with; None is the packaged one."""
    from models.registry import Registry

    if settings.scoring.bundle is not None:
        return settings.scoring.bundle
    return Registry(settings.registry_folder).champion_path()


def _model(settings: Settings) -> list[Finding]:
    """Load the bundle that a worker would, on the device that it would use."""
    from models.errors import ModelError
    from models.predict import Predictor

    if not settings.scoring.enabled:
        return [Finding("model", "note", "scoring is switched off", "Set PULSEWARDEN_SCORING__ENABLED=true to score.")]
    try:
        folder = _bundle_folder(settings)
        predictor = Predictor.load(device="cpu") if folder is None else Predictor.load(folder, device="cpu")
    except (ModelError, OSError) as error:
        mend = "Restore the bundle, or unset PULSEWARDEN_SCORING__BUNDLE to use the packaged one."
        return [Finding("model", "wrong", str(error), mend)]
    source = "packaged" if folder is None else str(folder)
    heads = f"{sum(predictor.trained)} of {len(predictor.heads)} heads trained"
    return [Finding("model", "ok", f"version {predictor.version} ({source}), {heads}"), _gpu(settings, folder)]


def _gpu(settings: Settings, folder: Path | None) -> Finding:
    from models.predict import Predictor

    wanted = settings.scoring.device
    if wanted == "cpu":
        return Finding("GPU", "ok", "not wanted: the settings say cpu")
    try:
        device = (Predictor.load(device=wanted) if folder is None else Predictor.load(folder, device=wanted)).device
    except (RuntimeError, AssertionError) as error:  # what torch raises without a usable driver
        mend = "Set PULSEWARDEN_SCORING__DEVICE=auto to use the CPU, or mend the NVIDIA driver."
        return Finding("GPU", "wrong", f"{wanted} cannot be used: {str(error).splitlines()[0]}", mend)
    if device.startswith("cuda"):
        return Finding("GPU", "ok", f"the model runs on {device}")
    return Finding("GPU", "note", "none: the model runs on the CPU, with the same code")
