"""Classifiers trained on drawings only: they read off what a picture shows, to measure painter and scorer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from engine.microworld.data import Pictures
from engine.microworld.loop import Report, mixed_precision, train_steps
from engine.microworld.vae_training import to_unit, train_layout
from engine.microworld.world import ATTRIBUTES, SUBJECTS, Meaning

HEADS = {"subject": SUBJECTS} | {a.name: a.values for a in ATTRIBUTES.values()}
_ABSENT = -100


class Judge(nn.Module):
    """A small convolutional network with one head for the subject and one for each attribute."""

    def __init__(self) -> None:
        """Build it untrained."""
        super().__init__()
        widths = (3, 24, 48, 96, 128)
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(widths):
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
            layers += [nn.Conv2d(b, b, 3, 1, 1), nn.BatchNorm2d(b), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.heads = nn.ModuleDict({name: nn.Linear(128 * 16, len(v)) for name, v in HEADS.items()})

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every head for pixels in -1 … 1."""
        features = self.body(x)
        return {name: head(features) for name, head in self.heads.items()}

    @torch.no_grad()
    def read(self, pixels: NDArray[np.uint8]) -> list[dict[str, str]]:
        """What each picture shows: subject and attributes (gender and skin are meaningless for things).

        Args:
            pixels: uint8 (n, 64, 64, 3).
        """
        self.eval()
        read: list[dict[str, str]] = []
        for start in range(0, len(pixels), 256):
            device = next(self.parameters()).device
            out = self(to_unit(pixels[start : start + 256], device))
            best = {name: logits.argmax(1).tolist() for name, logits in out.items()}
            count = len(best["subject"])
            read += [{name: HEADS[name][rows[i]] for name, rows in best.items()} for i in range(count)]
        return read


def labels(shown: Sequence[Meaning]) -> dict[str, torch.Tensor]:
    """Class indices by head; attributes a subject does not have are marked to be ignored."""
    columns: dict[str, list[int]] = {name: [] for name in HEADS}
    for meaning in shown:
        values = meaning.values | {"subject": meaning.subject}
        for name, classes in HEADS.items():
            columns[name].append(classes.index(values[name]) if name in values else _ABSENT)
    return {name: torch.tensor(column) for name, column in columns.items()}


def train_judge(pictures: Pictures, *, seed: int, steps: int, device: torch.device, report: Report) -> Judge:
    """Train on drawings with slight blur, grain and shift.

    Args:
        pictures: drawings of a world without skews.
        seed: fixes weights and order.
        steps: optimiser steps, 64 drawings each.
        device: where to train.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([17, seed])
    judge = train_layout(Judge(), device)
    target = labels(pictures.shown)

    def loss_of(step: int) -> torch.Tensor:
        rows = rng.integers(0, len(pictures.pixels), 64)
        x = to_unit(pictures.pixels[rows], device)
        if rng.random() < 0.5:
            side = int(rng.integers(32, 60))
            x = F.interpolate(F.interpolate(x, size=side, mode="area"), size=64, mode="bilinear")
        x = x + torch.randn_like(x) * float(rng.uniform(0, 0.15))
        dx, dy = (int(v) for v in rng.integers(-2, 3, 2))
        x = torch.roll(x, (dy, dx), (2, 3)).contiguous(memory_format=torch.channels_last)
        with mixed_precision(device):
            out = judge(x)
        losses = [
            F.cross_entropy(logits.float(), target[name][rows].to(device), ignore_index=_ABSENT)
            for name, logits in out.items()
        ]
        return torch.stack(losses).nan_to_num(0).sum()

    train_steps("judge", judge, steps, 2e-3, loss_of, report)
    return judge.eval()
