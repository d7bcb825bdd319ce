"""One run's settings as a model: names, types, limits, and what fits together.

``engine.config_sources`` reads them, ``engine.packs`` finds the models, the adapters judge them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.budget import FEWEST, Budget, Racing, planned
from engine.config_faults import sentence_on
from engine.errors import InputError
from engine.genetic import Breeding
from engine.objectives import objective_named
from engine.places import default_store
from engine.score import DEFAULT_ALPHA, DEFAULT_SCORE, SCORES

MAX_PROMPT_CHARACTERS = 2000
Dtype = Literal["auto", "float32", "float16", "bfloat16"]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda|cuda:\d{1,3})$")]


class _Section(BaseModel):
    """Each field says of itself what a form and its help need: type, limits, default, meaning, proposals.

    Attributes:
        advanced: whether a form shows the section only to those who ask for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=4096)
    advanced: ClassVar[bool] = False


class SessionSection(_Section):
    """``[session]``: a name for people, the master seed of every draw."""

    name: str = Field(default="", description="what you call it; may be empty")
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="master seed: the same one gives the same session"
    )


class ModelsSection(_Section):
    """``[models]``: a pack (``micro``, the embedded one, or a directory); each role can be replaced."""

    pack: str = Field(
        default="micro", min_length=1, description="all three models: micro, or a pack's directory"
    )
    painter: str | None = Field(default=None, description="the model under study, instead of the pack's")
    scorer: str | None = Field(
        default=None, description="the CLIP model that reads images, instead of the pack's"
    )
    writer: str | None = Field(
        default=None, description="the LLM that varies and mutates, instead of the pack's"
    )


class PainterSection(_Section):
    """``[painter]``: settings of the subject under study; None leaves the pack's or the model's own."""

    advanced: ClassVar[bool] = True
    steps: int | None = Field(
        default=None, ge=1, le=1000, description="of the sampler; empty: the model's own"
    )
    guidance: float | None = Field(
        default=None, ge=0, le=100, allow_inf_nan=False, description="scale of it; empty: the model's own"
    )
    width: int | None = Field(default=None, ge=8, le=8192, description="in pixels; empty: the model's own")
    height: int | None = Field(default=None, ge=8, le=8192, description="in pixels; empty: the model's own")
    batch_size: int = Field(
        default=16, ge=1, le=1024, description="images drawn at once; changes no image's law"
    )
    dtype: Dtype = Field(default="auto", description="precision of the weights")
    device: Device = Field(default="auto", description="where it runs", examples=["auto", "cpu", "cuda:0"])
    allow_cpu_offload: bool = Field(
        default=False, description="move parts to main memory where the GPU is too small"
    )


class ScorerSection(_Section):
    """``[scorer]``: where and in what precision CLIP runs."""

    advanced: ClassVar[bool] = True
    device: Device = Field(default="auto", description="where it runs", examples=["auto", "cpu", "cuda:0"])
    dtype: Literal["float32", "float16", "bfloat16"] = Field(default="float32", description="precision of it")


class WriterSection(_Section):
    """``[writer]``: the LLM's context and sampling; ``prompts`` is a directory of meta-prompts."""

    advanced: ClassVar[bool] = True
    context: int | None = Field(default=None, ge=128, le=1 << 20, description="tokens; empty: 4,096")
    temperature: float | None = Field(
        default=None, gt=0, le=5, allow_inf_nan=False, description="of the sampling; empty: the pack's"
    )
    gpu_layers: int | None = Field(
        default=None, ge=-1, le=10000, description="layers on the GPU; -1: all of them"
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="processor threads; empty: as many as help"
    )
    prompts: str | None = Field(default=None, description="folder of meta-prompts; empty: the built-in ones")


class SearchSection(_Section):
    """``[search]``: the genetic search in the field's letters: b population, s survivors, m mutations, N, T.

    ``prompts`` are put in front of the first population; the rest of it is filled with random prompts.
    """

    population: int = Field(default=16, ge=1, le=10000, description="b: prompts in a generation")
    survivors: int = Field(default=4, ge=1, description="s: prompts that are mutated")
    mutations: int = Field(default=3, ge=0, description="m: children of each survivor")
    generations: int = Field(default=8, ge=1, le=100000, description="after this one mining ends")
    images: int = Field(default=16, ge=2, le=4096, description="N: images for each prompt")
    variations: int = Field(default=16, ge=2, le=4096, description="T: variations for each prompt")
    budget: Budget = Field(default="racing", description="everybody N images, or a race for 55 % of them")
    score: str = Field(
        default=DEFAULT_SCORE, description="what ranks; lower = more biased", examples=list(SCORES)
    )
    alpha: float = Field(
        default=DEFAULT_ALPHA,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="percentile of coverage that counts as missed",
    )
    objective: Literal["bias", "red", "green", "blue"] = Field(
        default="bias", description="what is mined for; the colours are a self-test"
    )
    axis: str = Field(default="", max_length=200, description="direction of mutations; may be empty")
    theme: str = Field(default="", max_length=200, description="subject of random prompts; may be empty")
    elitist: bool = Field(default=False, description="survivors stay in the population, measured anew")
    lineage_cap: int | None = Field(
        default=None, ge=1, description="most survivors of one family; empty: no limit"
    )
    prompts: tuple[str, ...] = Field(default=(), description="your own, put into the first generation")

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

    @property
    def shares(self) -> Budget:
        """How images are shared out. Everybody gets the same, whatever the budget says, where images are too few or
        places enough for all, or for a score that moves with the number of images, so that no two are comparable."""
        steady = objective_named(self.objective, self.score).steady
        contested = self.images >= FEWEST and self.survivors < self.population
        return self.budget if steady and contested else "uniform"

    @property
    def look(self) -> int:
        """How many images of a prompt are drawn before any score is looked at."""
        return Racing.of(self.images, self.population).first if self.shares == "racing" else self.images

    @property
    def planned(self) -> int:
        """How many images the whole search draws at most."""
        return self.generations * planned(self.shares, self.images, self.population)

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


class ConfirmSection(_Section):
    """``[confirm]``: what is measured again after the search, so that it may be called a finding."""

    advanced: ClassVar[bool] = True

    enabled: bool = Field(default=True, description="confirm what a session found at its end")
    top: int = Field(default=5, ge=1, le=1000, description="most biased prompts, and as many unselected ones")
    images: int | None = Field(
        default=None,
        ge=2,
        le=1 << 16,
        description="images behind each confirmed score; none: 2 x search.images",
    )
    ceiling_images: int = Field(default=3, ge=0, le=256, description="images of each missed concept itself")


class StoreSection(_Section):
    """``[store]``: the directory that holds minegap.db and images/."""

    path: Path = Field(default_factory=default_store, description="directory of everything that is mined")


class WorkersSection(_Section):
    """``[workers]``: seconds that one request to a worker may take, restarts of a worker over one request."""

    advanced: ClassVar[bool] = True
    deadline: float = Field(
        default=900.0,
        ge=1,
        le=1_000_000,
        allow_inf_nan=False,
        description="seconds that one request may take",
    )
    restarts: int = Field(default=3, ge=0, le=100, description="of a worker over one request")


class MiningConfig(BaseModel):
    """All settings of one session; ``model_dump_json`` is what the store keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session: SessionSection = Field(default_factory=SessionSection)
    models: ModelsSection = Field(default_factory=ModelsSection)
    painter: PainterSection = Field(default_factory=PainterSection)
    scorer: ScorerSection = Field(default_factory=ScorerSection)
    writer: WriterSection = Field(default_factory=WriterSection)
    search: SearchSection = Field(default_factory=SearchSection)
    confirm: ConfirmSection = Field(default_factory=ConfirmSection)
    store: StoreSection = Field(default_factory=StoreSection)
    workers: WorkersSection = Field(default_factory=WorkersSection)


def score_config(config: MiningConfig, prompts: tuple[str, ...]) -> MiningConfig:
    """Return a copy that evaluates exactly these prompts once and breeds nothing.

    Raises:
        InputError: a prompt is empty, too long or holds control characters.
    """
    search = config.search.model_dump() | {
        "prompts": prompts,
        "population": max(1, len(prompts)),
        "survivors": 1,
        "budget": "uniform",
        "mutations": 0,
        "generations": 1,
        "elitist": False,
    }
    try:
        alone = {"search": SearchSection.model_validate(search), "confirm": ConfirmSection(enabled=False)}
        return config.model_copy(update=alone)
    except ValidationError as error:
        raise InputError(sentence_on(error, "the command line", ("search",))) from error


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
