"""What the engine asks of its workers and what they answer, as msgpack structs.

Every request is a pure function of its fields, so a request lost with its worker is simply sent again.
"""

from __future__ import annotations

import msgspec


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    id: int = 0


class Load(_Message, frozen=True, kw_only=True, tag="load"):
    """Load the role's models as the configuration (JSON of ``MiningConfig``) names them."""

    config: bytes


class Paint(_Message, frozen=True, kw_only=True, tag="paint"):
    """Draw and embed one image per (prompt, seed), in this order, as one unit."""

    jobs: tuple[tuple[str, int], ...]


class EmbedTexts(_Message, frozen=True, kw_only=True, tag="embed_texts"):
    """Embed texts on the scorer's unit sphere."""

    texts: tuple[str, ...]


class Write(_Message, frozen=True, kw_only=True, tag="write"):
    """Write ``count`` texts; ``kind`` is variations, mutations or random (which has no prompt)."""

    kind: str
    count: int
    seed: int
    prompt: str = ""
    axis: str = ""
    theme: str = ""
    avoid: tuple[str, ...] = ()


class PainterLoaded(_Message, frozen=True, kw_only=True, tag="painter_loaded"):
    """Painter and scorer are ready; fingerprints as in ``engine.models.protocols``."""

    painter: str
    scorer: str
    width: int
    height: int
    context_length: int
    logit_scale: float


class WriterLoaded(_Message, frozen=True, kw_only=True, tag="writer_loaded"):
    """The writer is ready."""

    writer: str


class ImageData(msgspec.Struct, frozen=True, kw_only=True):
    """One image: PNG file, float32 little-endian unit vector, mean of each channel in 0 … 1."""

    png: bytes
    embedding: bytes
    mean_rgb: tuple[float, float, float]
    blank: bool


class Images(_Message, frozen=True, kw_only=True, tag="images"):
    """The images of one ``Paint``, in its order; ``batch_size`` is what was in force at the end."""

    images: tuple[ImageData, ...]
    width: int
    height: int
    batch_size: int
    notes: tuple[str, ...] = ()


class Vectors(_Message, frozen=True, kw_only=True, tag="vectors"):
    """The vectors of one ``EmbedTexts``: float32 little-endian, row after row."""

    vectors: bytes
    dimension: int
    truncated: tuple[bool, ...]


class ExchangeData(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the LLM and its raw reply (``engine.models.protocols.Exchange``)."""

    request: str
    reply: str
    seed: int
    verdict: str


class Texts(_Message, frozen=True, kw_only=True, tag="texts"):
    """What came of one ``Write``."""

    texts: tuple[str, ...]
    exchanges: tuple[ExchangeData, ...]
    notes: tuple[str, ...] = ()


class Fault(_Message, frozen=True, kw_only=True, tag="fault"):
    """The request cannot be fulfilled: a sentence for the user and an exit code."""

    sentence: str
    exit_code: int


Request = Load | Paint | EmbedTexts | Write
Reply = PainterLoaded | WriterLoaded | Images | Vectors | Texts | Fault
