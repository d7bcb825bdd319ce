"""What this machine offers to models: processors, memory, GPUs. Asks the system, never a model library."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

import psutil

QUERY: Final = ("--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits")
MIB: Final = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """One GPU as its driver reports it; memory in bytes."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class Machine:
    """This machine; memory in bytes.

    Attributes:
        cores: processor cores this process may use.
        total_bytes: main memory.
        free_bytes: main memory that can be had without swapping.
        gpus: NVIDIA GPUs, as ``nvidia-smi`` lists them; empty where it is missing.
    """

    cores: int
    total_bytes: int
    free_bytes: int
    gpus: tuple[Gpu, ...]


def read_machine() -> Machine:
    """Ask the system for memory and GPUs as they are now."""
    memory = psutil.virtual_memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, int(memory.total), int(memory.available), read_gpus())


def read_gpus() -> tuple[Gpu, ...]:
    """List NVIDIA GPUs through the driver's own tool; none where it is missing or does not answer."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        run = subprocess.run([tool, *QUERY], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(gpu for line in run.stdout.splitlines() if (gpu := _parse(line)) is not None)


def _parse(line: str) -> Gpu | None:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) < 4 or not (parts[0] + parts[-2] + parts[-1]).isdigit():
        return None  # "[N/A]" on GPUs that share the main memory
    name = ", ".join(parts[1:-2])
    return Gpu(int(parts[0]), name, int(parts[-2]) * MIB, int(parts[-1]) * MIB)
