"""Image preprocessing for CLIP on the tensor's own device, equal to open_clip's PIL transform bit by bit.

Pillow resizes 8-bit images in two passes with coefficients rounded to 22 fractional bits and rounds to 8
bits after each pass (``src/libImaging/Resample.c``). The same integers go through two float64 matrix
products here: sums stay below 2**53, so they are exact on any device and in any order. Torch's own
antialiased resize differs from Pillow in every tenth pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import torch
from torch.nn import functional as F

from engine.errors import InputError

PRECISION_BITS: Final = 22
MODES: Final = ("shortest", "longest", "squash")


def _bicubic(x: float) -> float:
    a = -0.5
    x = abs(x)
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2.0 else 0.0


def _bilinear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


FILTERS: Final[Mapping[str, tuple[Callable[[float], float], float]]] = {
    "bicubic": (_bicubic, 2.0),
    "bilinear": (_bilinear, 1.0),
}
"""Name -> (kernel, half width)."""


@lru_cache(maxsize=64)
def coefficients(source: int, target: int, interpolation: str) -> torch.Tensor:
    """Return Pillow's integer resampling matrix, shape (target, source), as float64 on the CPU."""
    kernel, half_width = FILTERS[interpolation]
    scale = source / target
    filter_scale = max(scale, 1.0)
    support = half_width * filter_scale
    matrix = torch.zeros(target, source, dtype=torch.float64)
    for row in range(target):
        center = (row + 0.5) * scale
        first = max(int(center - support + 0.5), 0)
        last = min(int(center + support + 0.5), source)
        weights = [kernel((x - center + 0.5) * (1.0 / filter_scale)) for x in range(first, last)]
        total = 0.0
        for weight in weights:
            total += weight
        for x, weight in zip(range(first, last), weights, strict=True):
            value = (weight / total if total != 0.0 else weight) * (1 << PRECISION_BITS)
            matrix[row, x] = int(value - 0.5 if value < 0 else value + 0.5)
    return matrix


def resize(pixels: torch.Tensor, height: int, width: int, interpolation: str = "bicubic") -> torch.Tensor:
    """Resize uint8 pixels as ``PIL.Image.resize`` does.

    Args:
        pixels: uint8, shape (..., H, W).
        height: target height in pixels.
        width: target width in pixels.
        interpolation: ``bicubic`` or ``bilinear``.

    Returns:
        uint8, shape (..., height, width), on the same device.
    """
    if pixels.shape[-1] != width:
        across = coefficients(pixels.shape[-1], width, interpolation).to(pixels.device)
        pixels = _to_bytes(pixels.double() @ across.T)
    if pixels.shape[-2] != height:
        down = coefficients(pixels.shape[-2], height, interpolation).to(pixels.device)
        pixels = _to_bytes(down @ pixels.double())
    return pixels


def _to_bytes(sums: torch.Tensor) -> torch.Tensor:
    half = 1 << (PRECISION_BITS - 1)
    return torch.floor((sums + half) / (1 << PRECISION_BITS)).clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class Preprocess:
    """open_clip's inference transform as a function of uint8 tensors (``open_clip.image_transform``).

    Attributes:
        size: (height, width) the model takes.
        mean: per channel, of values in 0 … 1.
        std: per channel.
        interpolation: ``bicubic`` or ``bilinear``.
        resize_mode: ``shortest`` (then crop), ``longest`` (then pad) or ``squash``.
        fill: grey level 0 … 255 of padding.
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    resize_mode: str
    fill: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocess:
        """Read open_clip's ``preprocess_cfg`` as a loaded model carries it.

        Raises:
            InputError: a value that open_clip's transform does not know either.
        """
        size = config["size"]
        interpolation = str(config.get("interpolation") or "bicubic")
        mode = str(config.get("resize_mode") or "shortest")
        if interpolation == "random":  # a training choice; open_clip infers with bicubic
            interpolation = "bicubic"
        if interpolation not in FILTERS or mode not in MODES:
            raise InputError(
                f"preprocess_cfg asks for interpolation {interpolation!r} and resize_mode {mode!r}; "
                f"use {' or '.join(FILTERS)} and one of {', '.join(MODES)}."
            )
        return cls(
            size=(size, size) if isinstance(size, int) else (int(size[0]), int(size[1])),
            mean=_three(config["mean"]),
            std=_three(config["std"]),
            interpolation=interpolation,
            resize_mode=mode,
            fill=int(config.get("fill_color") or 0),
        )

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turn uint8 pixels (N, 3, H, W) into the model's float32 input (N, 3, *size) on the same device."""
        height, width, interpolation = self._target(pixels.shape[-2], pixels.shape[-1])
        resized = resize(pixels, height, width, interpolation)
        if self.resize_mode != "squash":
            resized = _crop_or_pad(resized, self.size, self.fill if self.resize_mode == "longest" else 0)
        unit = resized.float().div(255)
        mean, std = (
            torch.tensor(x, dtype=torch.float32, device=pixels.device).view(3, 1, 1)
            for x in (self.mean, self.std)
        )
        return unit.sub_(mean).div_(std)

    def _target(self, height: int, width: int) -> tuple[int, int, str]:
        """Size to resize to, and the kernel."""
        high, wide = self.size
        if self.resize_mode == "squash":
            return high, wide, self.interpolation
        if self.resize_mode == "shortest" and high == wide:  # torchvision's Resize of the shorter edge
            longer = int(high * max(height, width) / min(height, width))
            return (
                (longer, high, self.interpolation) if height > width else (high, longer, self.interpolation)
            )
        ratios = (height / high, width / wide)
        if self.resize_mode == "longest":
            return round(height / max(ratios)), round(width / max(ratios)), self.interpolation
        # open_clip's transform ignores the configured kernel here, and so must we
        return round(height / min(ratios)), round(width / min(ratios)), "bicubic"


def _three(value: Any) -> tuple[float, ...]:
    values = tuple(float(x) for x in value) if isinstance(value, (list, tuple)) else (float(value),) * 3
    if len(values) != 3 or not all(math.isfinite(x) for x in values):
        raise InputError(
            f"preprocess_cfg gives mean or std as {value!r}; give one number per colour channel."
        )
    return values


def _crop_or_pad(pixels: torch.Tensor, size: tuple[int, int], fill: int) -> torch.Tensor:
    """Centre crop after padding what is too small, with torchvision's rounding."""
    (height, width), (high, wide) = pixels.shape[-2:], size
    down, across = max(high - height, 0), max(wide - width, 0)
    if down or across:
        edges = (across // 2, (across + 1) // 2, down // 2, (down + 1) // 2)
        pixels = F.pad(pixels, edges, value=fill)
        height, width = height + down, width + across
    top, left = round((height - high) / 2.0), round((width - wide) / 2.0)
    return pixels[..., top : top + high, left : left + wide]
