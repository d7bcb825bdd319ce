"""The painter worker: draws, embeds, and encodes PNG files while the next batch is drawn.

Started by the engine as ``python -m engine.workers.painter``. Pixels go from the painter to the scorer
without leaving the device; only PNG files, vectors and means travel to the engine.
"""

from __future__ import annotations

import io
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.models.clip_layout import read_clip_layout
from engine.models.hub_cache import locate_model
from engine.models.layout import read_pipeline_layout, refuse_unusable
from engine.models.offline import switch_off_network
from engine.packs import DRAWING, Pack, resolve_pack
from engine.workers.desk import Desk
from engine.workers.manners import give_way
from engine.workers.messages import (
    EmbedTexts,
    ImageData,
    Images,
    Load,
    Paint,
    PainterLoaded,
    Request,
    Vectors,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.models.protocols import Painted, Painter, Scorer


class PainterDesk:
    """Hosts one painter and one scorer."""

    painter: Painter
    scorer: Scorer

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # two batches may wait for their PNG files; beyond that the painter waits
        self._drawn: queue.Queue[tuple[int, Painted, NDArray[np.float32]]] = queue.Queue(maxsize=2)
        threading.Thread(target=self._encode, name="png", daemon=True).start()

    def handle(self, request: Request) -> None:
        """Carry out one request and reply to it, for images after their PNG files are made."""
        if isinstance(request, Paint):
            self._paint(request)
        elif isinstance(request, EmbedTexts):
            embedded = self.scorer.embed_texts(request.texts)
            self._desk.reply(
                Vectors(
                    id=request.id,
                    vectors=embedded.vectors.astype("<f4").tobytes(),
                    dimension=embedded.vectors.shape[1],
                    truncated=embedded.truncated,
                )
            )
        elif isinstance(request, Load):
            self._load(request)

    def _load(self, request: Load) -> None:
        config = parse_config(request.config, "the session's configuration")
        pack = resolve_pack(config)
        refuse_unusable_files(pack)
        from engine.models.devices import choose_device  # imports torch

        if choose_device(config.painter.device).value.type == "cpu":
            give_way()
        self.scorer = load_scorer_of(config, pack)
        self.painter = load_painter_of(config, pack)
        width, height = self.painter.size
        self._desk.reply(
            PainterLoaded(
                id=request.id,
                painter=self.painter.fingerprint,
                scorer=self.scorer.fingerprint,
                width=width,
                height=height,
                context_length=self.scorer.context_length,
                logit_scale=self.scorer.logit_scale,
            )
        )

    def _paint(self, request: Paint) -> None:
        from engine.models.protocols import PaintJob

        painted = self.painter.paint([PaintJob(prompt, seed) for prompt, seed in request.jobs])
        self._drawn.put((request.id, painted, self.scorer.embed_images(painted.pixels)))

    def _encode(self) -> None:
        while True:
            number, painted, embeddings = self._drawn.get()
            pixels = painted.pixels.permute(0, 2, 3, 1).cpu().numpy()  # (N, height, width, 3)
            images = tuple(
                ImageData(
                    png=png(image),
                    embedding=vector.astype("<f4").tobytes(),
                    mean_rgb=mean_rgb(image),
                    blank=blank,
                )
                for image, vector, blank in zip(pixels, embeddings, painted.blank, strict=True)
            )
            _, height, width, _ = pixels.shape
            self._desk.reply(
                Images(
                    id=number,
                    images=images,
                    width=width,
                    height=height,
                    batch_size=painted.batch_size,
                    notes=painted.notes,
                )
            )


def refuse_unusable_files(pack: Pack) -> None:
    """Look at the files of painter and scorer before torch is imported, which takes seconds.

    Raises:
        InputError: one of the two is missing, incomplete or not supported.
    """
    if not pack.painter.startswith(DRAWING):
        refuse_unusable(read_pipeline_layout(locate_model(pack.painter, "painter")))
    read_clip_layout(Path(pack.scorer))


def load_painter_of(config: MiningConfig, pack: Pack) -> Painter:
    """Load the configured painter: a diffusers model, or the drawn world for ``drawing:SEED``.

    Raises:
        InputError: it cannot be used.
        MachineError: it does not fit.
    """
    if pack.painter.startswith(DRAWING):
        from engine.microworld.drawing_painter import load_drawing_painter

        return load_drawing_painter(pack.painter, config.painter.batch_size)
    from engine.models.painter import PainterSettings, load_painter

    settings = pack.painter_settings
    return load_painter(
        pack.painter,
        PainterSettings(
            steps=_whole(settings["steps"]),
            guidance=settings["guidance"],
            width=_whole(settings["width"]),
            height=_whole(settings["height"]),
            batch_size=config.painter.batch_size,
            dtype=config.painter.dtype,
            device=config.painter.device,
            allow_cpu_offload=config.painter.allow_cpu_offload,
        ),
    )


def load_scorer_of(config: MiningConfig, pack: Pack) -> Scorer:
    """Load the configured CLIP; raises as ``engine.models.scorer.load_scorer``."""
    from engine.models.scorer import load_scorer

    return load_scorer(Path(pack.scorer), config.scorer.device, config.scorer.dtype)


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode (height, width, 3) pixels as a PNG file; level 1 is six times as fast as 6 and 16 % larger."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()


def mean_rgb(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Return the mean of each channel of (height, width, 3) pixels, in 0 … 1."""
    red, green, blue = image.reshape(-1, 3).mean(axis=0, dtype="float64") / 255
    return float(red), float(green), float(blue)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def main() -> None:
    """Serve the engine until it closes the pipe."""
    desk = Desk()
    switch_off_network()
    desk.work(PainterDesk(desk).handle)


if __name__ == "__main__":
    main()
