"""The painter: any supported local diffusers text-to-image directory as a function of (prompt, seed).

What is measured is the law of the images, so only levers that leave it alone are used: full batches across
prompts, embeddings made once, decoding in chunks. Each image has its own CPU generator, so its batch, its
neighbours and the order of work leave it alone too (to rounding).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

from engine.errors import InputError, MachineError
from engine.models.decode import decode
from engine.models.devices import DeviceChoice, DtypeChoice, choose_device, choose_dtype
from engine.models.embeddings import EmbeddingCache, stack
from engine.models.families import Family, family_of
from engine.models.fingerprint import name_of, pipeline_parts
from engine.models.hub_cache import locate_model
from engine.models.layout import UNUSED, PipelineLayout, read_pipeline_layout, refuse_unusable
from engine.models.memory import attempt, first_line, free_bytes, gibibytes, is_out_of_memory, release
from engine.models.protocols import Painted, PaintJob

DECODE_PIXELS: Final = 1 << 21
"""Pixels first tried in one decode: two images of 1024 x 1024, eight of 512 x 512."""

CONVOLUTIONAL: Final = frozenset({"unet", "vae"})


@dataclass(frozen=True)
class PainterSettings:
    """What may be set about a painter; None = the model's own default.

    Attributes:
        steps: sampling steps.
        guidance: guidance scale; at most 1 means none (except for FLUX, where it is an input).
        width: image width in pixels.
        height: image height in pixels.
        batch_size: images drawn at once, at least 1.
        dtype: ``auto``, ``float32``, ``float16`` or ``bfloat16``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        allow_cpu_offload: where one image does not fit on the GPU, move components there in turn (slow).
    """

    steps: int | None = None
    guidance: float | None = None
    width: int | None = None
    height: int | None = None
    batch_size: int = 16
    dtype: str = "auto"
    device: str = "auto"
    allow_cpu_offload: bool = False


class DiffusersPainter:
    """A diffusers pipeline behind the :class:`~engine.models.protocols.Painter` protocol.

    Use :func:`load_painter` to make one.

    Attributes:
        device: where it runs, with the reason.
        dtype: its precision, with the reason.
        decode_chunk: images decoded at once; shrinks like ``batch_size``.
    """

    def __init__(
        self,
        pipeline: Any,
        layout: PipelineLayout,
        family: Family,
        settings: PainterSettings,
        device: DeviceChoice,
        dtype: DtypeChoice,
    ) -> None:
        self._pipeline, self._layout, self._family = pipeline, layout, family
        self.device, self.dtype = device, dtype
        self.steps = family.steps if settings.steps is None else settings.steps
        self.guidance = family.guidance if settings.guidance is None else settings.guidance
        self.size = _size(pipeline, settings, family.multiple)
        self.batch_size = settings.batch_size
        self.decode_chunk = max(1, min(self.batch_size, DECODE_PIXELS // (self.size[0] * self.size[1])))
        self.fingerprint = name_of(
            pipeline_parts(layout)
            | {"steps": self.steps, "guidance": self.guidance, "size": self.size, "dtype": str(dtype.value)}
        )
        self._may_offload = settings.allow_cpu_offload and device.value.type == "cuda"
        self._embeddings = EmbeddingCache(lambda prompt: family.encode(pipeline, prompt))
        self._unconditional = EmbeddingCache(lambda _: family.encode_unconditional(pipeline))

    def paint(self, jobs: Sequence[PaintJob]) -> Painted:
        """Draw every job; see :meth:`engine.models.protocols.Painter.paint`."""
        notes: list[str] = self._cut_prompts(jobs)
        pixels: list[torch.Tensor] = []
        blank: list[bool] = []
        done = 0
        while done < len(jobs):
            batch = list(jobs[done : done + self.batch_size])
            latents = attempt(lambda batch=batch: self._denoise(batch), self.device.value)  # type: ignore[misc]
            if latents is None:
                notes.append(self._give_way())
                continue
            drawn, empty = self._decode(latents, notes)
            pixels.append(drawn)
            blank += empty
            done += len(batch)
        if not pixels:
            width, height = self.size
            return Painted(torch.empty((0, 3, height, width), dtype=torch.uint8), (), self.batch_size)
        if any(blank):
            seeds = ", ".join(str(job.seed) for job, none in zip(jobs, blank, strict=True) if none)
            notes.append(f"{sum(blank)} of {len(jobs)} images are blank (seeds {seeds}).")
        return Painted(torch.cat(pixels), tuple(blank), self.batch_size, tuple(notes))

    def _denoise(self, batch: Sequence[PaintJob]) -> torch.Tensor:
        """Run the sampler on one full batch; latents ready to decode, one row per job, float32."""
        width, height = self.size
        padded = [*batch, *[batch[-1]] * (self.batch_size - len(batch))]  # the tail is drawn and thrown away
        rows = [self._embeddings.get(job.prompt) for job in padded]
        if self._family.guided(self._pipeline, self.guidance):
            rows = [row | self._unconditional.get("") for row in rows]
        try:
            output = self._pipeline(
                **stack(rows, self.device.value),
                generator=[torch.Generator("cpu").manual_seed(job.seed) for job in padded],
                num_inference_steps=self.steps,
                guidance_scale=self.guidance,
                width=width,
                height=height,
                output_type="latent",
            )
        finally:
            self._pipeline.maybe_free_model_hooks()
        latents = output.images[: len(batch)].float()
        return self._family.latents_to_decode(self._pipeline, latents, width, height)

    def _decode(self, latents: torch.Tensor, notes: list[str]) -> tuple[torch.Tensor, list[bool]]:
        """Decode, halving the chunk whenever memory runs out: latents are never lost."""
        while True:
            chunk = self.decode_chunk
            result = attempt(
                lambda chunk=chunk: decode(self._pipeline.vae, latents, chunk),  # type: ignore[misc]
                self.device.value,
            )
            if result is not None:
                return result
            if chunk == 1:
                raise MachineError(self._too_small("decode"))
            self.decode_chunk = chunk // 2
            notes.append(f"Out of memory while decoding {chunk} images; decoding {chunk // 2} at once now.")

    def _give_way(self) -> str:
        """Halve the batch after the sampler ran out of memory, and return what to tell the user."""
        if self.batch_size > 1:
            before, self.batch_size = self.batch_size, self.batch_size // 2
            self.decode_chunk = min(self.decode_chunk, self.batch_size)
            return (
                f"Out of memory with {before} images at once; the same seeds go on {self.batch_size} at once."
            )
        if self._may_offload:
            self._may_offload = False
            offload(self._pipeline, self.device.value)
            return "Out of memory with one image; the model's components now take turns on the GPU (slower)."
        raise MachineError(self._too_small("draw"))

    def _too_small(self, verb: str) -> str:
        width, height = self.size
        device = self.device.value
        remedy = "a smaller width and height"
        if device.type == "cuda":
            remedy += ", dtype = float16 or allow_cpu_offload = true"
        return (
            f"There is not enough memory to {verb} even one image of {width} x {height} on {device}: "
            f"{gibibytes(free_bytes(device))} free beside weights of {gibibytes(self._layout.weight_bytes)}; "
            f"try {remedy}."
        )

    def _cut_prompts(self, jobs: Sequence[PaintJob]) -> list[str]:
        """Say which prompts the text encoder reads only in part."""
        tokenizer, limit = self._family.token_limit(self._pipeline)
        prompts = list(dict.fromkeys(job.prompt for job in jobs))
        lengths = [len(tokenizer(prompt, truncation=False, verbose=False).input_ids) for prompt in prompts]
        return [
            f"A prompt of {length} tokens was cut at the painter's limit of {limit}."
            for length in lengths
            if length > limit
        ]


def load_painter(source: str, settings: PainterSettings) -> DiffusersPainter:
    """Load a diffusers text-to-image model from a directory or from the local Hugging Face cache.

    Args:
        source: a path, or a repo id such as ``stabilityai/sdxl-turbo`` that was downloaded earlier.
        settings: see :class:`PainterSettings`.

    Raises:
        InputError: missing, half copied, pickle-only, of an unsupported class, or a setting it cannot take.
        MachineError: it does not fit in memory.
    """
    layout = read_pipeline_layout(locate_model(source, "painter"))
    refuse_unusable(layout)
    _refuse_settings(settings)
    family = family_of(layout.class_name, {name: part.config for name, part in layout.components.items()})
    device = choose_device(settings.device)
    dtype = choose_dtype(settings.dtype, device.value, family.half)
    try:
        pipeline = _load_pipeline(layout, dtype.value)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise MachineError(_does_not_fit(layout, torch.device("cpu"))) from error
        raise InputError(f"{layout.directory} cannot be loaded ({first_line(error)}).") from error
    painter = DiffusersPainter(pipeline, layout, family, settings, device, dtype)
    if attempt(lambda: pipeline.to(device.value), device.value) is None:
        if not settings.allow_cpu_offload:
            raise MachineError(_does_not_fit(layout, device.value))
        pipeline.to("cpu")
        release(device.value)
        offload(pipeline, device.value)
    return painter


def offload(pipeline: Any, device: torch.device) -> None:
    """Let the pipeline's components take turns on the GPU; the images stay the same."""
    pipeline.enable_model_cpu_offload(gpu_id=device.index or 0)


def _load_pipeline(layout: PipelineLayout, dtype: torch.dtype) -> Any:
    import diffusers

    diffusers.utils.logging.disable_progress_bar()
    # SDXL's decoder overflows in half precision; diffusers would convert it back and forth on every call.
    keep = layout.components.get("vae")
    upcast = (
        layout.class_name == "StableDiffusionXLPipeline" and keep and keep.config.get("force_upcast", True)
    )
    options: dict[str, Any] = {name: None for name in UNUSED if name in layout.index}
    if "safety_checker" in layout.index:
        options["requires_safety_checker"] = (
            False  # it would black images out and so falsify what is measured
        )
    pipeline = getattr(diffusers, layout.class_name).from_pretrained(
        os.fspath(layout.directory),
        dtype={"default": dtype, "vae": torch.float32} if upcast else dtype,
        use_safetensors=True,
        local_files_only=True,
        variant=layout.variant,
        **options,
    )
    pipeline.set_progress_bar_config(disable=True)
    for name in CONVOLUTIONAL & layout.components.keys():
        getattr(pipeline, name).to(memory_format=torch.channels_last)  # layout only: faster, same mathematics
    return pipeline


def _size(pipeline: Any, settings: PainterSettings, multiple: int) -> tuple[int, int]:
    """Width and height in pixels: as configured, else the model's own."""
    sample = getattr(pipeline, "default_sample_size", None)
    if sample is None:
        sample = pipeline.unet.config.sample_size
    height, width = (sample, sample) if isinstance(sample, int) else sample
    scale = pipeline.vae_scale_factor
    size = (settings.width or width * scale, settings.height or height * scale)
    for key, value in zip(("width", "height"), size, strict=True):
        if value % multiple:
            near = max(multiple, round(value / multiple) * multiple)
            raise InputError(f"painter.{key} = {value} is not a multiple of {multiple}; use {near}.")
    return size


def _refuse_settings(settings: PainterSettings) -> None:
    for key in ("steps", "width", "height", "batch_size"):
        value = getattr(settings, key)
        if value is not None and value < 1:
            raise InputError(f"painter.{key} = {value} is too small; use at least 1.")


def _does_not_fit(layout: PipelineLayout, device: torch.device) -> str:
    return (
        f"{layout.directory} with weights of {gibibytes(layout.weight_bytes)} does not fit on {device} "
        f"({gibibytes(free_bytes(device))} free); use a smaller model"
        + (", dtype = float16 or allow_cpu_offload = true." if device.type == "cuda" else ".")
    )
