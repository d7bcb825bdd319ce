"""How values become columns and come back: times, keys, text, integers, float32 blobs."""

from __future__ import annotations

import hashlib
import math
import operator
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from store.errors import StoreError
from store.vocabulary import FloatArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread


def now() -> str:
    """The time, ISO-8601 UTC with microseconds; such texts sort by time."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ulid() -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits, as 26 characters that sort by time."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def utf8(name: str, text: str) -> bytes:
    """The text's bytes; ``name`` says in the error whose text it is.

    Raises:
        StoreError: the text holds a lone surrogate, which no database and no model can take.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            f"The {name} cannot be stored: its character {error.start + 1} is half of a surrogate pair "
            f"(U+{ord(text[error.start]):04X}), so remove it or write the whole character.",
            2,
        ) from None


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def integer(name: str, value: int) -> int:
    """A plain int (numpy's are accepted) that SQLite can hold.

    Raises:
        StoreError: outside -2**63 to 2**63 - 1.
    """
    number = operator.index(value)
    if not -(2**63) <= number < 2**63:
        raise StoreError(f"The {name} {number} cannot be stored: it must lie within 64 bits with sign.", 2)
    return number


def finite(name: str, value: float) -> float:
    """A plain float.

    Raises:
        StoreError: NaN or infinite; such a number is never stored.
    """
    number = float(value)
    if not math.isfinite(number):
        raise StoreError(f"The {name} is {number}, which is no measurement: it was not stored.", 3)
    return number


def to_blob(name: str, values: ArrayLike, shape: Sequence[int | None]) -> bytes:
    """Float32, little-endian, row by row. ``shape``: the expected one, None for any length.

    Raises:
        StoreError: another shape, an empty array, NaN or infinity.
    """
    import numpy as np  # here, and only here: a terminal that reads no vectors starts without it

    array = np.ascontiguousarray(values, dtype="<f4")
    fits = array.ndim == len(shape) and all(
        want in (None, have) for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits or array.size == 0:
        raise StoreError(
            f"The {name} has the shape {array.shape} where {tuple(shape)} is needed: it was not stored.", 3
        )
    if not np.isfinite(array).all():
        raise StoreError(f"The {name} holds NaN or infinity, which is no measurement: it was not stored.", 3)
    return array.tobytes()


def from_blob(blob: bytes, shape: Sequence[int] = (-1,)) -> FloatArray:
    """The float32 array (read-only) behind a blob of ``to_blob``."""
    import numpy as np

    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False).reshape(shape)
