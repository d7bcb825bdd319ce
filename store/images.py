"""Image files, named by their content: ``images/ab/cd/<sha256>.png``.

A file appears under its final name only when all its bytes are on the disk, and the database names it only
after that. So a row never points at a missing or half-written file; at worst a file has no row (an orphan).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

IMAGES = "images"
_UNFINISHED = ".part"
_ATTEMPTS = 3
"""How often files are written when somebody deletes their directories at the same time."""


def image_path(folder: Path, sha256: str) -> Path:
    """Where the image with this hash lies."""
    return folder / IMAGES / sha256[:2] / sha256[2:4] / f"{sha256}.png"


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make every file (sha256 -> content) durable; files that are already there are left alone.

    Raises:
        OSError: the disk is full or read-only; no half-written file keeps a final name.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(FileNotFoundError):
            return _write_all(folder, files)
    return _write_all(folder, files)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    touched: set[Path] = set()
    for sha256, content in files.items():
        path = image_path(folder, sha256)
        # One by one and never the store's own directory: if that is gone, all of the store is.
        for directory in (folder / IMAGES, path.parent.parent, path.parent):
            directory.mkdir(mode=0o700, exist_ok=True)
        # Directories are synchronised even where the file is there already: whoever wrote it may have died
        # between its rename and this.
        touched.update((path.parent, path.parent.parent, folder / IMAGES, folder))
        if not (path.is_file() and path.stat().st_size == len(content)):
            _write_durably(path, content)
    # The deepest first: an entry must be on the disk before the entry of the directory that holds it matters.
    for directory in sorted(touched, key=lambda path: -len(path.parts)):
        sync_directory(directory)


def _write_durably(path: Path, content: bytes) -> None:
    # A name of its own per attempt: a leftover of a killed process is never written to again.
    unfinished = path.with_name(f"{path.stem}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_orphans(folder: Path, known: Collection[str]) -> Iterator[Path]:
    """Files under ``images/`` that no row names: left by a writer that was killed between file and row.

    Only files that this module may have written are considered (``<sha256>.png`` and unfinished ones).

    Args:
        known: every sha256 that a row names.
    """
    for path in sorted((folder / IMAGES).glob("??/??/*")):
        finished = path.suffix == ".png" and len(path.stem) == 64
        if path.suffix == _UNFINISHED or (finished and path.stem not in known):
            yield path
