"""What a safetensors file holds, from its header alone; finds half-copied files before anything is loaded."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.errors import InputError

MAX_HEADER_BYTES: Final = 100_000_000
LFS_POINTER: Final = b"version https://git-lfs"


@dataclass(frozen=True)
class SafetensorsHeader:
    """The header of one safetensors file.

    Attributes:
        path: the file.
        n_bytes: bytes of all tensors.
        parameters: number of weights.
        dtype: the type of most of those bytes, in safetensors' spelling (``F32``, ``F16``, ``BF16``, …).
        raw: the header's bytes, for fingerprints.
    """

    path: Path
    n_bytes: int
    parameters: int
    dtype: str
    raw: bytes


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Read the header and check that the file is exactly as long as it says.

    Raises:
        InputError: missing, a Git LFS pointer, not safetensors, or truncated.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) == 8 and LFS_POINTER.startswith(start):
                raise InputError(f"{path} is only a Git LFS pointer; fetch the weights with 'git lfs pull'.")
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else MAX_HEADER_BYTES + 1
            if length > MAX_HEADER_BYTES or 8 + length > size:
                raise InputError(f"{path} is truncated or not a safetensors file; copy or download it again.")
            raw = file.read(length)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); copy or download it again.") from error
    try:
        tensors: dict[str, dict[str, Any]] = json.loads(raw)
        tensors.pop("__metadata__", None)
        end = parameters = 0
        by_dtype: dict[str, int] = {}
        for tensor in tensors.values():
            first, last = tensor["data_offsets"]
            elements = 1
            for extent in tensor["shape"]:
                elements *= int(extent)
            parameters += elements
            by_dtype[tensor["dtype"]] = by_dtype.get(tensor["dtype"], 0) + int(last) - int(first)
            end = max(end, int(last))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} has no valid safetensors header; copy or download it again.") from error
    if size != 8 + length + end:
        raise InputError(
            f"{path} has {size} bytes where its header promises {8 + length + end}: it is truncated; "
            "copy or download it again."
        )
    return SafetensorsHeader(
        path=path,
        n_bytes=end,
        parameters=parameters,
        dtype=max(by_dtype, key=lambda name: by_dtype[name], default=""),
        raw=raw,
    )
