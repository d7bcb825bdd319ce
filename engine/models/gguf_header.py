"""What a GGUF file says about itself, read without a model library and without its long arrays.

A vocabulary of 150,000 tokens takes gguf-py's reader ten seconds; stepping over the same arrays takes a
fraction of one, which is what a list of models can afford. Format: ggml's ``docs/gguf.md``, versions 2 and 3.
"""

from __future__ import annotations

import importlib.util
import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.errors import InputError

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
STRING: Final = 8
ARRAY: Final = 9
SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""GGUF scalar type number -> ``struct`` format."""

TENSOR_TYPES: Final = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
"""ggml type number -> (name, elements in a block, bytes of a block)."""

NOT_WRITERS: Final = frozenset(
    {
        *("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert"),
        *("jina-bert-v2", "jina-bert-v3", "gemma-embedding", "llama-embed"),
        *("t5encoder", "clip", "wavtokenizer-dec"),
    }
)
"""Architectures llama.cpp reads but that only encode: they write no text."""


@dataclass(frozen=True)
class GGUFHeader:
    """The header of one GGUF file.

    Attributes:
        path: the file.
        architecture: ``general.architecture``, for example ``llama``.
        metadata: every scalar and string value by key; arrays appear by their length alone, in ``lengths``.
        lengths: number of elements of every array by key.
        weight_bytes: bytes that the tensors occupy.
        weight_type: the type that holds most of those bytes, for example ``Q4_K``.
    """

    path: Path
    architecture: str
    metadata: dict[str, int | float | bool | str]
    lengths: dict[str, int]
    weight_bytes: int
    weight_type: str
    _parameters: int = field(default=0, repr=False)

    @property
    def parameters(self) -> int:
        """Number of weights over all tensors."""
        return self._parameters

    @property
    def chat_template(self) -> str:
        """The file's own chat template; empty for a base model, which can only complete plain text."""
        return str(self.metadata.get("tokenizer.chat_template", ""))

    @property
    def context_length(self) -> int:
        """Tokens the model was trained to read at once; 0 where the file does not say."""
        return self._integer("context_length")

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self.lengths.get("tokenizer.ggml.tokens", self._integer("vocab_size"))

    def memory_bytes(self, context: int, batch: int = 512) -> int:
        """Estimate the memory in bytes to run the model: weights + key/value cache + output buffer.

        Args:
            context: tokens in the key/value cache, over all sequences.
            batch: tokens decoded at once.
        """
        heads = max(self._integer("attention.head_count"), 1)
        key = self._integer("attention.key_length") or self._integer("embedding_length") // heads
        value = self._integer("attention.value_length") or key
        kv_heads = self._integer("attention.head_count_kv") or heads
        cache = self._integer("block_count") * context * kv_heads * (key + value) * 2
        return int((self.weight_bytes + cache + batch * self.vocabulary * 4) * 1.1)

    def _integer(self, key: str) -> int:
        value = self.metadata.get(f"{self.architecture}.{key}", 0)
        return int(value) if isinstance(value, (int, float)) else 0


class _EndOfFileError(Exception):
    """The file ends inside its own header."""


class _Cursor:
    """A position in the mapped file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def scalar(self, code: str) -> int | float | bool:
        size = struct.calcsize("<" + code)
        self.skip(size)
        value: int | float | bool = struct.unpack_from("<" + code, self.data, self.at - size)[0]
        return value

    def count(self, code: str = "Q") -> int:
        return int(self.scalar(code))

    def skip(self, size: int) -> None:
        if self.at + size > len(self.data):
            raise _EndOfFileError
        self.at += size

    def text(self) -> str:
        size = self.count()
        self.skip(size)
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def skip_array(self, kind: int, length: int) -> None:
        if kind in SCALARS:
            self.skip(struct.calcsize("<" + SCALARS[kind]) * length)
        elif kind == STRING:
            data, at, end = self.data, self.at, len(self.data)
            unpack = struct.Struct("<Q").unpack_from
            for _ in range(length):
                if at + 8 > end:
                    raise _EndOfFileError
                at += 8 + unpack(data, at)[0]
            self.at = at
            self.skip(0)
        elif kind == ARRAY:
            for _ in range(length):
                self.skip_array(self.count("I"), self.count())
        else:
            raise ValueError(kind)


def read_gguf_header(path: Path) -> GGUFHeader:
    """Read the header of a GGUF file and check that the file is as long as its tensors need.

    Raises:
        InputError: no such file, not GGUF, of a version or with a value type unknown here, or truncated.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != MAGIC:
                raise InputError(
                    f"{path} is not a GGUF file; give a language model in llama.cpp's GGUF format."
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parse(path, _Cursor(data))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"There is no GGUF file at {path}; check the path of the writer.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); check the file and its rights."
        ) from error
    except (_EndOfFileError, struct.error) as error:
        raise InputError(
            f"{path} ends inside its header: it is truncated; copy or download it again."
        ) from error


def _parse(path: Path, cursor: _Cursor) -> GGUFHeader:
    cursor.skip(4)
    version = cursor.count("I")
    if version not in VERSIONS:
        raise InputError(f"{path} is GGUF version {version}, and only 2 and 3 are known; convert it again.")
    n_tensors, n_values = cursor.count(), cursor.count()
    metadata: dict[str, int | float | bool | str] = {}
    lengths: dict[str, int] = {}
    try:
        for _ in range(n_values):
            key, kind = cursor.text(), cursor.count("I")
            if kind == ARRAY:
                element, length = cursor.count("I"), cursor.count()
                cursor.skip_array(element, length)
                lengths[key] = length
            elif kind == STRING:
                metadata[key] = cursor.text()
            else:
                metadata[key] = cursor.scalar(SCALARS[kind])
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path} holds a value of a type unknown to GGUF ({error}); it is damaged."
        ) from error
    by_type: dict[str, int] = {}
    end = parameters = 0
    for _ in range(n_tensors):
        name = cursor.text()
        elements = 1
        for _ in range(cursor.count("I")):
            elements *= cursor.count()
        number, offset = cursor.count("I"), cursor.count()
        if number not in TENSOR_TYPES:
            raise InputError(
                f"Tensor {name} of {path} has the unknown type {number}; "
                "use a common quantisation such as Q4_K_M."
            )
        type_name, block, size = TENSOR_TYPES[number]
        n_bytes = -(-elements // block) * size
        by_type[type_name] = by_type.get(type_name, 0) + n_bytes
        end, parameters = max(end, offset + n_bytes), parameters + elements
    alignment = int(metadata.get("general.alignment", 32)) or 32
    needed = -(-cursor.at // alignment) * alignment + end
    if len(cursor.data) < needed:
        raise InputError(
            f"{path} has {len(cursor.data)} bytes where its tensors need {needed}: it is truncated; "
            "copy or download it again."
        )
    return GGUFHeader(
        path=path,
        architecture=str(metadata.get("general.architecture", "")),
        metadata=metadata,
        lengths=lengths,
        weight_bytes=sum(by_type.values()),
        weight_type=max(by_type, key=lambda name: by_type[name], default=""),
        _parameters=parameters,
    )


def refuse_unknown_writer(header: GGUFHeader) -> None:
    """Refuse a model that cannot write text here, before llama.cpp prints pages about it.

    The architectures known are those named in the installed llama.cpp library itself, so that this check
    never lags behind it.

    Raises:
        InputError: the architecture writes no text, or the installed llama.cpp does not know it.
    """
    name = header.architecture
    if name in NOT_WRITERS:
        raise InputError(f"{header.path} is a {name} model, which writes no text; give a chat or base model.")
    if not name or not architecture_known(name):
        raise InputError(
            f"{header.path} is of the architecture {name!r}, which the installed llama.cpp does not know; "
            "use another model or a newer llama-cpp-python."
        )


def architecture_known(name: str) -> bool:
    """Say whether the installed llama.cpp names this architecture; True where its library cannot be found."""
    libraries = _llama_libraries()
    return not libraries or any(_contains(path, name.encode() + b"\0") for path in libraries)


def _llama_libraries() -> list[Path]:
    spec = importlib.util.find_spec("llama_cpp")
    roots = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    return [path for root in roots for path in sorted((root / "lib").glob("*llama.*")) if path.is_file()]


def _contains(path: Path, needle: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(needle) >= 0
