"""Out of memory, handled so that what follows can succeed: recognise it, let go of everything."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final, TypeVar

import psutil
import torch

from engine.errors import FreshProcessError

Result = TypeVar("Result")

SIGNS: Final = (
    "out of memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
)
"""How libraries below torch report lack of memory in plain RuntimeErrors."""

DEVICE_SIGNS: Final = ("cuda error", "cublas_status_", "cudnn_status_", "hip error")
"""How they report that the device failed; after such an error its context is dead for this process."""


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out, whatever its class."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def is_device_failure(error: BaseException) -> bool:
    """Say whether an error other than lack of memory leaves the device unusable to this process."""
    if is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in DEVICE_SIGNS)
    )


def attempt(work: Callable[[], Result], device: torch.device) -> Result | None:
    """Run ``work``; return None where memory ran out, with all it had taken given back.

    The exception refers to the frames, and so to the tensors, of the failed call: memory is only collected
    after the ``except`` block is left.

    Raises:
        FreshProcessError: the device itself failed; only another process can use it.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if is_device_failure(error):
            raise FreshProcessError(f"The device {device} failed ({first_line(error)}).") from error
        if not is_out_of_memory(error):
            raise
    release(device)
    return None


def release(device: torch.device) -> None:
    """Give cached memory back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a device (of the machine for ``cpu``), in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def gibibytes(n_bytes: float) -> str:
    """Format bytes for a sentence, for example ``3.2 GiB``."""
    return f"{n_bytes / 2**30:.1f} GiB"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message: the part a person can use."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
