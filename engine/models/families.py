"""What differs between families of diffusers pipelines: conditioning, guidance, latents.

A pipeline is called with embeddings made once per prompt and gives latents back; everything else about a
family stays in diffusers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import torch

Conditioning = dict[str, torch.Tensor]
"""Keyword of the pipeline's ``__call__`` -> embedding of one prompt, shape (1, …)."""


class Family(Protocol):
    """One family of text-to-image pipelines.

    Attributes:
        steps: sampling steps where nobody says otherwise.
        guidance: guidance scale where nobody says otherwise.
        half: the half precision its weights were published and are commonly run in.
        multiple: width and height must be divisible by it.
    """

    @property
    def steps(self) -> int: ...
    @property
    def guidance(self) -> float: ...
    @property
    def half(self) -> torch.dtype: ...
    @property
    def multiple(self) -> int: ...

    def guided(self, pipeline: Any, guidance: float) -> bool:
        """Say whether this guidance scale needs the unconditional embedding."""

    def encode(self, pipeline: Any, prompt: str) -> Conditioning:
        """Embed one prompt."""

    def encode_unconditional(self, pipeline: Any) -> Conditioning:
        """Embed the empty negative prompt, under the ``negative_…`` keywords."""

    def latents_to_decode(
        self, pipeline: Any, latents: torch.Tensor, width: int, height: int
    ) -> torch.Tensor:
        """Turn the pipeline's latents into what its decoder takes, shape (B, C, height/8, width/8)."""

    def token_limit(self, pipeline: Any) -> tuple[Any, int]:
        """Return the tokenizer that reads furthest into a prompt, and how many tokens it keeps."""


def unscale(vae_config: Any, latents: torch.Tensor) -> torch.Tensor:
    """Undo the scaling under which a VAE's latents were diffused (float32)."""
    scale, shift = float(vae_config.scaling_factor), float(vae_config.get("shift_factor") or 0.0)
    mean, std = vae_config.get("latents_mean"), vae_config.get("latents_std")
    if mean is not None and std is not None:
        stats = [
            torch.tensor(x, device=latents.device).view(1, -1, 1, 1).to(latents.dtype) for x in (mean, std)
        ]
        return latents * stats[1] / scale + stats[0]
    return latents / scale + shift


@dataclass(frozen=True)
class StableDiffusion:
    """Stable Diffusion 1.x and 2.x (``StableDiffusionPipeline``)."""

    steps: int = 50
    guidance: float = 7.5
    half: torch.dtype = torch.float16
    multiple: int = 8

    def guided(self, pipeline: Any, guidance: float) -> bool:
        return guidance > 1 and pipeline.unet.config.time_cond_proj_dim is None

    def encode(self, pipeline: Any, prompt: str) -> Conditioning:
        embedding, _ = pipeline.encode_prompt([prompt], pipeline._execution_device, 1, False)
        return {"prompt_embeds": embedding}

    def encode_unconditional(self, pipeline: Any) -> Conditioning:
        _, negative = pipeline.encode_prompt([""], pipeline._execution_device, 1, True)
        return {"negative_prompt_embeds": negative}

    def latents_to_decode(
        self, pipeline: Any, latents: torch.Tensor, width: int, height: int
    ) -> torch.Tensor:
        return latents / float(pipeline.vae.config.scaling_factor)

    def token_limit(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer, int(pipeline.tokenizer.model_max_length)


@dataclass(frozen=True)
class StableDiffusionXL:
    """Stable Diffusion XL (``StableDiffusionXLPipeline``): two text encoders, pooled embedding."""

    steps: int = 50
    guidance: float = 5.0
    half: torch.dtype = torch.float16
    multiple: int = 8

    def guided(self, pipeline: Any, guidance: float) -> bool:
        return guidance > 1 and pipeline.unet.config.time_cond_proj_dim is None

    def encode(self, pipeline: Any, prompt: str) -> Conditioning:
        embedding, _, pooled, _ = pipeline.encode_prompt(prompt=[prompt], do_classifier_free_guidance=False)
        return {"prompt_embeds": embedding, "pooled_prompt_embeds": pooled}

    def encode_unconditional(self, pipeline: Any) -> Conditioning:
        _, negative, _, pooled = pipeline.encode_prompt(prompt=[""], do_classifier_free_guidance=True)
        return {"negative_prompt_embeds": negative, "negative_pooled_prompt_embeds": pooled}

    def latents_to_decode(
        self, pipeline: Any, latents: torch.Tensor, width: int, height: int
    ) -> torch.Tensor:
        return unscale(pipeline.vae.config, latents)

    def token_limit(self, pipeline: Any) -> tuple[Any, int]:
        tokenizer = pipeline.tokenizer or pipeline.tokenizer_2
        return tokenizer, int(tokenizer.model_max_length)


@dataclass(frozen=True)
class StableDiffusion3:
    """Stable Diffusion 3 and 3.5 (``StableDiffusion3Pipeline``): two CLIPs and T5."""

    steps: int = 28
    guidance: float = 7.0
    half: torch.dtype = torch.bfloat16
    multiple: int = 16
    max_sequence_length: int = 256

    def guided(self, pipeline: Any, guidance: float) -> bool:
        return guidance > 1

    def encode(self, pipeline: Any, prompt: str) -> Conditioning:
        embedding, _, pooled, _ = pipeline.encode_prompt(
            prompt=[prompt], prompt_2=None, prompt_3=None, do_classifier_free_guidance=False
        )
        return {"prompt_embeds": embedding, "pooled_prompt_embeds": pooled}

    def encode_unconditional(self, pipeline: Any) -> Conditioning:
        _, negative, _, pooled = pipeline.encode_prompt(
            prompt=[""], prompt_2=None, prompt_3=None, do_classifier_free_guidance=True
        )
        return {"negative_prompt_embeds": negative, "negative_pooled_prompt_embeds": pooled}

    def latents_to_decode(
        self, pipeline: Any, latents: torch.Tensor, width: int, height: int
    ) -> torch.Tensor:
        return unscale(pipeline.vae.config, latents)

    def token_limit(self, pipeline: Any) -> tuple[Any, int]:
        if pipeline.tokenizer_3 is not None and pipeline.text_encoder_3 is not None:
            return pipeline.tokenizer_3, self.max_sequence_length
        return pipeline.tokenizer, int(pipeline.tokenizer_max_length)


@dataclass(frozen=True)
class Flux:
    """FLUX.1 (``FluxPipeline``): guidance is an input of the distilled model, so nothing is unconditional."""

    steps: int = 28
    guidance: float = 3.5
    half: torch.dtype = torch.bfloat16
    multiple: int = 16
    max_sequence_length: int = 512

    def guided(self, pipeline: Any, guidance: float) -> bool:
        return False

    def encode(self, pipeline: Any, prompt: str) -> Conditioning:
        embedding, pooled, _ = pipeline.encode_prompt(
            prompt=[prompt], prompt_2=None, max_sequence_length=self.max_sequence_length
        )
        return {"prompt_embeds": embedding, "pooled_prompt_embeds": pooled}

    def encode_unconditional(self, pipeline: Any) -> Conditioning:
        return {}

    def latents_to_decode(
        self, pipeline: Any, latents: torch.Tensor, width: int, height: int
    ) -> torch.Tensor:
        unpacked = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)
        return unscale(pipeline.vae.config, unpacked)

    def token_limit(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer_2, self.max_sequence_length


FLUX_SCHNELL: Final = Flux(steps=4, guidance=0.0, max_sequence_length=256)
"""FLUX.1-schnell, told apart by its transformer taking no guidance; distilled for four steps."""

FAMILIES: Final[Mapping[str, Family]] = {
    "StableDiffusionPipeline": StableDiffusion(),
    "StableDiffusionXLPipeline": StableDiffusionXL(),
    "StableDiffusion3Pipeline": StableDiffusion3(),
    "FluxPipeline": Flux(),
}
"""Pipeline class of ``model_index.json`` -> family."""


def family_of(class_name: str, configs: Mapping[str, Mapping[str, Any]]) -> Family:
    """Return the family of a supported pipeline class (a key of ``FAMILIES``).

    Args:
        class_name: the class named in ``model_index.json``.
        configs: parsed config of every component, by component name.
    """
    if class_name == "FluxPipeline" and not configs.get("transformer", {}).get("guidance_embeds", False):
        return FLUX_SCHNELL
    return FAMILIES[class_name]
