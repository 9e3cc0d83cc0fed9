"""Scenarios: named TOML files that say who the wearers are, what they wear, and what happens to them how often."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from simulators.errors import ScenarioRefused
from simulators.kinds import Kind
from simulators.places import PLACES

FOLDER = Path(__file__).parent / "scenarios"

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def ordered(span: tuple[float, float]) -> tuple[float, float]:
    """Return a span if it is one: two minutes, the smaller first, at most 60 days.

    >>> ordered((2.0, 5.0))
    (2.0, 5.0)
    """
    if not 0 < span[0] <= span[1] <= 60 * 24 * 60:
        raise ValueError("a span is two minutes, the smaller first, above 0")
    return span


class Crowd(_Part):
    """Who the wearers are."""

    age_mean_years: float = Field(48, ge=18, le=100)
    age_sd_years: float = Field(16, ge=0, le=40)
    hypertension_share: Share = 0.3
    cuff_share: Share = Field(0.4, description="of wearers without hypertension; with it nearly all have a cuff")
    cuffless_share: Share = 0.05
    fibrillation_share: Share = Field(0.03, description="known atrial fibrillation")
    pregnant_share: Share = Field(0.02, description="of women under 45")
    night_off_share: Share = Field(0.12, description="of wearers take the watch off at night")
    shift_worker_share: Share = 0.04
    wearers_per_gateway: int = Field(20, ge=1, le=1000)
    places: dict[str, Weight] = Field(
        {"Asia/Shanghai": 0.4, "Europe/Berlin": 0.3, "America/New_York": 0.3},
        description="weights of set A's places; those of set B are its own",
    )

    @field_validator("places")
    @classmethod
    def _known(cls, places: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(places) - set(PLACES))
        if unknown or not sum(places.values()) > 0:
            raise ValueError(f"places must be some of {', '.join(PLACES)} with a positive weight")
        return places


class Devices(_Part):
    """Weights of set A's device profiles (simulators.devices); those of set B are its own."""

    second: Weight = 0.45
    second_rr: Weight = 0.3
    minute: Weight = 0.15
    five_minute: Weight = 0.1
    ten_second: Weight = 0.0


class Transport(_Part):
    """What happens between the device and Kafka."""

    delay_s: float = Field(1.5, ge=0, le=3600, description="mean of the exponential delay of a message")
    duplicates: Share = Field(0.002, description="of messages arrive twice")
    shuffle_s: float = Field(2.0, ge=0, le=3600, description="further delay, uniform, that reorders messages")
    late_share: Share = Field(0.001, description="of messages wait for a later synchronisation")
    late_min: float = Field(12.0, ge=0, le=1440, description="mean wait of those")


Span = tuple[float, float]


class Faults(_Part):
    """Faults of devices, gateways and people that say nothing about the wearer; rates a wearer-day, spans in minutes.

    The truth file tells them; labels do not. Frozen values and flat batteries come with the device profiles, at their
    rates times `devices`.
    """

    devices: float = Field(1.0, ge=0, le=100, description="multiplies the profiles' frozen values and flat batteries")
    late_bursts: Weight = Field(0.0, le=50, description="a phone out of reach: everything comes at once, later")
    late_burst_min: Span = (60.0, 480.0)
    clock_skews: Weight = Field(0.0, le=50, description="the watch's clock is wrong")
    clock_skew_min: Span = (120.0, 1440.0)
    clock_off_by_min: Span = Field((2.0, 60.0), description="by so many whole minutes, to either side")
    unit_slips: Weight = Field(0.0, le=50, description="pressure in kPa and temperature in Fahrenheit")
    unit_slip_min: Span = (240.0, 1440.0)
    wrong_wearers: Weight = Field(0.0, le=50, description="somebody else wears the watch")
    wrong_wearer_min: Span = (30.0, 480.0)

    @field_validator("late_burst_min", "clock_skew_min", "unit_slip_min", "wrong_wearer_min", "clock_off_by_min")
    @classmethod
    def _ordered(cls, span: Span) -> Span:
        return ordered(span)


class Habits(_Part):
    """What healthy people do that moves the heart: short frights and arguments, and exercise."""

    stress_per_day: float = Field(1.2, ge=0, le=20)
    exercise: float = Field(1.0, ge=0, le=10, description="multiplies everybody's sessions a day")
    no_step_exercise_share: Share = Field(0.25, description="of sessions show no steps (cycling, rowing)")
    recognised_share: Share = Field(0.9, description="of exercise sessions that the device recognises as such")


class Climate(_Part):
    """What the weather adds to the places' own."""

    heat_wave_c: float = Field(0.0, ge=-20, le=25)


class Rate(_Part):
    """How often a kind of episode begins, and how long it lasts."""

    per_day: float = Field(
        ge=0, le=50, description="per wearer; per gateway for gateway_silent, per place for heat_wave"
    )
    regular: bool = Field(False, description="evenly spread over the run instead of at random")
    duration_min: tuple[float, float] | None = Field(
        None, description="uniform between these; without it as the parameter set has it"
    )
    first_min: float = Field(0.0, ge=0, description="no onset before this minute of the run")
    settle_min: float = Field(0.0, ge=0, description="no onset in the last minutes of the run")

    @field_validator("duration_min")
    @classmethod
    def _ordered(cls, span: Span | None) -> Span | None:
        return span if span is None else ordered(span)


class Scenario(_Part):
    """One scenario; see simulators/scenarios for the files."""

    name: str
    description: str
    parameters: Literal["a", "b"] = Field(
        "a", description="the set that says what episodes do, what wearers wear and where they live"
    )
    people: Crowd = Crowd()
    devices: Devices = Devices()
    transport: Transport = Transport()
    faults: Faults = Faults()
    habits: Habits = Habits()
    weather: Climate = Climate()
    episodes: dict[str, Rate] = {}

    @field_validator("episodes")
    @classmethod
    def _outcomes(cls, episodes: dict[str, Rate]) -> dict[str, Rate]:
        outcomes = [kind.outcome for kind in Kind]
        for name in episodes:
            if name not in outcomes:
                raise ValueError(f"{name} is not a kind of episode: use one of {', '.join(outcomes)}")
        return episodes

    def rate(self, kind: Kind) -> Rate | None:
        """How often *kind* begins; None = never."""
        return self.episodes.get(kind.outcome)


def names() -> list[str]:
    """Return the names of the packaged scenarios."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """Read a packaged scenario by name, or any ``.toml`` file by path, with all that it includes.

    ``include = ["life", "faults"]`` takes the packaged scenarios (or files beside this one, ending in ``.toml``) of
    these names first, one after the other; tables are merged key by key, of other values the later one holds, and the
    file's own hold over all. `description` is never included.

    Raises
    ------
    ScenarioRefused
        If there is none of that name, it includes itself, or a value in it is unknown or out of range.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    content = _content(path, name, ())
    try:
        return Scenario.model_validate({"name": path.stem, **content})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ScenarioRefused(f"Scenario file {path}: {where}: {first['msg']}.") from error


def _content(path: Path, name: str, above: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in above:
        raise ScenarioRefused(f"Scenario file {path} includes itself.")
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioRefused(
            f"There is no scenario {name!r}: use one of {', '.join(names())} or a .toml file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioRefused(f"Scenario file {path} is not TOML: {error}.") from error
    included = own.pop("include", [])
    if not isinstance(included, list) or not all(isinstance(one, str) for one in included):
        raise ScenarioRefused(f"Scenario file {path}: include must be a list of names.")
    content: dict[str, Any] = {}
    for one in included:
        there = path.parent / one if one.endswith(".toml") else FOLDER / f"{one}.toml"
        part = _content(there, one, (*above, path.resolve()))
        part.pop("description", None)
        content = _merged(content, part)
    return _merged(content, own)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables key by key, all else replaced."""
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _merged(out[key], value) if both else value
    return out
