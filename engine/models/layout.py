"""What a diffusers directory contains, checked before any of its gigabytes are loaded.

Every fault a half-finished copy can have is found here, from names, JSON files and safetensors headers,
and said in one sentence. Pickle weights are never opened: they could run code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.errors import InputError
from engine.models.safetensors_header import SafetensorsHeader, read_safetensors_header

SUPPORTED: Final = {
    "StableDiffusionPipeline": "Stable Diffusion 1/2",
    "StableDiffusionXLPipeline": "SDXL",
    "StableDiffusion3Pipeline": "Stable Diffusion 3",
    "FluxPipeline": "FLUX.1",
}
"""Pipeline classes that the painter can run, with the family's name for people."""

GLOBAL_NOISE: Final = frozenset({"DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler"})
"""Samplers that draw noise outside the generators given to the pipeline: their images would not repeat."""

UNUSED: Final = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that are never loaded: image prompts, and the checker that blacks images out."""

PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
TOKENIZER_FILES: Final = (
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
    ("spiece.model",),
    ("vocab.txt",),
)
VARIANTS: Final = ("", "fp16")


@dataclass(frozen=True)
class Component:
    """One part of a pipeline.

    Attributes:
        name: its folder, for example ``unet``.
        class_name: for example ``UNet2DConditionModel``.
        config: its parsed config file; empty for a tokenizer.
        weights: headers of its weight files; empty for tokenizers and schedulers.
        files: every file its behaviour depends on except weights, sorted.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    weights: tuple[SafetensorsHeader, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class PipelineLayout:
    """A complete diffusers directory.

    Attributes:
        directory: where it is.
        class_name: the pipeline's class, for example ``StableDiffusionXLPipeline``.
        index: ``model_index.json`` as parsed.
        components: the components that are loaded, by name.
        variant: weight variant to ask diffusers for (``"fp16"``) or None for the plain files.
    """

    directory: Path
    class_name: str
    index: dict[str, Any]
    components: dict[str, Component]
    variant: str | None

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights as stored."""
        return sum(header.n_bytes for part in self.components.values() for header in part.weights)

    @property
    def parameters(self) -> int:
        """Number of weights of all components."""
        return sum(header.parameters for part in self.components.values() for header in part.weights)


def read_json(path: Path) -> dict[str, Any]:
    """Parse a JSON object from a file.

    Raises:
        InputError: missing, unreadable or not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing: the model is half copied; copy or download it again."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); copy or download it again.") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object; copy or download it again.")
    return value


def read_pipeline_layout(directory: Path) -> PipelineLayout:
    """Check a diffusers directory and return what it contains.

    Raises:
        InputError: no pipeline, a component missing or truncated, or only pickle weights.
    """
    if not (directory / "model_index.json").is_file():
        raise InputError(
            f"{directory} has no model_index.json, so it is not a diffusers pipeline directory; "
            "convert single-file checkpoints with diffusers first."
        )
    index = read_json(directory / "model_index.json")
    wanted = {
        name: (str(entry[0]), str(entry[1]))
        for name, entry in index.items()
        if isinstance(entry, list) and len(entry) == 2 and entry[1] is not None and name not in UNUSED
    }
    if not wanted:
        raise InputError(
            f"{directory}/model_index.json names no components; copy or download the model again."
        )
    variants = {
        name: _complete_variants(directory, name)
        for name, (_, class_name) in wanted.items()
        if _kind(name, class_name) == "model"
    }
    plain = all("" in found for found in variants.values())
    components = {}
    for name, (_, class_name) in wanted.items():
        chosen: tuple[Path, ...] = ()
        if name in variants:
            chosen = variants[name]["" if plain or "fp16" not in variants[name] else "fp16"]
        components[name] = _read_component(directory, name, class_name, chosen)
    class_name = str(index.get("_class_name", ""))
    return PipelineLayout(directory, class_name, index, components, None if plain else "fp16")


def refuse_unusable(layout: PipelineLayout) -> None:
    """Refuse a complete pipeline that the painter cannot run, or whose images would not repeat.

    Raises:
        InputError: its class is not supported, or no seed controls its sampler.
    """
    if layout.class_name not in SUPPORTED:
        raise InputError(
            f"{layout.directory} is a {layout.class_name or 'pipeline without a class'}, "
            f"which is not supported; use one of {', '.join(SUPPORTED)}."
        )
    scheduler = layout.components.get("scheduler")
    if scheduler is None:
        raise InputError(f"{layout.directory} names no scheduler in model_index.json; copy the model again.")
    if scheduler.class_name in GLOBAL_NOISE or scheduler.config.get("stochastic_sampling"):
        raise InputError(
            f"The sampler {scheduler.class_name} of {layout.directory} draws noise that no seed controls, "
            "so its images cannot be repeated; put another scheduler into the model directory."
        )


def _kind(name: str, class_name: str) -> str:
    if name.startswith("tokenizer"):
        return "tokenizer"
    return "scheduler" if class_name.endswith("Scheduler") else "model"


def _read_component(directory: Path, name: str, class_name: str, weights: tuple[Path, ...]) -> Component:
    folder = directory / name
    if not folder.is_dir():
        raise InputError(f"{directory} lacks its component {name}: the model is half copied; copy it again.")
    kind = _kind(name, class_name)
    if kind == "tokenizer":
        if not any(all((folder / file).is_file() for file in files) for files in TOKENIZER_FILES):
            raise InputError(f"{folder} lacks the tokenizer's vocabulary; copy or download the model again.")
        files = tuple(path for path in sorted(folder.iterdir()) if path.is_file())
        return Component(name, class_name, {}, (), files)
    config = read_json(folder / ("scheduler_config.json" if kind == "scheduler" else "config.json"))
    headers = tuple(read_safetensors_header(path) for path in weights)
    return Component(name, class_name, config, headers, ())


def _complete_variants(directory: Path, name: str) -> dict[str, tuple[Path, ...]]:
    """Weight files of a model component by variant; only variants of which every file is there."""
    folder = directory / name
    if not folder.is_dir():
        raise InputError(f"{directory} lacks its component {name}: the model is half copied; copy it again.")
    found: dict[str, tuple[Path, ...]] = {}
    missing: list[str] = []
    for variant in VARIANTS:
        for stem in ("diffusion_pytorch_model", "model"):
            suffix = f".{variant}" if variant else ""
            single = folder / f"{stem}{suffix}.safetensors"
            shards = folder / f"{stem}.safetensors.index{suffix}.json"
            if single.is_file():
                found[variant] = (single,)
            elif shards.is_file():
                files = sorted(set(read_json(shards).get("weight_map", {}).values()))
                absent = [file for file in files if not (folder / file).is_file()]
                missing += absent
                if files and not absent:
                    found[variant] = tuple(folder / file for file in files)
    if found:
        return found
    if missing:
        raise InputError(
            f"{folder} lacks the weight file {missing[0]}: the model is half copied; copy it again."
        )
    if any(next(folder.glob(pattern), None) for pattern in PICKLES):
        raise InputError(
            f"{folder} has only pickle weights, which can run code and are never opened; "
            "convert the model to safetensors."
        )
    raise InputError(
        f"{folder} has no safetensors weights: the model is half copied; copy or download it again."
    )
