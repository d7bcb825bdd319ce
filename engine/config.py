"""One run's settings: TOML file < environment (``MINEGAP_SECTION_KEY``) < flags, validated once.

Knows names, types and limits; ``engine.packs`` finds the models, the adapters judge them.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from engine.errors import InputError
from engine.genetic import Breeding
from engine.score import DEFAULT_ALPHA, DEFAULT_SCORE, SCORES

MAX_PROMPT_CHARACTERS = 2000
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda|cuda:\d{1,3})$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=4096)


class SessionSection(_Section):
    """``[session]``: a name for people, the master seed of every draw."""

    name: str = ""
    seed: int = Field(default=0, ge=0, lt=2**63)


class ModelsSection(_Section):
    """``[models]``: a pack (``micro``, the embedded one, or a directory); each role can be replaced."""

    pack: str = Field(default="micro", min_length=1)
    painter: str | None = None
    scorer: str | None = None
    writer: str | None = None


class PainterSection(_Section):
    """``[painter]``: settings of the subject under study; None leaves the pack's or the model's own."""

    steps: int | None = Field(default=None, ge=1, le=1000)
    guidance: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    width: int | None = Field(default=None, ge=8, le=8192)
    height: int | None = Field(default=None, ge=8, le=8192)
    batch_size: int = Field(default=16, ge=1, le=1024)
    dtype: Dtype = "auto"
    device: Device = "auto"
    allow_cpu_offload: bool = False


class ScorerSection(_Section):
    """``[scorer]``: where and in what precision CLIP runs."""

    device: Device = "auto"
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"


class WriterSection(_Section):
    """``[writer]``: the LLM's context and sampling; ``prompts`` is a directory of meta-prompts."""

    context: int | None = Field(default=None, ge=128, le=1 << 20)
    temperature: float | None = Field(default=None, gt=0, le=5, allow_inf_nan=False)
    gpu_layers: int | None = Field(default=None, ge=-1, le=10000)
    threads: int | None = Field(default=None, ge=1, le=1024)
    prompts: str | None = None


class SearchSection(_Section):
    """``[search]``: the genetic search in the field's letters: b population, s survivors, m mutations, N, T.

    ``prompts`` are put in front of the first population; the rest of it is filled with random prompts.
    """

    population: int = Field(default=16, ge=1, le=10000)
    survivors: int = Field(default=4, ge=1)
    mutations: int = Field(default=3, ge=0)
    generations: int = Field(default=8, ge=1, le=100000)
    images: int = Field(default=16, ge=2, le=4096)
    variations: int = Field(default=16, ge=2, le=4096)
    score: str = DEFAULT_SCORE
    alpha: float = Field(default=DEFAULT_ALPHA, ge=0, le=100, allow_inf_nan=False)
    objective: Literal["bias", "red", "green", "blue"] = "bias"
    axis: str = Field(default="", max_length=200)
    theme: str = Field(default="", max_length=200)
    elitist: bool = False
    lineage_cap: int | None = Field(default=None, ge=1)
    prompts: tuple[str, ...] = ()

    @field_validator("score")
    @classmethod
    def _known_score(cls, name: str) -> str:
        if name not in SCORES:
            raise ValueError(f"there is no such score: use one of {', '.join(SCORES)}")
        return name

    @field_validator("axis", "theme")
    @classmethod
    def _visible(cls, text: str) -> str:
        if fault := _control_fault(text):
            raise ValueError(fault)
        return text

    @field_validator("prompts", mode="before")
    @classmethod
    def _prompts(cls, prompts: object) -> object:
        if isinstance(prompts, list | tuple):
            for number, prompt in enumerate(prompts, 1):
                if isinstance(prompt, str) and (fault := prompt_fault(prompt)):
                    raise ValueError(f"prompt {number} {fault}")
        return prompts

    @model_validator(mode="after")
    def _consistent(self) -> SearchSection:
        b = self.population
        try:
            Breeding(b, self.survivors, self.mutations, self.elitist, self.lineage_cap)
        except InputError as error:
            raise ValueError(str(error).rstrip(".")) from error
        if len(self.prompts) > b:
            raise ValueError(f"population = {b} is less than the {len(self.prompts)} prompts given: raise it")
        return self


class StoreSection(_Section):
    """``[store]``: the directory that holds minegap.db and images/."""

    path: Path = Field(default_factory=lambda: user_data_path("minegap"))


class WorkersSection(_Section):
    """``[workers]``: seconds that one request to a worker may take, restarts of a worker over one request."""

    deadline: float = Field(default=900.0, ge=1, le=1_000_000, allow_inf_nan=False)
    restarts: int = Field(default=3, ge=0, le=100)


class MiningConfig(BaseModel):
    """All settings of one session; ``model_dump_json`` is what the store keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session: SessionSection = Field(default_factory=SessionSection)
    models: ModelsSection = Field(default_factory=ModelsSection)
    painter: PainterSection = Field(default_factory=PainterSection)
    scorer: ScorerSection = Field(default_factory=ScorerSection)
    writer: WriterSection = Field(default_factory=WriterSection)
    search: SearchSection = Field(default_factory=SearchSection)
    store: StoreSection = Field(default_factory=StoreSection)
    workers: WorkersSection = Field(default_factory=WorkersSection)


def load_config(path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None) -> MiningConfig:
    """Read the layers and validate their sum.

    Args:
        path: a TOML file; None starts from the defaults, which are the demo on the embedded pack.
        overrides: flags as ``{section: {key: value}}``; a value of None means "not given".

    Raises:
        InputError: the file cannot be read, or a key or value is not allowed; names key, value and remedy.
    """
    flags = {
        section: {key: value for key, value in given.items() if value is not None}
        for section, given in (overrides or {}).items()
    }
    return _merge(_read_toml(path) if path else {}, flags, str(path) if path else "the configuration")


def parse_config(text: str | bytes, origin: str) -> MiningConfig:
    """Read a whole configuration back from JSON (as the store keeps it); no file or environment is consulted.

    Raises:
        InputError: the JSON is not a valid configuration.
    """
    try:
        return MiningConfig.model_validate_json(text)
    except ValidationError as error:
        raise InputError(_sentence(error, origin)) from error


def score_config(config: MiningConfig, prompts: tuple[str, ...]) -> MiningConfig:
    """Return a copy that evaluates exactly these prompts once and breeds nothing.

    Raises:
        InputError: a prompt is empty, too long or holds control characters.
    """
    search = config.search.model_dump() | {
        "prompts": prompts,
        "population": max(1, len(prompts)),
        "survivors": 1,
        "mutations": 0,
        "generations": 1,
        "elitist": False,
    }
    try:
        return config.model_copy(update={"search": SearchSection.model_validate(search)})
    except ValidationError as error:
        raise InputError(_sentence(error, "the command line", ("search",))) from error


KNOBS = (
    "population", "survivors", "mutations", "images", "variations", "alpha", "axis", "theme", "generations", "prompts",
)  # fmt: skip
"""What may be changed while a session runs: settings of ``[search]``, and ``prompts`` of ``[writer]``."""


def with_knobs(
    config: MiningConfig, knobs: Mapping[str, int | float | str | bool | None], generation: int
) -> MiningConfig:
    """Return the configuration with knobs turned, as it is in force when ``generation`` is bred.

    Raises:
        InputError: there is no such knob, its value is not allowed, or the whole no longer fits together.
    """
    for name in knobs:
        if name not in KNOBS:
            raise InputError(f"There is no knob {name!r}: turn one of {', '.join(KNOBS)}.")
    search = config.search.model_dump() | {name: value for name, value in knobs.items() if name != "prompts"}
    if generation > 1:
        search["prompts"] = ()  # the user's first prompts take places of the first population only
    try:
        turned = config.model_copy(update={"search": SearchSection.model_validate(search)})
        if "prompts" in knobs:
            writer = config.writer.model_dump() | {"prompts": knobs["prompts"]}
            turned = turned.model_copy(update={"writer": WriterSection.model_validate(writer)})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        reason = fault["msg"].removeprefix("Value error, ")
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if not name:  # a rule between several settings, which names them itself
            raise InputError(f"{reason}.") from error
        raise InputError(
            f"The knob {name} = {knobs.get(name)!r}: {reason[0].lower()}{reason[1:]}."
        ) from error
    return turned


def prompt_fault(prompt: str) -> str:
    """Say why a text cannot be a prompt, with the remedy; empty when it can."""
    if not prompt.strip():
        return "is empty: write what to draw"
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        return f"has {len(prompt)} characters: shorten it to at most {MAX_PROMPT_CHARACTERS}"
    return _control_fault(prompt)


def _control_fault(text: str) -> str:
    for place, character in enumerate(text):
        if unicodedata.category(character) in {"Cc", "Cs"}:
            return f"holds the control character U+{ord(character):04X} at position {place}: remove it"
    return ""


def _merge(file: dict[str, Any], flags: dict[str, Any], origin: str) -> MiningConfig:
    class Layers(BaseSettings, MiningConfig):
        model_config = SettingsConfigDict(
            extra="forbid", env_prefix="MINEGAP_", env_nested_delimiter="_", env_nested_max_split=1
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            flag_layer = InitSettingsSource(settings_cls, init_kwargs=flags)
            return flag_layer, env_settings, InitSettingsSource(settings_cls, init_kwargs=file)

    try:
        layered = Layers()
    except ValidationError as error:
        raise InputError(_sentence(error, origin)) from error
    except SettingsError as error:
        raise InputError(
            f"An environment variable MINEGAP_… cannot be read ({error}): write it as JSON."
        ) from error
    # The engine stands in another directory: what the flags and the environment name is found from this one.
    values = layered.model_dump() | {"store": {"path": layered.store.path.absolute()}}
    _anchor_paths(values, Path.cwd())
    return MiningConfig.model_validate(values)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"Configuration {str(path)!r} cannot be read ({error.strerror or error}): check the path."
        ) from error
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"Configuration {str(path)!r} is not valid TOML ({error}): correct that line."
        ) from error
    _anchor_paths(values, path.resolve().parent)
    return values


_PATH_KEYS = {"models": ("pack", "painter", "scorer", "writer"), "writer": ("prompts",), "store": ("path",)}


def _anchor_paths(values: dict[str, Any], directory: Path) -> None:
    """Make paths that are relative to ``directory`` absolute; a repo id or ``micro`` stays what it is."""
    for section, keys in _PATH_KEYS.items():
        given = values.get(section)
        if not isinstance(given, dict):
            continue
        for key in keys:
            value = given.get(key)
            if isinstance(value, str) and "\0" not in value and value != "micro":
                if value.startswith("~"):
                    given[key] = str(Path(value).expanduser())
                elif section == "store" or (directory / value).exists():
                    given[key] = str(directory / value)


_REMEDIES = {
    "extra_forbidden": "there is no such key: check its spelling",
    "missing": "it is required: set it",
}


def _sentence(error: ValidationError, origin: str, prefix: tuple[str, ...] = ()) -> str:
    fault = error.errors(include_url=False)[0]
    place = [*prefix, *(str(part) for part in fault["loc"])]
    key = ".".join(place[:2]) or "the whole of it"
    shown = ""
    if not isinstance(fault["input"], dict | BaseModel):
        value = repr(fault["input"])
        shown = f" = {value if len(value) <= 60 else value[:57] + '...'}"
    reason = _REMEDIES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    others = error.error_count() - 1
    more = f" ({others} more like it)" if others else ""
    hint = ""
    if len(place) >= 2 and fault["type"] != "extra_forbidden":
        hint = f"; set it in [{place[0]}], by MINEGAP_{'_'.join(place[:2]).upper()} or by a flag"
    return f"{key}{shown} in {origin}: {reason[0].lower()}{reason[1:]}{hint}{more}."
