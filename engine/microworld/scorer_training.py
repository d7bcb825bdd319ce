"""Trains the pack's CLIP, an open_clip model in its ``local-dir`` format: on any pictures, then on families."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTokenizer

from engine.microworld.data import Pictures, partial_caption
from engine.microworld.families import SIZE, Families, mistakes
from engine.microworld.loop import Average, Report, mixed_precision, train_steps
from engine.microworld.tokenizer import CONTEXT, new_clip_tokenizer

WIDTH = 128
TEXT_LAYERS = 3
MEAN = STD = (0.5, 0.5, 0.5)
FAMILY_BATCHES = 0.7
"""Share of batches of families where a scorer is sharpened."""
EVENNESS = 5.0
"""Weight of the demand that everything a picture shows tell as much as everything else, beside CLIP's loss."""


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
    model = open_clip.CLIP(**model_config(len(tokenizer)), output_dict=True).to(device)
    average = Average(model, 0.998)
    contrast = _Contrast(model, tokenizer, device, rng)

    def loss_of(step: int) -> torch.Tensor:
        return contrast.of_pictures(pictures, batch)

    train_steps("scorer", model, steps, 1.5e-3, loss_of, report, weight_decay=0.05, average=average)
    average.copy_to_module()
    save_scorer(model, len(tokenizer), directory)
    new_clip_tokenizer().save_pretrained(directory)  # a used one would write down how it last padded


def sharpen_scorer(
    families: Families,
    pictures: Pictures,
    directory: Path,
    *,
    seed: int,
    steps: int,
    batch: int,
    device: torch.device,
    report: Report,
) -> None:
    """Train a saved scorer on until it reads what takes up little of a picture, and save it again.

    Most batches are families, in which a caption may be true of several pictures: each true one counts.
    The others are as in ``train_scorer``, so that nothing is unlearnt.

    Args:
        families: drawings that differ in little.
        pictures: drawings of a world without skews.
        directory: the saved scorer's files.
        seed: fixes order and noise.
        steps: optimiser steps.
        batch: pairs a step.
        device: where to train.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([37, seed])
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{directory}", require_pretrained=True)
    model.output_dict = True
    model.float().to(device).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()  # families would shift the statistics by which all pictures are normalised
    tokenizer = CLIPTokenizer.from_pretrained(directory)
    average = Average(model, 0.99)
    contrast = _Contrast(model, tokenizer, device, rng)

    def loss_of(step: int) -> torch.Tensor:
        if rng.random() < FAMILY_BATCHES:
            return contrast.of_families(families, batch)
        return contrast.of_pictures(pictures, batch)

    train_steps("sharper scorer", model, steps, 1e-3, loss_of, report, weight_decay=0.05, average=average)
    average.copy_to_module()
    save_scorer(model, len(tokenizer), directory)
    report(f"scorer: logit scale {float(model.logit_scale.detach().exp()):.1f}")


class _Contrast:
    """CLIP's contrastive loss of a batch, in both directions."""

    def __init__(
        self, model: open_clip.CLIP, tokenizer: CLIPTokenizer, device: torch.device, rng: np.random.Generator
    ) -> None:
        self._model = model
        self._model.visual.to(memory_format=torch.channels_last)
        self._tokenizer = tokenizer
        self._device = device
        self._rng = rng

    def of_pictures(self, pictures: Pictures, count: int) -> torch.Tensor:
        """Any pictures; each caption is taken to be true of its own picture alone."""
        rows = self._rng.integers(0, len(pictures.pixels), count)
        captions = [partial_caption(pictures.shown[r], 0.5, 0.1, self._rng) for r in rows]
        return _cross_entropy(
            self._logits(pictures.pixels[rows], captions), torch.eye(count, device=self._device)
        )

    def of_families(self, families: Families, count: int) -> torch.Tensor:
        """Whole families; each caption is true of every picture that shows what it says.

        What is wrong shall count alike, be it sunset or night for day: within a family, similarity falls
        with the mistakes of a caption, and what it does besides is added to the loss (1 - correlation).
        """
        rows, captions = families.batch(count, self._rng)
        shown = [families.pictures.shown[row] for row in rows]
        amiss = torch.from_numpy(mistakes(captions, shown)).float().to(self._device)
        texts = [caption.text() for caption in captions]
        logits = self._logits(families.pictures.pixels[rows], texts)
        unlike = 1 + F.cosine_similarity(_within(logits), _within(amiss)).mean()
        return _cross_entropy(logits, (amiss == 0).float()) + EVENNESS * unlike

    def _logits(self, pixels: NDArray[np.uint8], captions: Sequence[str]) -> torch.Tensor:
        x = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float() / 127.5 - 1
        x = _worn(x, self._rng).contiguous(memory_format=torch.channels_last)
        tokens = self._tokenizer(
            list(captions), padding="max_length", max_length=CONTEXT, return_tensors="pt"
        ).input_ids
        with mixed_precision(self._device):
            out = self._model(x, tokens.to(self._device))
        similar: torch.Tensor = out["text_features"].float() @ out["image_features"].float().T
        scale: torch.Tensor = out["logit_scale"].float()
        return scale * similar


def _cross_entropy(logits: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Of captions given pictures and of pictures given captions, with every true pair as likely as another."""
    of_text = true / true.sum(1, keepdim=True)
    of_image = (of_text / of_text.sum(0, keepdim=True)).T
    return 0.5 * (F.cross_entropy(logits, of_text) + F.cross_entropy(logits.T, of_image))


def _within(table: torch.Tensor) -> torch.Tensor:
    """Each family's captions by its pictures, without the means of either; (families, SIZE * SIZE)."""
    count = len(table) // SIZE
    blocks = table.view(count, SIZE, count, SIZE).diagonal(dim1=0, dim2=2).permute(2, 0, 1)
    blocks = blocks - blocks.mean(1, keepdim=True)
    return (blocks - blocks.mean(2, keepdim=True)).flatten(1)


def save_scorer(model: open_clip.CLIP, vocabulary: int, directory: Path) -> None:
    """Write weights (float16) and configuration as ``open_clip`` reads them with ``local-dir:``."""
    directory.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        model.logit_scale.clamp_(max=float(np.log(100)))
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
    described = {"model_cfg": model_config(vocabulary), "preprocess_cfg": preprocess}
    (directory / "open_clip_config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
