"""The ideal painter: samples the drawn world itself under any table of skews, without a model's errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch

from engine.errors import InputError
from engine.microworld.draw import SIZE, draw_meaning
from engine.microworld.skews import SkewTable
from engine.microworld.world import SUBJECTS, Meaning, parse
from engine.models.protocols import Painted, PaintJob
from engine.packs import DRAWING


class DrawingPainter:
    """A painter (``engine.models.protocols.Painter``) that draws instead of denoising.

    A prompt outside the grammar gets an even subject, as a text-to-image model would also show *something*.
    """

    def __init__(self, skews: SkewTable, batch_size: int = 16) -> None:
        """Plant ``skews``; ``batch_size`` only shapes the work."""
        self._skews = skews
        self.batch_size = batch_size
        self.size = (SIZE, SIZE)
        table = {f"{subject} {name}": (s.value, s.share) for (subject, name), s in skews.skews.items()}
        digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
        self.fingerprint = f"drawing-v1:{digest[:32]}"

    def paint(self, jobs: Sequence[PaintJob]) -> Painted:
        """Draw every job from its own generator."""
        pixels = np.empty((len(jobs), SIZE, SIZE, 3), dtype=np.uint8)
        for row, job in enumerate(jobs):
            rng = np.random.default_rng(job.seed)
            meaning = parse(job.prompt) or Meaning(str(rng.choice(SUBJECTS)))
            pixels[row] = draw_meaning(self._skews.complete(meaning, rng), rng)
        tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        return Painted(tensor, (False,) * len(jobs), self.batch_size)


def load_drawing_painter(source: str, batch_size: int) -> DrawingPainter:
    """Make the painter that ``source`` names: ``drawing:planted`` or ``drawing:SEED``.

    Raises:
        InputError: the part after the colon is neither.
    """
    name = source.removeprefix(DRAWING)
    if name == "planted":
        return DrawingPainter(SkewTable.planted(), batch_size)
    if name.isdecimal():
        return DrawingPainter(SkewTable.from_seed(int(name)), batch_size)
    raise InputError(
        f"painter {source!r} names no table of skews; write drawing:planted or drawing: and a whole number"
    )
