"""Prints how much memory the weights of well-known painters take: ``python -m benchmarks.memory``.

Their architectures are built from the published configurations on torch's ``meta`` device, which counts
parameters without holding any. Activations come on top: see the README.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

GIB = 2**30
Part = Callable[[], torch.nn.Module]


def clip_text(width: int, layers: int, heads: int) -> Part:
    """A CLIP text encoder."""
    config = CLIPTextConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * width
    )
    return lambda: CLIPTextModel(config)


def t5_xxl() -> torch.nn.Module:
    """The encoder of T5 v1.1 XXL."""
    return T5EncoderModel(
        T5Config(d_model=4096, d_ff=10240, num_layers=24, num_heads=64, d_kv=64, vocab_size=32128,
                 feed_forward_proj="gated-gelu")
    )  # fmt: skip


def vae(**extra: Any) -> Part:
    """Stable Diffusion's autoencoder."""
    return lambda: AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[128, 256, 512, 512],
        layers_per_block=2,
        **({"latent_channels": 4} | extra),
    )


def sdxl_unet() -> torch.nn.Module:
    """The UNet of SDXL base."""
    return UNet2DConditionModel(
        down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        block_out_channels=[320, 640, 1280],
        transformer_layers_per_block=[1, 2, 10],
        attention_head_dim=[5, 10, 20],
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )


def sd3_transformer() -> torch.nn.Module:
    """The transformer of SD 3 medium."""
    return SD3Transformer2DModel(
        sample_size=128,
        num_layers=24,
        num_attention_heads=24,
        caption_projection_dim=1536,
        pos_embed_max_size=192,
    )


CLIP_L, CLIP_G = clip_text(768, 12, 12), clip_text(1280, 32, 20)
PAINTERS: Mapping[str, list[Part]] = {
    "Stable Diffusion 1.5": [lambda: UNet2DConditionModel(cross_attention_dim=768), CLIP_L, vae()],
    "SDXL": [sdxl_unet, CLIP_L, CLIP_G, vae()],
    "Stable Diffusion 3 medium": [sd3_transformer, CLIP_L, CLIP_G, t5_xxl, vae(latent_channels=16)],
    "FLUX.1": [FluxTransformer2DModel, CLIP_L, t5_xxl, vae(latent_channels=16)],
}


def parameters(parts: list[Part]) -> int:
    """Number of parameters of a painter's parts."""
    with torch.device("meta"):
        return sum(p.numel() for part in parts for p in part().parameters())


def main() -> None:
    """Print one row per painter."""
    print("| painter | parameters | weights in 16 bit | in 32 bit |")
    print("|---|--:|--:|--:|")
    for name, parts in PAINTERS.items():
        count = parameters(parts)
        print(
            f"| {name} | {count / 1e9:.2f} billion | {2 * count / GIB:.1f} GiB | {4 * count / GIB:.1f} GiB |"
        )


if __name__ == "__main__":
    main()
