"""How well the tiny writer does its task, measured on the real file through the real adapter."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

from engine.microworld.world import ATTRIBUTE_OF, ATTRIBUTES, GROUP_OF, GROUPS, SUBJECTS, Meaning, parse
from engine.microworld.writer_tasks import drawn_meaning, with_odd_words
from engine.microworld.writer_training import pack_prompts
from engine.models.protocols import Direction, Exchange
from engine.models.replies import clean_reply, words
from engine.models.writer import LlamaWriter, WriterSettings, load_writer

ANYWHERE = Direction()


@dataclass(frozen=True)
class WriterMeasures:
    """Shares are 0 … 1 and of raw drawn replies, before any check or retry, unless said otherwise.

    Attributes:
        variations: number of raw variations judged.
        keeps: variations that keep everything the prompt states.
        in_grammar: variations that keep it, add one to three things and hold no word the world does not know.
        sixteen: prompts (after retries) with 16 distinct accepted variations, of those with 32 completions.
        attribute_evenness: entropy of which attribute is added, over its maximum; mean over prompts.
        value_evenness: the same of the values added, for the least even attribute.
        subject_evenness: the same of the subjects that a group word brings, for the least even group.
        axis_only: variations under a target axis that specify this axis and nothing else.
        odd_words_kept: words outside the grammar that a variation repeats.
        mutations_near: accepted mutations that change one or two things and keep the rest.
        mutations_near_raw: the same of raw replies.
        random_parsed: random prompts in the grammar.
        random_subjects: subjects (of 32) among 600 random prompts.
        random_values: attribute values (of 27) among them.
        theme_kept: random prompts that belong to the theme asked for.
        seconds: for 16 variations of one prompt, on one thread.
    """

    variations: int
    keeps: float
    in_grammar: float
    sixteen: float
    attribute_evenness: float
    value_evenness: float
    subject_evenness: float
    axis_only: float
    odd_words_kept: float
    mutations_near: float
    mutations_near_raw: float
    random_parsed: float
    random_subjects: int
    random_values: int
    theme_kept: float
    seconds: float

    def rows(self) -> list[tuple[str, str]]:
        """Name and figure of each measure, for the model card."""
        shown = [(f.name.replace("_", " "), getattr(self, f.name)) for f in fields(self)]
        return [(name, str(value) if isinstance(value, int) else f"{value:.3f}") for name, value in shown]


def measure_writer(path: Path | None = None, *, prompts: int = 96, seed: int = 1) -> WriterMeasures:
    """Measure a writer file (default: the embedded pack's).

    Args:
        path: the GGUF file.
        prompts: number of prompts varied; other measures take numbers in proportion.
        seed: of prompts and draws.
    """
    where = path or Path(str(resources.files("engine.microworld").joinpath("pack").joinpath("writer.gguf")))
    writer = load_writer(where, WriterSettings(threads=1, prompts=pack_prompts()))
    rng = Random(seed)
    try:
        varied = _measure_variations(writer, prompts, rng)
        return WriterMeasures(
            **varied,
            axis_only=_axis_only(writer, prompts // 3, rng),
            odd_words_kept=_odd_words_kept(writer, prompts // 3, rng),
            **_measure_mutations(writer, prompts, rng),
            **_measure_random(writer),
            theme_kept=_theme_kept(writer),
        )
    finally:
        writer.close()


def things_changed(old: Meaning, new: Meaning) -> int:
    """Number of things (subject, each attribute) in which two meanings differ."""
    before, after = old.values, new.values
    changed = sum(before.get(name) != after.get(name) for name in ATTRIBUTES)
    return changed + (old.subject != new.subject)


def completions(meaning: Meaning) -> int:
    """Number of variations that specify one to three of a prompt's open attributes."""
    sizes = [
        len(GROUPS[meaning.subject]) if name == "subject" else len(ATTRIBUTES[name].values)
        for name in meaning.open
    ]
    chosen = itertools.chain.from_iterable(itertools.combinations(sizes, count) for count in (1, 2, 3))
    return sum(math.prod(some) for some in chosen)


def evenness(counts: Iterable[int]) -> float:
    """Entropy of counts over its maximum, 1 for equal counts; 1 where there is nothing to choose from."""
    numbers = list(counts)
    total = sum(numbers)
    if len(numbers) < 2 or total == 0:
        return 1.0
    return -sum(n / total * math.log(n / total) for n in numbers if n) / math.log(len(numbers))


def added(prompt: Meaning, reply: Meaning) -> dict[str, str]:
    """What a variation specifies that its prompt leaves open, by attribute (``subject`` for a group word)."""
    stated = prompt.values
    new = {name: value for name, value in reply.stated if name not in stated}
    return new | ({"subject": reply.subject} if reply.subject != prompt.subject else {})


def _replies(exchanges: Iterable[Exchange]) -> list[str]:
    return [clean_reply(exchange.reply) for exchange in exchanges]


def _measure_variations(writer: LlamaWriter, prompts: int, rng: Random) -> dict[str, Any]:
    kept: list[bool] = []
    grammatical: list[bool] = []
    full: list[bool] = []
    attribute_evenness: list[float] = []
    seconds: list[float] = []
    values: dict[str, Counter[str]] = {name: Counter() for name in (*ATTRIBUTES, *GROUPS)}
    for number in range(prompts):
        prompt = drawn_meaning(rng, 3, group_word=0.2)
        started = time.perf_counter()
        written = writer.variations(prompt.text(), 16, 2 * number, ANYWHERE)
        if len(written.exchanges) == 16:
            seconds.append(time.perf_counter() - started)
        if completions(prompt) >= 32:
            full.append(len(written.texts) == 16)
        attributes = Counter(dict.fromkeys(prompt.open, 0))
        for text in _replies(written.exchanges):
            meaning = parse(text)
            keeps = meaning is not None and meaning.keeps(prompt)
            kept.append(keeps)
            if meaning is None or not keeps:
                grammatical.append(False)
                continue
            new = added(prompt, meaning)
            grammatical.append(1 <= len(new) <= 3 and text == meaning.text())
            for name, value in new.items():
                attributes[name] += 1
                values[GROUP_OF[value] if name == "subject" else name][value] += 1
        attribute_evenness.append(evenness(attributes.values()))
    return {
        "variations": len(kept),
        "keeps": _mean(kept),
        "in_grammar": _mean(grammatical),
        "sixteen": _mean(full),
        "attribute_evenness": _mean(attribute_evenness),
        "value_evenness": min(evenness(values[n][v] for v in ATTRIBUTES[n].values) for n in ATTRIBUTES),
        "subject_evenness": min(evenness(values[g][s] for s in members) for g, members in GROUPS.items()),
        "seconds": sorted(seconds)[len(seconds) // 2] if seconds else math.nan,
    }


def _axis_only(writer: LlamaWriter, prompts: int, rng: Random) -> float:
    right: list[bool] = []
    for number in range(prompts):
        prompt = drawn_meaning(rng, 3, group_word=0.0)
        axis = rng.choice(prompt.open)
        written = writer.variations(prompt.text(), 4, 2 * number, Direction(axis=axis))
        for text in _replies(written.exchanges):
            meaning = parse(text)
            right.append(
                meaning is not None and meaning.keeps(prompt) and added(prompt, meaning).keys() == {axis}
            )
    return _mean(right)


def _odd_words_kept(writer: LlamaWriter, prompts: int, rng: Random) -> float:
    kept: list[bool] = []
    for number in range(prompts):
        phrase = with_odd_words(drawn_meaning(rng, 2), rng)
        odd = [*words(phrase.before), *words(phrase.tail), *words(phrase.name)]
        for text in _replies(writer.variations(phrase.text(), 4, 2 * number, ANYWHERE).exchanges[:4]):
            kept += [word in words(text) for word in odd]
    return _mean(kept)


def _measure_mutations(writer: LlamaWriter, prompts: int, rng: Random) -> dict[str, Any]:
    near: list[bool] = []
    raw: list[bool] = []
    for number in range(prompts):
        prompt = drawn_meaning(rng, 3)
        written = writer.mutations(prompt.text(), 4, 2 * number, ANYWHERE)
        near += [_is_near(prompt, text) for text in written.texts]
        raw += [_is_near(prompt, text) for text in _replies(written.exchanges)]
    return {"mutations_near": _mean(near), "mutations_near_raw": _mean(raw)}


def _is_near(prompt: Meaning, text: str) -> bool:
    meaning = parse(text)
    return meaning is not None and text == meaning.text() and 1 <= things_changed(prompt, meaning) <= 2


def _measure_random(writer: LlamaWriter) -> dict[str, Any]:
    texts = [
        t for n in range(6) for t in _replies(writer.random_prompts(100, 2 * n, ANYWHERE).exchanges[:100])
    ]
    meanings = [meaning for meaning in map(parse, texts) if meaning is not None]
    parsed = sum(
        meaning is not None and meaning.text() == text for text in texts for meaning in [parse(text)]
    )
    return {
        "random_parsed": parsed / len(texts),
        "random_subjects": len({m.subject for m in meanings} & set(SUBJECTS)),
        "random_values": len({value for m in meanings for _, value in m.stated}),
    }


def _theme_kept(writer: LlamaWriter) -> float:
    kept: list[bool] = []
    for number, theme in enumerate((*GROUPS, *SUBJECTS[::4], *ATTRIBUTE_OF)):
        for text in _replies(writer.random_prompts(4, 2 * number, Direction(theme=theme)).exchanges[:4]):
            meaning = parse(text)
            named: tuple[str, ...] = ()
            if meaning is not None:
                named = (meaning.subject, GROUP_OF[meaning.subject], *meaning.values.values())
            kept.append(theme in named)
    return _mean(kept)


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found) if found else math.nan


if __name__ == "__main__":
    for name, figure in measure_writer(Path(sys.argv[1]) if len(sys.argv) > 1 else None).rows():
        sys.stdout.write(f"{name:20} {figure}\n")
