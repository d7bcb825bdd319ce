"""The local Hugging Face cache, read as the plain directories it is: no library, no network."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from engine.errors import InputError

REPO_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")


def hub_cache() -> Path:
    """Return the directory in which Hugging Face libraries on this machine keep their repositories."""
    if cache := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"


def cached_snapshots(cache: Path | None = None) -> dict[str, Path]:
    """Return repo id -> directory of its current snapshot, for every model repository in the cache."""
    root = cache or hub_cache()
    found = {}
    for folder in sorted(root.glob("models--*--*")):
        snapshot = _current_snapshot(folder)
        if snapshot is not None:
            found["/".join(folder.name.split("--", 2)[1:])] = snapshot
    return found


def locate_model(source: str, role: str) -> Path:
    """Return the directory of a model given as a path or as a repo id in the local cache.

    Args:
        source: a path, or ``organisation/name``.
        role: what the model is for ("painter", "scorer"), used in the message.

    Raises:
        InputError: neither a directory nor a cached repository.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if path.is_file():
        raise InputError(f"The {role} {source} is a file; give the directory that holds the whole model.")
    if REPO_ID.fullmatch(source):
        snapshot = _current_snapshot(hub_cache() / f"models--{source.replace('/', '--')}")
        if snapshot is not None:
            return snapshot
        raise InputError(
            f"The {role} {source} is neither a directory nor a repository in the local Hugging Face cache "
            f"({hub_cache()}); download it first or give its path."
        )
    raise InputError(f"There is no {role} directory at {source}; check the path.")


def _current_snapshot(folder: Path) -> Path | None:
    """The snapshot that ``refs/main`` names, else the newest one."""
    reference = folder / "refs" / "main"
    if reference.is_file():
        snapshot = folder / "snapshots" / reference.read_text().strip()
        if snapshot.is_dir():
            return snapshot
    snapshots = [path for path in (folder / "snapshots").glob("*") if path.is_dir()]
    return max(snapshots, key=lambda path: path.stat().st_mtime, default=None)
