"""Trains the pack's CLIP: an open_clip model in open_clip's own ``local-dir`` format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from engine.microworld.data import Pictures, partial_caption
from engine.microworld.loop import Average, Report, mixed_precision, train_steps
from engine.microworld.tokenizer import CONTEXT, new_clip_tokenizer

WIDTH = 128
TEXT_LAYERS = 3
MEAN = STD = (0.5, 0.5, 0.5)


def model_config(vocabulary: int) -> dict[str, object]:
    """open_clip's description of the model."""
    return {
        "embed_dim": WIDTH,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 24, "patch_size": None},
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": vocabulary,
            "width": WIDTH,
            "heads": 4,
            "layers": TEXT_LAYERS,
            "hf_tokenizer_name": "local",
        },
    }


def _worn(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Wear pictures as a generator would: slight blur, grain and shift; CLIP must read paintings, not only drawings."""
    if rng.random() < 0.5:
        side = int(rng.integers(32, 60))
        x = F.interpolate(F.interpolate(x, size=side, mode="area"), size=64, mode="bilinear")
    x = x + torch.randn_like(x) * float(rng.uniform(0, 0.12))
    dx, dy = (int(v) for v in rng.integers(-2, 3, 2))
    return torch.roll(x, (dy, dx), (2, 3))


def train_scorer(
    pictures: Pictures,
    directory: Path,
    *,
    seed: int,
    steps: int,
    batch: int,
    device: torch.device,
    report: Report,
) -> None:
    """Train with CLIP's contrastive loss on captions that state half of what a picture shows, and save.

    The captions are partial so that the loss teaches the posterior of a text given an image: softmax of
    logit_scale times cosine, which is what the assignment scores read.

    Args:
        pictures: drawings of a world without skews.
        directory: where open_clip's files go.
        seed: fixes weights and order.
        steps: optimiser steps.
        batch: pairs a step.
        device: where to train.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([13, seed])
    tokenizer = new_clip_tokenizer()
    config = model_config(len(tokenizer))
    model = open_clip.CLIP(**config, output_dict=True).to(device)
    model.visual.to(memory_format=torch.channels_last)
    average = Average(model, 0.998)
    pixels = torch.from_numpy(pictures.pixels)

    def loss_of(step: int) -> torch.Tensor:
        rows = rng.integers(0, len(pixels), batch)
        x = pixels[torch.from_numpy(rows)].to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        x = _worn(x, rng).contiguous(memory_format=torch.channels_last)
        captions = [partial_caption(pictures.shown[r], 0.5, 0.1, rng) for r in rows]
        tokens = tokenizer(captions, padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids
        with mixed_precision(device):
            out = model(x, tokens.to(device))
        logits = out["logit_scale"].float() * out["image_features"].float() @ out["text_features"].float().T
        target = torch.arange(batch, device=device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))

    train_steps("scorer", model, steps, 1.5e-3, loss_of, report, weight_decay=0.05, average=average)
    average.copy_to_module()
    with torch.no_grad():
        model.logit_scale.clamp_(max=float(np.log(100)))
    save_scorer(model, config, directory)
    report(f"scorer: logit scale {float(model.logit_scale.detach().exp()):.1f}")


def save_scorer(model: torch.nn.Module, config: dict[str, object], directory: Path) -> None:
    """Write weights (float16), configuration and tokenizer as ``open_clip`` reads them with ``local-dir:``."""
    directory.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items() if k != "attn_mask"}
    state = {k: v.half() if v.is_floating_point() and v.dim() > 0 else v for k, v in state.items()}
    save_file(state, directory / "open_clip_model.safetensors")
    preprocess = {
        "size": [64, 64],
        "mean": MEAN,
        "std": STD,
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    described = {"model_cfg": config, "preprocess_cfg": preprocess}
    (directory / "open_clip_config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    new_clip_tokenizer().save_pretrained(directory)
