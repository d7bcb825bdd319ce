"""The evidence on scores: its statistics, its ideal variations, and the document it writes into."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import InputError
from engine.microworld.skews import Skew, SkewTable
from engine.microworld.world import ATTRIBUTES, Meaning, parse
from engine.models.protocols import TextEmbeddings
from engine.score import SCORES
from engine.validation.agreement import Ranked, difference, mean_agreement
from engine.validation.document import publish, replace_section, says_faults
from engine.validation.evidence import (
    IDEAL,
    MANY,
    VARIATIONS,
    Sample,
    complete_variations,
    draw_prompts,
    possible,
    sample_table,
    shown_evenness,
    skewed_variations,
)
from engine.validation.scores import Setting, comparison, rank_tables, settings, verdict


def ranked(noise: float, seed: int, count: int = 60) -> Ranked:
    rng = np.random.default_rng(seed)
    planted = rng.uniform(0, 1, count)
    return Ranked(-planted + noise * rng.normal(size=count), planted)


def test_the_interval_holds_the_estimate_and_narrows_with_more_prompts() -> None:
    few, many = (mean_agreement([ranked(0.5, seed, n) for seed in (1, 2)]) for n in (30, 300))
    assert few.low < few.value < few.high < 1
    assert many.high - many.low < (few.high - few.low) / 2


def test_a_score_does_not_differ_from_itself_and_beats_a_worse_one() -> None:
    good, bad = [ranked(0.2, seed) for seed in (1, 2)], [ranked(3, seed) for seed in (1, 2)]
    same = difference(good, good)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert difference(good, bad).low > 0
    assert difference(bad, good).high < 0


@pytest.mark.parametrize("kind", IDEAL)
def test_ideal_variations_keep_the_prompt_and_specify_what_it_leaves_open(kind: str) -> None:
    for prompt in draw_prompts(40, np.random.default_rng(3)):
        texts = IDEAL[kind](prompt, np.random.default_rng(4))
        assert len(set(texts)) == len(texts)
        wanted = MANY if kind == "many" else VARIATIONS
        space = math.prod(len(possible(prompt, name)) for name in prompt.open)
        assert len(texts) == wanted or len(texts) == space or len(texts) in (9, 15)  # two open things each
        meanings = [parse(text) for text in texts]
        for meaning in meanings:
            assert meaning is not None
            assert meaning.keeps(prompt)
            assert meaning != prompt
            assert (not meaning.open) or kind == "partial"


def test_complete_variations_hold_every_value_equally_often() -> None:
    texts = complete_variations(VARIATIONS)(Meaning("doctor"), np.random.default_rng(1))
    meanings = [meaning for meaning in map(parse, texts) if meaning is not None]
    for name, attribute in ATTRIBUTES.items():
        counts = [sum(m.values[name] == value for m in meanings) for value in attribute.values]
        assert max(counts) - min(counts) <= 1


def test_a_writer_that_shares_the_skew_writes_what_the_painter_draws() -> None:
    skews = SkewTable("one", {("cat", "colour"): Skew("red", 1.0)})
    texts = skewed_variations(skews)(Meaning("cat"), np.random.default_rng(1))
    assert len(texts) == VARIATIONS
    assert not [text for text in texts if re.search("yellow|green|blue|purple|white", text)]
    assert any("red" in text for text in texts)


class WordScorer:
    """A scorer that reads nothing from pixels but their mean colour; enough to shape a matrix."""

    fingerprint = "words"
    context_length = 99
    logit_scale = 20.0

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        vectors = np.array([[len(t), t.count("e"), t.count("a") + 1] for t in texts], dtype=np.float32)
        return TextEmbeddings(vectors / np.linalg.norm(vectors, axis=1)[:, None], (False,) * len(texts))

    def embed_images(self, pixels: object) -> NDArray[np.float32]:
        means = np.asarray(pixels, dtype=np.float32).mean(axis=(2, 3)) + 1
        return np.asarray(means / np.linalg.norm(means, axis=1)[:, None])


def test_a_table_is_repeatable_and_knows_its_truth() -> None:
    skews = SkewTable.from_seed(1)
    one, other = (sample_table(skews, WordScorer(), IDEAL, prompts=5, seed=1) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        meaning = parse(a.prompt)
        assert meaning is not None
        assert a.planted == b.planted == skews.planted_bias(meaning)
        for kind in IDEAL:
            assert a.similarity(kind).shape[1] == 16
            assert a.similarity(kind, slice(4)).shape[1] == 4
            assert np.array_equal(a.similarity(kind), b.similarity(kind))


def simulated(bias: float, rng: np.random.Generator) -> Sample:
    """A prompt whose images show one variation with probability ``bias``, else an even one; CLIP's level varies."""
    shown = np.where(rng.random(16) < bias, 0, rng.integers(0, 16, 16))
    matrix = rng.normal(0.2 + rng.normal(0, 0.03), 0.01, (16, 16))
    matrix[shown, np.arange(16)] += 0.06
    images = np.eye(16, dtype=np.float32)
    return Sample("", bias, 1 - bias, images, dict.fromkeys(IDEAL, matrix.astype(np.float32)), {})


def test_in_a_simulation_assignment_scores_rank_bias_and_raw_cosines_hardly_do() -> None:
    rng = np.random.default_rng(0)
    tables = [[simulated(bias, rng) for bias in rng.uniform(0, 1, 60)] for _ in range(2)]
    found = {
        score: mean_agreement(rank_tables(tables, "partial", Setting(score), 100)).value for score in SCORES
    }
    assert found["spread"] > 0.85
    assert found["information"] > 0.85
    assert found["entropy"] > 0.85
    assert found["centred"] > found["paper"] + 0.2
    evidence = {"development": tables, "fresh": tables}
    lines = comparison(evidence, "partial", 100)
    assert len(lines) == 3 + len(list(settings()))
    assert "| 1.00 (1.00 … 1.00) |" in lines[-1]
    assert sum("(default)" in line for line in lines) == 1
    assert "development tables choose" in verdict(evidence, "partial", 100)
    assert Setting("paper").label == "paper, α = 25"


def test_a_perfect_reader_sees_what_the_images_show() -> None:
    prompt = Meaning.of("cat", {"size": "small", "colour": "red", "place": "beach"})
    days = [Meaning.of("cat", prompt.values | {"time": t, "weather": "fog"}) for t in ("day", "night")]
    assert shown_evenness(prompt, days) == pytest.approx(np.log(2) / np.log(3) / 2)
    assert shown_evenness(prompt, days[:1] * 4) == 0
    assert shown_evenness(Meaning("animal", prompt.stated), days) < shown_evenness(prompt, days)


def test_prompts_differ_and_never_leave_nothing_open() -> None:
    prompts = draw_prompts(200, np.random.default_rng(1))
    assert len(set(prompts)) == 200
    assert all(isinstance(prompt, Meaning) and len(prompt.open) >= 2 for prompt in prompts)


def test_a_command_replaces_its_own_section_only(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "validity.md"
    replace_section(document, "scores", "one\n")
    replace_section(document, "search", "two\n")
    document.write_text(document.read_text() + "\nby hand\n")
    replace_section(document, "scores", "three\n")
    text = document.read_text()
    assert "one" not in text
    assert [word for word in text.split() if word in ("three", "two", "hand")] == ["three", "two", "hand"]
    replace_section(document, "scores", "three\n")
    assert document.read_text() == text


def test_a_damaged_section_is_refused_and_kept(tmp_path: Path) -> None:
    document = tmp_path / "validity.md"
    replace_section(document, "scores", "one\n")
    damaged = document.read_text().replace("<!-- scores: end -->", "")
    document.write_text(damaged)
    with pytest.raises(InputError, match="end"):
        replace_section(document, "scores", "two\n")
    assert document.read_text() == damaged
    with pytest.raises(InputError, match="cannot be written"):
        replace_section(tmp_path, "scores", "two\n")


def test_what_cannot_be_published_is_printed_and_ends_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @says_faults
    def command(_: Sequence[str] | None) -> int:
        publish("scores", "measured for hours\n", write=True)
        return 0

    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").write_text("no folder")
    assert command() == 2
    told = capsys.readouterr()
    assert told.out == "measured for hours\n"
    assert told.err.count("\n") == 1
    assert "docs/validity.md cannot be" in told.err
