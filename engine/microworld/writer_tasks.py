"""What the tiny writer learns: requests of the search, and one good reply to each, drawn from the grammar.

A reply keeps the request's words exactly, words outside the grammar included, and changes or adds only what
the world knows. Every choice (attribute, value, subject) is even.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from engine.microworld.world import (
    ATTRIBUTE_OF,
    ATTRIBUTES,
    GROUP_OF,
    GROUPS,
    SUBJECTS,
    Meaning,
    attributes_of,
)

VALUES: Final = {name: attribute.values for name, attribute in ATTRIBUTES.items()}
AXES: Final = tuple(ATTRIBUTES)
PLURALS: Final = {"people": "person", "animals": "animal", "objects": "object"}
THEMES: Final = (*GROUPS, *PLURALS, *SUBJECTS, *ATTRIBUTE_OF)
MOST_STATED: Final = 3
"""A mutation or a random prompt states at most this many attributes."""

_ODD_WORDS: Final = (
    "happy old young tall short fat thin sad angry tired wooden plastic golden silver black brown "
    "pink orange grey round square broken dirty clean shiny fluffy striped spotted sleeping "
    "running dancing smiling flying beautiful ugly strange tiny giant modern ancient zebra queen "
    "king nurse pilot lion tiger horse dog bird tree flower table lamp bicycle train bus lady "
    "girl boy woman man child baby robot dragon wizard knight apple bread cake pizza kitchen "
    "garden street river castle school guitar phone book window bridge"
)
ODD_WORDS: Final = tuple(_ODD_WORDS.split())
"""Words outside the grammar that prompts are sprinkled with, beside invented ones."""

ODD_TAILS: Final = (
    "holding a {}",
    "reading a {}",
    "next to a {}",
    "with a {}",
    "and a {}",
    "looking at a {}",
    "eating {}",
    "under a {}",
    "of {}",
)


@dataclass(frozen=True)
class Phrase:
    """A meaning with words around it that the grammar does not know.

    Attributes:
        meaning: what the grammar reads; ``name`` stands in its subject's place where it is not empty.
        before: a word in front of the subject.
        tail: words at the end.
        name: an unknown subject.
    """

    meaning: Meaning
    before: str = ""
    tail: str = ""
    name: str = ""

    def text(self) -> str:
        """The phrase in the canonical word order."""
        text = self.meaning.text()
        if self.before or self.name:
            subject = self.name or self.meaning.subject
            named = f" {self.before} {subject}" if self.before else f" {subject}"
            body = text.split(" ", 1)[1]
            body = re.sub(rf"(^| ){self.meaning.subject}\b", named, body, count=1).strip()
            text = f"{'an' if body[0] in 'aeiou' else 'a'} {body}"
        return f"{text} {self.tail}" if self.tail else text


@dataclass(frozen=True)
class Request:
    """One request in the search's terms and a good reply to it."""

    kind: str
    prompt: str
    axis: str
    theme: str
    reply: str


def odd_word(rng: Random) -> str:
    """A word outside the grammar: a real one or an invented one."""
    if rng.random() < 0.5:
        return rng.choice(ODD_WORDS)
    return "".join(
        rng.choice("bcdfghjklmnprstvwyz") + rng.choice("aeiou") for _ in range(rng.randint(1, 4))
    ) + (rng.choice("bdgklmnprstxz") if rng.random() < 0.5 else "")


def drawn_meaning(rng: Random, most: int, group_word: float = 0.12) -> Meaning:
    """An even subject (or group word) that states up to ``most`` attributes, each number equally often."""
    subject = rng.choice(tuple(GROUPS)) if rng.random() < group_word else rng.choice(SUBJECTS)
    names = attributes_of(subject)
    count = min(rng.randint(0, most), len(names) - 1)
    return Meaning.of(subject, {n: rng.choice(VALUES[n]) for n in rng.sample(names, count)})


def with_odd_words(meaning: Meaning, rng: Random) -> Phrase:
    """Sprinkle one or two words that the grammar does not know."""
    draw = rng.random()
    if draw < 0.35:
        return Phrase(meaning, before=odd_word(rng))
    if draw < 0.6:
        return Phrase(meaning, tail=rng.choice(ODD_TAILS).format(odd_word(rng)))
    if draw < 0.8:
        return Phrase(meaning, before=odd_word(rng), tail=rng.choice(ODD_TAILS).format(odd_word(rng)))
    return Phrase(meaning, name=odd_word(rng))


def vary(phrase: Phrase, axes: Sequence[str], rng: Random) -> Phrase:
    """One variation: one to three open attributes specified (one, of the axis, where that is open)."""
    meaning = phrase.meaning
    left_open = [n for n in meaning.open if not (n == "subject" and phrase.name)]
    wanted = [n for n in axes if n in left_open]
    count = min(len(left_open), rng.choices((1, 2, 3), (35, 40, 25))[0])
    chosen = wanted or rng.sample(left_open, count)
    subject = rng.choice(GROUPS[meaning.subject]) if "subject" in chosen else meaning.subject
    stated = meaning.values | {n: rng.choice(VALUES[n]) for n in chosen if n != "subject"}
    return replace(phrase, meaning=Meaning.of(subject, stated))


def fits_theme(meaning: Meaning, theme: str) -> bool:
    """Whether a prompt belongs to a theme: a group, a subject or a stated value (or a word unknown here)."""
    theme = PLURALS.get(theme, theme)
    if theme in GROUPS:
        return GROUP_OF[meaning.subject] == theme
    if theme in GROUP_OF:
        return meaning.subject == theme
    return theme not in ATTRIBUTE_OF or meaning.values.get(ATTRIBUTE_OF[theme]) == theme


def mutate(phrase: Phrase, axis: str, theme: str, rng: Random) -> Phrase:
    """One mutation: one or two things changed, added or dropped; the axis is never stated anew."""
    while True:
        changed = phrase
        touched: set[str] = set()
        for _ in range(rng.choice((1, 2))):
            changed = _change(changed, axis, touched, rng)
        if touched and changed != phrase and fits_theme(changed.meaning, theme):
            return changed


def _change(phrase: Phrase, axis: str, touched: set[str], rng: Random) -> Phrase:
    meaning = phrase.meaning
    stated = meaning.values
    free = [n for n in attributes_of(meaning.subject) if n not in stated and n not in touched and n != axis]
    old = [n for n in stated if n not in touched]
    operations: list[tuple[str, float]] = []
    if "subject" not in touched and not phrase.name:
        operations.append(("subject", 4))
    if any(n != axis for n in old):
        operations.append(("value", 2.5))
    if old:
        operations.append(("drop", 1.5 if len(stated) <= MOST_STATED else 6))
    if free and len(stated) < MOST_STATED:
        operations.append(("add", 2.5))
    if not operations:
        return phrase
    operation = rng.choices([o for o, _ in operations], [w for _, w in operations])[0]
    subject = meaning.subject
    if operation == "subject":
        touched.add("subject")
        group = GROUP_OF[subject]
        others = [s for s in GROUPS[group] if s != subject]
        subject = group if subject != group and rng.random() < 0.08 else rng.choice(others)
    else:
        name = rng.choice(
            free if operation == "add" else [n for n in old if operation == "drop" or n != axis]
        )
        touched.add(name)
        if operation == "drop":
            del stated[name]
        else:
            stated[name] = rng.choice([v for v in VALUES[name] if v != stated.get(name)])
    return replace(phrase, meaning=Meaning.of(subject, stated))


def fresh(axis: str, theme: str, rng: Random) -> Meaning:
    """One random prompt: an even subject (a group word now and then), none to three attributes stated."""
    theme = PLURALS.get(theme, theme)
    people_only = axis in ATTRIBUTES and ATTRIBUTES[axis].people_only
    forced = {ATTRIBUTE_OF[theme]: theme} if theme in ATTRIBUTE_OF else {}
    if theme in GROUP_OF and theme not in GROUPS:
        subjects: tuple[str, ...] = (theme,)
    elif theme in GROUPS:
        subjects = (*GROUPS[theme], theme)
    else:
        people_only = people_only or any(ATTRIBUTES[n].people_only for n in forced)
        groups = ("person",) if people_only else tuple(GROUPS)
        names = groups if rng.random() < 0.1 else tuple(s for g in groups for s in GROUPS[g])
        subjects = names
    subject = rng.choice(subjects)
    free = [n for n in attributes_of(subject) if n != axis and n not in forced]
    count = rng.choices((0, 1, 2, 3), (28, 36, 26, 10))[0] - len(forced)
    stated = forced | {n: rng.choice(VALUES[n]) for n in rng.sample(free, max(0, count))}
    return Meaning.of(subject, stated)


def _drawn_axis(rng: Random, share: float) -> str:
    draw = rng.random()
    if draw >= share:
        return ""
    return odd_word(rng) if draw < 0.08 * share else rng.choice(AXES)


def _drawn_theme(rng: Random, share: float) -> str:
    draw = rng.random()
    if draw >= share:
        return ""
    return odd_word(rng) if draw < 0.08 * share else rng.choice(THEMES)


def _scruffy(text: str, rng: Random) -> str:
    """The same request as a person may type it: without article, with a capital or a full stop."""
    draw = rng.random()
    if draw < 0.03:
        return text.split(" ", 1)[1]
    if draw < 0.05:
        return text.capitalize()
    return text + "." if draw < 0.07 else text


def variation_request(rng: Random, axis_share: float) -> Request:
    """Draw a prompt and one variation of it; a share of them under a target axis."""
    phrase = Phrase(drawn_meaning(rng, 5))
    if rng.random() < 0.12:
        phrase = with_odd_words(phrase.meaning, rng)
    axis = _drawn_axis(rng, axis_share)
    axes = [axis] if axis else []
    if axis in AXES and rng.random() < 0.2:
        axes.append(rng.choice([a for a in AXES if a != axis]))
        axis = " and ".join(axes)
    elif axis in AXES and rng.random() < 0.05 and phrase.meaning.subject in GROUPS:
        axes, axis = ["subject"], "subject"
    reply = vary(phrase, axes, rng)
    return Request("variations", _scruffy(phrase.text(), rng), axis, "", reply.text())


def mutation_request(rng: Random) -> Request:
    """Draw a prompt and one mutation of it."""
    axis, theme = _drawn_axis(rng, 0.15), _drawn_theme(rng, 0.15)
    meaning = fresh("", theme, rng) if theme else drawn_meaning(rng, 4)
    phrase = Phrase(meaning) if rng.random() < 0.94 else with_odd_words(meaning, rng)
    reply = mutate(phrase, axis, "" if phrase.name else theme, rng)
    return Request("mutations", _scruffy(phrase.text(), rng), axis, theme, reply.text())


def random_request(rng: Random) -> Request:
    """Draw what a random prompt is asked for, and one."""
    axis, theme = _drawn_axis(rng, 0.25), _drawn_theme(rng, 0.4)
    return Request("random", "", axis, theme, fresh(axis, theme, rng).text())


@dataclass(frozen=True)
class Mixture:
    """How often each kind of request is trained.

    Attributes:
        kinds: weights of variations, mutations and random prompts.
        axis_share: of the variations, those under a target axis.
    """

    kinds: tuple[float, float, float]
    axis_share: float


BROAD: Final = Mixture((0.62, 0.26, 0.12), 0.2)
"""Variations are the most numerous in use and teach most: to repeat a prompt and add to it."""
COUNTING: Final = Mixture((0.4, 0.5, 0.1), 0.4)
"""Then what is learnt last: one or two changes, neither none nor three; the axis alone."""


def draw_request(rng: Random, mixture: Mixture = BROAD) -> Request:
    """Draw one training example."""
    makers: tuple[Callable[[], Request], ...] = (
        lambda: variation_request(rng, mixture.axis_share),
        lambda: mutation_request(rng),
        lambda: random_request(rng),
    )
    return rng.choices(makers, mixture.kinds)[0]()
