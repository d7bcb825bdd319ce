"""Painters of the real diffusers classes with a few thousand random weights, and a tiny open_clip model.

Real classes, because a mock could only confirm itself. Everything is seeded: each build gives equal weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import open_clip
import torch
import transformers
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel

SIZE = 32
TEXT_WIDTH = 32


def clip_tokenizer(length: int = 77) -> Any:
    """A CLIP tokenizer whose vocabulary is the bytes: every text is readable, without merges."""
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *[letter + "</w>" for letter in letters], "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=length)


def t5_tokenizer() -> Any:
    """A T5 tokenizer over single characters."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127)]
    return transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def clip_text_config(projection: int = TEXT_WIDTH) -> Any:
    return transformers.CLIPTextConfig(
        vocab_size=514,
        hidden_size=TEXT_WIDTH,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=projection,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        hidden_act="gelu",
    )


def t5_encoder() -> Any:
    config = transformers.T5Config(
        vocab_size=98,
        d_model=TEXT_WIDTH,
        d_kv=8,
        d_ff=37,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config).eval()


def vae(channels: int = 4, shift: float | None = None) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=[32, 32],
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D", "DownEncoderBlock2D"],
        up_block_types=["UpDecoderBlock2D", "UpDecoderBlock2D"],
        latent_channels=channels,
        shift_factor=shift,
        norm_num_groups=8,
        sample_size=SIZE,
    )


def stable_diffusion() -> Any:
    """SD 1.x: one CLIP, a UNet, v-prediction DDIM as the embedded pack has it."""
    return diffusers.StableDiffusionPipeline(
        vae=vae(),
        text_encoder=transformers.CLIPTextModel(clip_text_config()),
        tokenizer=clip_tokenizer(),
        unet=diffusers.UNet2DConditionModel(
            block_out_channels=(32, 32),
            layers_per_block=1,
            sample_size=SIZE // 2,
            in_channels=4,
            out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=TEXT_WIDTH,
            attention_head_dim=4,
            norm_num_groups=8,
        ),
        scheduler=diffusers.DDIMScheduler(prediction_type="v_prediction", clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> Any:
    """SDXL: two text encoders, pooled embedding, an ancestral sampler that draws noise on every step."""
    return diffusers.StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=transformers.CLIPTextModel(clip_text_config()),
        text_encoder_2=transformers.CLIPTextModelWithProjection(clip_text_config()),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=diffusers.UNet2DConditionModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            sample_size=SIZE // 2,
            in_channels=4,
            out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 2),
            projection_class_embeddings_input_dim=6 * 8 + TEXT_WIDTH,
            cross_attention_dim=2 * TEXT_WIDTH,
            norm_num_groups=8,
        ),
        scheduler=diffusers.EulerAncestralDiscreteScheduler(),
    )


def stable_diffusion_3() -> Any:
    """SD3: a joint transformer, two CLIPs and T5, flow matching, shifted latents."""
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            sample_size=SIZE // 2,
            patch_size=2,
            in_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=2 * TEXT_WIDTH,
            pooled_projection_dim=2 * TEXT_WIDTH,
            out_channels=4,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae(shift=0.0609),
        text_encoder=transformers.CLIPTextModelWithProjection(clip_text_config()),
        tokenizer=clip_tokenizer(),
        text_encoder_2=transformers.CLIPTextModelWithProjection(clip_text_config()),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=wide_t5(),
        tokenizer_3=t5_tokenizer(),
    )


def wide_t5() -> Any:
    """T5 as wide as the two CLIPs of SD3 together."""
    config = t5_encoder().config
    config.d_model = 2 * TEXT_WIDTH
    return transformers.T5EncoderModel(config).eval()


def flux() -> Any:
    """FLUX.1-schnell: packed latents, no guidance input."""
    return diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=TEXT_WIDTH,
            pooled_projection_dim=TEXT_WIDTH,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=False,
        ),
        vae=vae(shift=0.1159),
        text_encoder=transformers.CLIPTextModel(clip_text_config()),
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5_encoder(),
        tokenizer_2=t5_tokenizer(),
    )


PIPELINES: dict[str, Callable[[], Any]] = {
    "stable-diffusion": stable_diffusion,
    "stable-diffusion-xl": stable_diffusion_xl,
    "stable-diffusion-3": stable_diffusion_3,
    "flux": flux,
}


def save_pipeline(kind: str, directory: Path) -> Path:
    """Build a tiny pipeline and save it as a user's directory looks: safetensors and JSON."""
    torch.manual_seed(7)
    PIPELINES[kind]().save_pretrained(directory, safe_serialization=True)
    return directory


CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
PREPROCESS: dict[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def save_scorer(
    directory: Path, preprocess: dict[str, Any] | None = None, text: dict[str, Any] | None = None
) -> Path:
    """Build a tiny CLIP with open_clip's own vocabulary and save it as an open_clip ``local-dir``."""
    torch.manual_seed(11)
    config = json.loads(json.dumps(CLIP_CONFIG))
    config["text_cfg"].update(text or {})
    model = open_clip.CLIP(**config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "mlp" in name:
                weight.mul_(8)  # as far out as trained ones, where one GELU is not like another
    directory.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), directory / "open_clip_model.safetensors")
    described = {"model_cfg": config, "preprocess_cfg": PREPROCESS if preprocess is None else preprocess}
    (directory / "open_clip_config.json").write_text(json.dumps(described))
    return directory
