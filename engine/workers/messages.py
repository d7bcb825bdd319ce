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


class Ping(_Message, frozen=True, kw_only=True, tag="ping"):
    """Are you there? Answered by the reader thread, whatever the worker is doing."""


class Hold(_Message, frozen=True, kw_only=True, tag="hold"):
    """Begin no ``Paint`` and no ``Write`` until ``Release``; the answer is ``Held``."""


class Release(_Message, frozen=True, kw_only=True, tag="release"):
    """Go on with what waits."""


class Forget(_Message, frozen=True, kw_only=True, tag="forget"):
    """Nobody waits for request ``id`` any more: drop it, unless it has begun."""


class Pong(_Message, frozen=True, kw_only=True, tag="pong"):
    """The answer to ``Ping``."""


class Begun(_Message, frozen=True, kw_only=True, tag="begun"):
    """Request ``id`` is being carried out from now on: its deadline counts from here."""


class Held(_Message, frozen=True, kw_only=True, tag="held"):
    """``Hold`` is in force: what has begun was announced before this, and nothing else begins."""


class Forgotten(_Message, frozen=True, kw_only=True, tag="forgotten"):
    """Request ``id`` was dropped before it began."""


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
    """The request cannot be fulfilled: a sentence for the user and an exit code.

    ``fresh``: the worker ends after this message, and another process may well fulfil the request.
    """

    sentence: str
    exit_code: int
    fresh: bool = False


Word = Ping | Hold | Release | Forget
Sign = Pong | Begun | Held | Forgotten
Request = Load | Paint | EmbedTexts | Write
Reply = PainterLoaded | WriterLoaded | Images | Vectors | Texts | Fault
