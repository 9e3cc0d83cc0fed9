"""Every setting, with its default and its unit.

Values come from, first wins: what the code passes, ``PULSEWARDEN_`` environment variables (nested with ``__``, for
example ``PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS``), the addresses of a stack that ``python -m monitor up`` runs on
``state_dir``, and the defaults below. An unknown name is refused: a misspelt setting must not be silently ignored.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from monitor.alerting.limits import Limits, refusal
from monitor.errors import SettingsInvalid
from monitor.local.address import running_environment

PREFIX = "PULSEWARDEN_"
LEAVE_S = 5.0
"""To leave the group and close the producer, once there is no more to be written."""

TEAM = re.compile(r"[a-z0-9-]{1,40}")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
NamePrefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Part):
    """Where Kafka is and what our topics are called there."""

    bootstrap_servers: str = Field("127.0.0.1:9092", min_length=1, description="host:port, comma separated")
    topic_prefix: NamePrefix = Field("", description="put before every topic name")
    replication_factor: int = Field(1, ge=1, le=16, description="of topics that `topics create` makes")


class RedisSettings(_Part):
    """Where Redis or Valkey is and what our keys are called there."""

    url: str = "redis://127.0.0.1:6379/0"
    key_prefix: str = Field("pw:", max_length=64)

    @field_validator("url")
    @classmethod
    def _can_be_read(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            named = parts.scheme in ("redis", "rediss") and parts.hostname is not None and parts.port != 0
        except ValueError:
            named = False
        if not named and not url.startswith("unix:///"):
            raise ValueError("it is no redis://host:port/number, rediss://host:port/number or unix:///path")
        return url


class StreamSettings(_Part):
    """How a worker reads, cuts and steps."""

    partitions: int = Field(16, ge=1, le=1024, description="of every topic; equal and frozen")
    clock: Literal["broker", "log"] = Field("broker", description="broker: LogAppendTime; log: record times (replay)")
    pace_ms: int = Field(50, ge=0, le=10_000, description="least time between two steps")
    idle_limit_s: float = Field(
        10.0, gt=0, le=3600, description="an input that does not answer for so long, while others do, holds T no more"
    )
    idle_cut_ms: int = Field(500, ge=10, le=60_000, description="a cut at least this often, even without records")
    session_timeout_s: float = Field(
        10.0,
        ge=6,
        le=90,
        description="a worker that is not heard of for so long is missed; brokers take no less than 6",
    )
    heartbeat_s: float = Field(3.0, ge=0.1, le=30, description="a third of session_timeout_s, at most a half")
    cut_timeout_s: float = Field(
        10.0,
        ge=2,
        le=300,
        description="an unacknowledged cut after this is unknown; a broker may take a second to answer",
    )
    worker_id: Name = "worker-1"
    static_membership: bool = Field(
        False, description="join the group under worker_id: a restart within session_timeout_s moves no partition"
    )
    stalled_s: float = Field(60.0, gt=0, le=3600, description="no progress for so long with lag ends the worker")
    stop_within_s: float = Field(
        25.0, ge=0, le=600, description="a worker that is told to stop writes its checkpoints for so long at most"
    )

    @model_validator(mode="after")
    def _hears_often_enough(self) -> Self:
        if self.heartbeat_s > self.session_timeout_s / 2:
            raise ValueError(
                f"heartbeat_s {self.heartbeat_s:g} is more than half of session_timeout_s {self.session_timeout_s:g}: "
                "one late heartbeat would move partitions"
            )
        return self

    @property
    def gone_within_s(self) -> float:
        """The time after which a worker that was told to stop has ended, in any case."""
        return self.stop_within_s + LEAVE_S


class CheckpointSettings(_Part):
    """Where and how often a worker keeps the state of its partitions."""

    place: str | None = Field(
        None, description="folder or object-store URL shared by all workers; None: state_dir/checkpoints"
    )
    interval_s: float = Field(60.0, gt=0, le=3600, description="time between two checkpoints of a partition")


class JournalSettings(_Part):
    """Where workers write what they decided as Parquet, with each checkpoint."""

    place: str | None = Field(None, description="folder or object-store URL; None: state_dir/journal")
    spill_mib: int = Field(
        1024, ge=1, le=1 << 20, description="rows on the local disk while the place fails; then lost"
    )


class ScoringSettings(_Part):
    """The risk model inside a worker."""

    enabled: bool = True
    every_min: int = Field(15, ge=1, le=1440)
    batch: int = Field(64, ge=1, le=4096, description="wearers in one forward pass")
    wait_ms: int = Field(50, ge=0, le=10_000, description="longest wait for a batch to fill")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    bundle: Path | None = Field(None, description="None: the registry's champion, else the packaged bundle")


class TrainerSettings(_Part):
    """When and how the model is trained again."""

    cron: str = "0 3 * * *"
    registry: Path | None = Field(None, description="None: state_dir/registry")
    min_wearers: int = Field(20, ge=1)
    seed: int = Field(7, ge=0)


class _RunningStack(PydanticBaseSettingsSource):
    """The addresses that a running ``python -m monitor up`` left in its state folder."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        state_dir = Path(self.current_state.get("state_dir", Settings.model_fields["state_dir"].default))
        values: dict[str, Any] = {}
        for name, value in running_environment(state_dir).items():
            section, _, field = name.removeprefix(PREFIX).lower().partition("__")
            if field:
                values.setdefault(section, {})[field] = value
        return values


class Settings(BaseSettings):
    """All settings of the monitor; frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    stream: StreamSettings = StreamSettings()
    teams: Annotated[tuple[str, ...], NoDecode] = Field(
        ("north", "south"), min_length=1, description="comma separated; the first is the default team"
    )
    state_dir: Path = Path(".pulsewarden")
    checkpoint: CheckpointSettings = CheckpointSettings()
    journal: JournalSettings = JournalSettings()
    scoring: ScoringSettings = ScoringSettings()
    trainer: TrainerSettings = TrainerSettings()
    limits: Limits = Limits()

    @field_validator("teams", mode="before")
    @classmethod
    def _split_teams(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("teams")
    @classmethod
    def _name_each_once(cls, teams: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [team for team in teams if not TEAM.fullmatch(team)]:
            raise ValueError(f"{odd[0]!r} is no team: name at least one, of a-z, 0-9 and -, comma separated")
        if len(set(teams)) < len(teams):
            raise ValueError("a team is named twice")
        return teams

    @property
    def checkpoint_place(self) -> str:
        """Folder or URL of the checkpoints."""
        return self.checkpoint.place or str(self.state_dir / "checkpoints")

    @property
    def journal_place(self) -> str:
        """Folder or URL of the journal's tables."""
        return self.journal.place or str(self.state_dir / "journal")

    @property
    def registry_folder(self) -> Path:
        """The folder of trained model versions."""
        return self.trainer.registry or self.state_dir / "registry"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Code, then environment, then a running stack; no dotenv file and no secrets folder."""
        return init_settings, env_settings, _RunningStack(settings_cls)


def load(**values: Any) -> Settings:
    """Read the settings from the environment; *values* win.

    Raises
    ------
    SettingsInvalid
        If a ``PULSEWARDEN_`` variable is unknown, of the wrong type or out of range.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known and upper.partition("__")[0] not in known:
            raise SettingsInvalid(f"{name} is not a setting: unset it, or use one of {', '.join(sorted(known))}.")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = PREFIX + "__".join(part.upper() for part in first["loc"] if isinstance(part, str))
        why = refusal(first) if first["loc"][:1] == ("limits",) else first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden" and first["loc"][:1] != ("limits",):
            why = "there is no such setting; docs/operating.md lists them"
        mend = " Correct" if why.endswith("?") else "; correct"
        raise SettingsInvalid(f"Setting {variable} is wrong: {why}{mend} or unset it.") from error
    except SettingsError as error:
        raise SettingsInvalid(f"A {PREFIX} variable cannot be read ({error}): correct or unset it.") from error
