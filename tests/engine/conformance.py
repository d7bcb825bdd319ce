"""What every painter and every scorer must do, whatever is behind it.

Subclass, name the class ``Test…`` and give the fixture that the class asks for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.models.protocols import Direction, Painter, PaintJob, Scorer, Writer, Written

MakePainter = Callable[[int], Painter]
"""Batch size -> a fresh painter, all of one model and one set of settings."""

JOBS = [
    PaintJob("a red cat", 2),
    PaintJob("a red cat", 4),
    PaintJob("a blue dog in the snow", 2),
    PaintJob("", 8),
    PaintJob("a red cat", 4_294_967_294),
]


class PainterConformance:
    """The contract of :class:`engine.models.protocols.Painter`. Needs a fixture ``make: MakePainter``."""

    def test_pixels_have_the_promised_form(self, make: MakePainter) -> None:
        painter = make(2)
        painted = painter.paint(JOBS)
        width, height = painter.size
        assert painted.pixels.shape == (len(JOBS), 3, height, width)
        assert painted.pixels.dtype == torch.uint8
        assert len(painted.blank) == len(JOBS)
        assert painted.batch_size == painter.batch_size == 2
        assert painted.notes == ()

    def test_no_jobs_give_no_images(self, make: MakePainter) -> None:
        assert make(2).paint([]).pixels.shape[0] == 0

    def test_the_same_call_gives_the_same_bits(self, make: MakePainter) -> None:
        painter = make(3)
        assert torch.equal(painter.paint(JOBS).pixels, painter.paint(JOBS).pixels)

    def test_an_image_is_a_function_of_prompt_and_seed_alone(self, make: MakePainter) -> None:
        """Alone, in batches of 4 (tail padded) and in reverse order: equal to rounding (1/255)."""
        alone = make(1).paint(JOBS).pixels.int()
        together = make(4).paint(JOBS).pixels.int()
        reverse = make(4).paint(JOBS[::-1]).pixels.flip(0).int()
        assert (alone - together).abs().max() <= 1
        assert (alone - reverse).abs().max() <= 1

    def test_prompt_and_seed_both_matter(self, make: MakePainter) -> None:
        same = make(4).paint([JOBS[0], JOBS[1], JOBS[2], JOBS[0]]).pixels.int()
        assert (same[0] - same[3]).abs().max() <= 1
        assert (same[0] - same[1]).abs().max() > 4
        assert (same[0] - same[2]).abs().max() > 4

    def test_the_fingerprint_does_not_know_the_batch_size(self, make: MakePainter) -> None:
        assert make(1).fingerprint == make(4).fingerprint


class ScorerConformance:
    """The contract of :class:`engine.models.protocols.Scorer`. Needs a fixture ``scorer``."""

    def test_vectors_are_float32_and_of_length_one(self, scorer: Scorer) -> None:
        texts = scorer.embed_texts(["a red cat", "a blue dog", ""])
        pixels = torch.randint(0, 256, (3, 3, 40, 56), generator=torch.Generator().manual_seed(1))
        images = scorer.embed_images(pixels.to(torch.uint8))
        for vectors in (texts.vectors, images):
            assert vectors.dtype == np.float32
            assert vectors.shape[0] == 3
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        assert texts.vectors.shape == images.shape

    def test_nothing_gives_nothing(self, scorer: Scorer) -> None:
        width = scorer.embed_texts(["a"]).vectors.shape[1]
        assert scorer.embed_texts([]).vectors.shape == (0, width)
        assert scorer.embed_texts([]).truncated == ()
        assert scorer.embed_images(torch.empty((0, 3, 40, 40), dtype=torch.uint8)).shape == (0, width)

    def test_company_does_not_matter(self, scorer: Scorer) -> None:
        pixels = torch.randint(0, 256, (70, 3, 33, 33), generator=torch.Generator().manual_seed(2))
        together = scorer.embed_images(pixels.to(torch.uint8))
        alone = scorer.embed_images(pixels[69:].to(torch.uint8))
        np.testing.assert_allclose(together[69:], alone, atol=1e-5)

    def test_cut_texts_are_reported(self, scorer: Scorer) -> None:
        fitting, cut = "a cat", "cat " * (scorer.context_length + 1)
        assert scorer.embed_texts([fitting, cut]).truncated == (False, True)

    def test_the_scale_is_one_a_softmax_can_use(self, scorer: Scorer) -> None:
        assert scorer.logit_scale == pytest.approx(scorer.logit_scale)
        assert 1.0 <= scorer.logit_scale <= 1000.0


class WriterConformance:
    """The contract of :class:`engine.models.protocols.Writer`. Needs a fixture ``writer``."""

    DIRECTION = Direction(axis="size", theme="animal")

    def test_the_same_call_gives_the_same_texts(self, writer: Writer) -> None:
        first = writer.variations("a red cat", 4, 2, self.DIRECTION)
        writer.random_prompts(3, 8, Direction())  # what happened in between does not matter
        assert writer.variations("a red cat", 4, 2, self.DIRECTION) == first

    def test_seed_and_prompt_both_matter(self, writer: Writer) -> None:
        drawn = [
            writer.variations(p, 6, seed, Direction())
            for p, seed in [("a cat", 2), ("a cat", 4), ("a car", 2)]
        ]
        assert len({tuple(e.reply for e in written.exchanges[:6]) for written in drawn}) == 3

    def test_texts_are_distinct_few_enough_and_on_record(self, writer: Writer) -> None:
        for written in (
            writer.variations("a cat", 6, 2, Direction()),
            writer.mutations("a cat", 6, 2, self.DIRECTION),
            writer.random_prompts(6, 2, self.DIRECTION, ["a cat"]),
        ):
            assert len({text.lower() for text in written.texts}) == len(written.texts) <= 6
            assert "a cat" not in written.texts
            assert sum(e.verdict == "accepted" for e in written.exchanges) == len(written.texts)
            assert (len(written.texts) < 6) == bool(written.notes)

    def test_random_prompts_avoid_what_they_are_told_to(self, writer: Writer) -> None:
        first = writer.random_prompts(6, 2, Direction()).texts
        assert not set(first) & set(writer.random_prompts(6, 2, Direction(), first).texts)

    def test_nothing_asked_nothing_written(self, writer: Writer) -> None:
        assert writer.variations("a cat", 0, 2, Direction()) == Written((), ())
