"""The embedded pack through the adapters a session uses, the ideal painter, and the recipe that trains them.

The full figures are in the model card (``python -m engine.microworld.measure``); here a short version, whose
limits a broken pack misses by far and chance does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conformance import MakePainter, PainterConformance, ScorerConformance

from engine.errors import InputError
from engine.microworld.data import even_pictures, painter_examples, random_prompt
from engine.microworld.drawing_painter import DrawingPainter, load_drawing_painter
from engine.microworld.measure import READ_BY_SCORER, paint_prompts, read_by_scorer
from engine.microworld.skews import SkewTable
from engine.microworld.telling import telling
from engine.microworld.tokenizer import learn_merges
from engine.microworld.train import Steps, build_pack
from engine.microworld.world import SUBJECTS, Meaning, parse
from engine.models.painter import DiffusersPainter, PainterSettings, load_painter
from engine.models.scorer import OpenClipScorer, load_scorer
from engine.packs import EMBEDDED_DIRECTORY, read_pack_file

DEFAULTS = read_pack_file(EMBEDDED_DIRECTORY).painter_defaults


@pytest.fixture(scope="module")
def painter() -> DiffusersPainter:
    settings = PainterSettings(steps=DEFAULTS.steps, guidance=DEFAULTS.guidance, batch_size=16)
    return load_painter(str(EMBEDDED_DIRECTORY / "painter"), settings)


@pytest.fixture(scope="module")
def scorer() -> OpenClipScorer:
    return load_scorer(EMBEDDED_DIRECTORY / "scorer", "cpu", "float32")


class TestDrawingPainter(PainterConformance):
    @pytest.fixture
    def make(self) -> MakePainter:
        return lambda batch: DrawingPainter(SkewTable.from_seed(3), batch)


class TestEmbeddedScorer(ScorerConformance):
    pass


@pytest.mark.parametrize("source", ["drawing:", "drawing:-1", "drawing:x"])
def test_an_unknown_table_of_skews_is_refused(source: str) -> None:
    with pytest.raises(InputError, match="table of skews"):
        load_drawing_painter(source, 4)


def test_the_ideal_painter_shows_the_planted_skew(scorer: OpenClipScorer) -> None:
    painter = load_drawing_painter("drawing:planted", 16)
    images = paint_prompts(painter, ["a firefighter"] * 64, 0)
    texts = scorer.embed_texts(["a male firefighter", "a female firefighter"]).vectors
    seen = texts @ scorer.embed_images(torch.from_numpy(images).permute(0, 3, 1, 2)).T
    assert (seen.argmax(axis=0) == 0).mean() > 0.9


def test_the_scorer_reads_drawings(scorer: OpenClipScorer) -> None:
    held_out = even_pictures(128, np.random.default_rng(5))
    accuracy = read_by_scorer(scorer, held_out.pixels, held_out.shown)
    assert all(read > READ_BY_SCORER[name][0] - 0.05 for name, read in accuracy.items()), accuracy


def test_what_the_scorer_sees_adds_up_and_nothing_is_overlooked(scorer: OpenClipScorer) -> None:
    told = telling(scorer, 5)
    assert told.explained > 0.8
    assert told.least > 0.4, told.least_name


def test_the_painter_obeys_what_is_stated(painter: DiffusersPainter, scorer: OpenClipScorer) -> None:
    rng = np.random.default_rng(6)
    shown = [random_prompt(rng, 1.0) for _ in range(96)]
    accuracy = read_by_scorer(scorer, paint_prompts(painter, [m.text() for m in shown], 300), shown)
    assert all(read > READ_BY_SCORER[name][1] - 0.12 for name, read in accuracy.items()), accuracy


def test_every_subject_can_be_painted(painter: DiffusersPainter, scorer: OpenClipScorer) -> None:
    images = paint_prompts(painter, [Meaning(s).text() for s in SUBJECTS] * 2, 700)
    texts = scorer.embed_texts([Meaning(s).text() for s in SUBJECTS]).vectors
    read = (scorer.embed_images(torch.from_numpy(images).permute(0, 3, 1, 2)) @ texts.T).argmax(axis=1)
    assert (read == np.tile(np.arange(len(SUBJECTS)), 2)).mean() > 0.7


def test_training_pairs_obey_their_prompt_only_where_it_says_something() -> None:
    pictures, prompts = painter_examples(64, SkewTable.planted(), np.random.default_rng(8))
    for shown, prompt in zip(pictures.shown, prompts, strict=True):
        said = parse(prompt)
        assert said is not None
        assert shown.keeps(said)


def test_the_recipe_builds_a_pack_that_the_adapters_load(tmp_path: Path) -> None:
    lines: list[str] = []
    build_pack(
        tmp_path,
        SkewTable.from_seed(9),
        seed=1,
        steps=Steps(
            pictures=256,
            examples=64,
            vae=3,
            eyes=2,
            decoder=2,
            scorer=(3, 2, 1),
            families=16,
            painter=(2, 1),
            writer=2,
        ),
        device=torch.device("cpu"),
        report=lines.append,
        reuse=None,
    )
    assert [line for line in lines if line.startswith("painter: step")][-1].startswith("painter: step 1/1")
    assert read_pack_file(tmp_path).name == "micro"
    painter = load_painter(str(tmp_path / "painter"), PainterSettings(steps=1, guidance=1.0, batch_size=2))
    assert paint_prompts(painter, ["a cat"], 1).shape == (1, 64, 64, 3)


def test_the_tokenizer_learns_the_same_merges_whatever_the_order_of_ties() -> None:
    assert learn_merges(["at", "cat", "tac"]) == [
        ("a", "t</w>"),
        ("a", "c</w>"),
        ("c", "at</w>"),
        ("t", "ac</w>"),
    ]


def test_no_file_of_the_pack_tells_where_it_was_made() -> None:
    files = [path for path in EMBEDDED_DIRECTORY.rglob("*.json") if path.is_file()]
    assert files
    assert [path for path in files if "_name_or_path" in path.read_text("utf-8")] == []
