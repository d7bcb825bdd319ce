"""Names for models: hashes over weights and every setting that changes what they put out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.models.layout import PipelineLayout

WHOLE_FILE_BYTES: Final = 64 << 20
CHUNK_BYTES: Final = 1 << 20
CHUNKS: Final = 64
NOTES_IN_CONFIGS: Final = frozenset(
    {"_name_or_path", "_commit_hash", "_diffusers_version", "transformers_version", "dtype", "torch_dtype"}
)
"""Config keys that tell where a model came from, not what it does."""

_digests: dict[tuple[str, int, int], str] = {}


def file_digest(path: Path) -> str:
    """Return a hash of a file's content, remembered per (path, size, modification time).

    Up to 64 MiB the whole file is hashed. Of larger files: the size and 64 evenly spaced chunks of 1 MiB,
    the first (with the safetensors header: names, shapes, types, offsets) and the last among them. Two
    trainings differ everywhere, so this tells models apart; it is no defence against a crafted file.
    """
    path = path.resolve()
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns)
    if key not in _digests:
        digest = hashlib.sha256(str(status.st_size).encode())
        with path.open("rb") as file:
            if status.st_size <= WHOLE_FILE_BYTES:
                while block := file.read(CHUNK_BYTES):
                    digest.update(block)
            else:
                for number in range(CHUNKS):
                    file.seek(number * (status.st_size - CHUNK_BYTES) // (CHUNKS - 1))
                    digest.update(file.read(CHUNK_BYTES))
        _digests[key] = digest.hexdigest()
    return _digests[key]


def digest_files(files: Iterable[Path]) -> dict[str, str]:
    """Return file name -> digest."""
    return {path.name: file_digest(path) for path in files}


def clean_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the keys that do not change what the model does."""
    return {
        key: clean_config(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key not in NOTES_IN_CONFIGS
    }


def name_of(parts: Mapping[str, Any]) -> str:
    """Return the hash of a JSON-like description, independent of key order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def pipeline_parts(layout: PipelineLayout) -> dict[str, Any]:
    """Return everything about a diffusers directory that shapes its images."""
    return {
        "class": layout.class_name,
        "index": {key: value for key, value in layout.index.items() if not isinstance(value, list)},
        "components": {
            name: {
                "class": part.class_name,
                "config": clean_config(part.config),
                "weights": sorted(file_digest(header.path) for header in part.weights),
                "files": digest_files(part.files),
            }
            for name, part in layout.components.items()
        },
    }
