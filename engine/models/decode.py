"""From latents to pixels: decoded in chunks, quantised exactly, checked for blanks.

Chunks of whole images change nothing but memory. Tiles within an image would change its tone, so they are
never used (diffusers' own documentation; notes on levers in ``docs/``).
"""

from __future__ import annotations

from typing import Any, Final

import torch

BLANK_STD: Final = 0.5
"""Grey levels: an image whose channels each vary less than this shows nothing."""


def decode(vae: Any, latents: torch.Tensor, chunk: int) -> tuple[torch.Tensor, list[bool]]:
    """Decode latents ``chunk`` images at a time.

    Args:
        vae: a diffusers ``AutoencoderKL``.
        latents: already unscaled, shape (B, C, h, w).
        chunk: images decoded at once; the last images repeat to fill it, so that every call has one shape.

    Returns:
        uint8 pixels, shape (B, 3, H, W), and whether each shows nothing or held a value that is no
        number.
    """
    pixels, blank = [], []
    with torch.inference_mode():
        for rows in torch.split(latents, chunk):
            padded = torch.cat([rows, rows[-1:].expand(chunk - len(rows), -1, -1, -1)])
            image = vae.decode(padded.to(vae.dtype), return_dict=False)[0][: len(rows)].float()
            pixels.append(quantise(image))
            blank.append(is_blank(pixels[-1]) | image.isnan().flatten(1).any(1))
    return torch.cat(pixels), torch.cat(blank).tolist()  # waits for the device: its failures show here


def quantise(image: torch.Tensor) -> torch.Tensor:
    """Map a decoder's range -1 … 1 to uint8 as diffusers' own PIL output does: round((x/2 + 0.5) · 255)."""
    unit = (image * 0.5 + 0.5).clamp(0, 1).nan_to_num(0.0)
    return (unit * 255).round().to(torch.uint8)


def is_blank(pixels: torch.Tensor) -> torch.Tensor:
    """Say per image of uint8 pixels (B, 3, H, W) whether nothing varies, as after a safety checker."""
    return pixels.float().flatten(2).std(2).amax(1) < BLANK_STD
