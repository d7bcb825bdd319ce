"""Which device and which precision, each with its reason: users ask why it runs the way it does."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import torch

from engine.errors import InputError

DTYPES: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class DeviceChoice(NamedTuple):
    """A device and why."""

    value: torch.device
    reason: str


class DtypeChoice(NamedTuple):
    """A precision and why."""

    value: torch.dtype
    reason: str


def choose_device(wish: str) -> DeviceChoice:
    """Resolve ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        InputError: another word, or a GPU that is not there.
    """
    if wish == "auto":
        if torch.cuda.is_available():
            return DeviceChoice(torch.device("cuda", 0), f"auto: {torch.cuda.get_device_name(0)}")
        return DeviceChoice(torch.device("cpu"), "auto: torch sees no GPU")
    if wish == "cpu":
        return DeviceChoice(torch.device("cpu"), "as configured")
    match = re.fullmatch(r"cuda(?::(\d+))?", wish)
    if match is None:
        raise InputError(f"device = {wish!r} is unknown; use auto, cpu, cuda or cuda:N.")
    number, count = int(match.group(1) or 0), torch.cuda.device_count()
    if number >= count:
        raise InputError(f"device = {wish!r} is not there (torch sees {count} GPUs); use cpu or auto.")
    return DeviceChoice(torch.device("cuda", number), "as configured")


def choose_dtype(wish: str, device: torch.device, half: torch.dtype) -> DtypeChoice:
    """Resolve ``auto``, ``float32``, ``float16`` or ``bfloat16``.

    Args:
        wish: the configured word.
        device: where the model will run.
        half: the half precision in which this family of models is published.

    Raises:
        InputError: another word.
    """
    if wish in DTYPES:
        return DtypeChoice(DTYPES[wish], "as configured")
    if wish != "auto":
        raise InputError(f"dtype = {wish!r} is unknown; use auto, float32, float16 or bfloat16.")
    if device.type == "cpu":
        return DtypeChoice(torch.float32, "auto: half precision is slow and less exact on a CPU")
    name = str(half).removeprefix("torch.")
    if half is torch.bfloat16 and torch.cuda.get_device_capability(device) < (8, 0):
        return DtypeChoice(torch.float32, "auto: this GPU has no bfloat16, in which the model is published")
    return DtypeChoice(half, f"auto: this family of models is published and commonly run in {name}")
