"""The switches that keep every model library off the network; most are read once, at import.

Call :func:`switch_off_network` first thing in a worker's entry point, before any model library is imported.
Loaders still pass ``local_files_only=True``; the two guard each other.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import Final

SWITCHES: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DIFFUSERS_DISABLE_REMOTE_CODE": "1",  # overrides trust_remote_code and downloaded attention kernels
    "TOKENIZERS_PARALLELISM": "false",
    "GGML_NO_BACKTRACE": "1",  # an abort in ggml would otherwise start a debugger
}
"""Variables that are forced: a user's other value would mean network or downloaded code."""

PREFERENCES: Final = {
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",  # else fragmentation makes a fitting batch fail
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
}
"""Variables that are only set where the user has not."""

OLD_ALLOCATOR: Final = "PYTORCH_CUDA_ALLOC_CONF"
"""The allocator's variable under its older name, which torch reads where the newer one is not set."""


def switch_off_network(environment: MutableMapping[str, str] | None = None) -> None:
    """Set the switches in ``environment`` (default: this process's own), for itself and its children."""
    target = os.environ if environment is None else environment
    target.update(SWITCHES)
    if OLD_ALLOCATOR in target:
        target.setdefault("PYTORCH_ALLOC_CONF", target[OLD_ALLOCATOR])  # or ours would replace the user's
    for name, value in PREFERENCES.items():
        target.setdefault(name, value)
