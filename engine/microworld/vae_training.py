"""Trains the painter's autoencoder: 64 x 64 pixels to an 8 x 8 grid of latents and back."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from engine.microworld.loop import Average, Report, mixed_precision, train_steps

M = TypeVar("M", bound=nn.Module)

LATENTS = 8
KL_WEIGHT = 2e-3
FEATURE_WEIGHT = 0.1


def new_vae() -> AutoencoderKL:
    """An untrained autoencoder in diffusers' own class."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[16, 32, 64, 128],
        layers_per_block=1,
        latent_channels=LATENTS,
        norm_num_groups=8,
        sample_size=64,
    )


class ContiguousGroupNorm(nn.GroupNorm):
    """Group norm outside channels_last: its backward pass is several times slower inside, on a CPU."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's own name)
        if input.dim() != 4:
            return super().forward(input)
        return super().forward(input.contiguous()).contiguous(memory_format=torch.channels_last)


def swap_group_norms(module: nn.Module, old: type[nn.GroupNorm], new: type[nn.GroupNorm]) -> None:
    """Change the class of every group norm in place; weights stay."""
    for child in module.modules():
        if type(child) is old:
            child.__class__ = new


def train_layout(module: M, device: torch.device) -> M:
    """Put a convolutional model where and how it trains fastest."""
    if device.type == "cpu":
        swap_group_norms(module, nn.GroupNorm, ContiguousGroupNorm)
    module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def to_unit(pixels: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """uint8 (n, h, w, 3) to float32 (n, 3, h, w) in -1 … 1."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def _edges(x: torch.Tensor) -> torch.Tensor:
    return torch.cat(((x[..., 1:, :-1] - x[..., :-1, :-1]), (x[..., :-1, 1:] - x[..., :-1, :-1])), dim=1)


def train_vae(
    pixels: NDArray[np.uint8], *, seed: int, steps: int, batch: int, device: torch.device, report: Report
) -> AutoencoderKL:
    """Train on drawings and set ``scaling_factor`` so that latents have unit variance.

    Args:
        pixels: drawings, uint8 (n, 64, 64, 3).
        seed: fixes initial weights and the order of pictures.
        steps: optimiser steps.
        batch: pictures a step.
        device: where to train.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([11, seed])
    vae = train_layout(new_vae(), device)
    average = Average(vae, 0.998)

    def loss_of(step: int) -> torch.Tensor:
        x = to_unit(pixels[rng.integers(0, len(pixels), batch)], device)
        with mixed_precision(device):
            posterior = vae.encode(x.contiguous(memory_format=torch.channels_last)).latent_dist
            mean, logvar = posterior.mean.float(), posterior.logvar.float()
            sample = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
            y = vae.decode(sample).sample
        y = y.float()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        detail = F.l1_loss(_edges(y), _edges(x))
        loss: torch.Tensor = F.mse_loss(y, x) + 0.5 * F.l1_loss(y, x) + 0.5 * detail + KL_WEIGHT * kl
        return loss

    train_steps("painter autoencoder", vae, steps, 1.5e-3, loss_of, report, average=average)
    average.copy_to_module()
    vae.eval()
    latents = encode(vae, pixels[:2048], device)
    vae.register_to_config(scaling_factor=1 / float(latents.std()))
    with torch.no_grad():
        x = to_unit(pixels[:512], device)
        error = F.mse_loss(vae.decode(latents[:512].to(device)).sample.clamp(-1, 1), x)
    report(
        f"painter autoencoder: PSNR {10 * float(torch.log10(4 / error)):.1f} dB, latent sd {float(latents.std()):.2f}"
    )
    return vae


def refine_decoder(
    vae: AutoencoderKL,
    pixels: NDArray[np.uint8],
    features: nn.Module,
    *,
    seed: int,
    steps: int,
    batch: int,
    device: torch.device,
    report: Report,
) -> None:
    """Train the decoder alone to keep what a reader of drawings looks at: faces, hats, tools.

    Latents stay as they are, so a painter trained on them stays valid.

    Args:
        vae: trained by :func:`train_vae`.
        pixels: drawings, uint8 (n, 64, 64, 3).
        features: maps pixels in -1 … 1 to features whose error is added to the pixels' (a trained judge's body).
        seed: fixes the order of pictures and the noise.
        steps: optimiser steps.
        batch: pictures a step.
        device: where to train.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([31, seed])
    train_layout(vae, device)
    decoder = nn.ModuleList([vae.decoder, vae.post_quant_conv])
    average = Average(decoder, 0.998)
    features.eval().requires_grad_(False)

    def loss_of(step: int) -> torch.Tensor:
        x = to_unit(pixels[rng.integers(0, len(pixels), batch)], device)
        x = x.contiguous(memory_format=torch.channels_last)
        with mixed_precision(device):
            with torch.no_grad():
                sample = vae.encode(x).latent_dist.sample()
                wanted = features(x).float()
            y = vae.decode(sample).sample
            seen = features(y).float()
        y = y.float()
        detail = F.l1_loss(_edges(y), _edges(x))
        loss: torch.Tensor = F.mse_loss(y, x) + 0.5 * F.l1_loss(y, x) + 0.5 * detail
        missed: torch.Tensor = F.mse_loss(seen, wanted) / wanted.square().mean()
        return loss + FEATURE_WEIGHT * missed

    train_steps("painter decoder", decoder, steps, 1e-3, loss_of, report, average=average)
    average.copy_to_module()
    vae.eval()


@torch.no_grad()
def encode(vae: AutoencoderKL, pixels: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Latent means, float32 (n, LATENTS, 8, 8) on the CPU, not scaled."""
    parts = [
        vae.encode(to_unit(pixels[i : i + 256], device)).latent_dist.mean.float().cpu()
        for i in range(0, len(pixels), 256)
    ]
    return torch.cat(parts)
