"""Prompt embeddings, made once per prompt and kept on the CPU until a batch needs them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import torch

from engine.models.families import Conditioning

CACHE_BYTES: Final = 256 << 20


class EmbeddingCache:
    """Least-recently-used conditioning by prompt, bounded in bytes.

    Each prompt is embedded alone, never in a batch, so that its embedding cannot depend on its neighbours.

    Args:
        encode: embeds one prompt.
        capacity: bytes of embeddings kept; the newest is always kept.
    """

    def __init__(self, encode: Callable[[str], Conditioning], capacity: int = CACHE_BYTES) -> None:
        self._encode, self._capacity = encode, capacity
        self._kept: OrderedDict[str, Conditioning] = OrderedDict()
        self._bytes = 0

    def get(self, prompt: str) -> Conditioning:
        """Return the conditioning of a prompt, tensors of shape (1, …) on the CPU."""
        if prompt in self._kept:
            self._kept.move_to_end(prompt)
            return self._kept[prompt]
        with torch.inference_mode():
            fresh = {key: tensor.cpu() for key, tensor in self._encode(prompt).items()}
        self._kept[prompt] = fresh
        self._bytes += _size(fresh)
        while self._bytes > self._capacity and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        return fresh


def stack(rows: Sequence[Conditioning], device: torch.device) -> Conditioning:
    """Join the conditioning of several images into one batch on the device."""
    return {key: torch.cat([row[key] for row in rows]).to(device) for key in rows[0]}


def _size(conditioning: Conditioning) -> int:
    return sum(tensor.nbytes for tensor in conditioning.values())
