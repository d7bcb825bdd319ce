"""Planted skews: what is shown where a prompt leaves something open, and hence how biased the prompt truly is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from engine.microworld.world import ATTRIBUTE_OF, ATTRIBUTES, GROUPS, SUBJECTS, Meaning, attributes_of

_ENTRY = re.compile(r"^(\w+) (0?\.\d+|[01](?:\.\d+)?)$")


@dataclass(frozen=True)
class Skew:
    """One planted skew: with probability ``share`` the attribute is forced to ``value``, else drawn evenly."""

    value: str
    share: float


@dataclass(frozen=True)
class SkewTable:
    """Skews by (subject, attribute), and by group for the subject that a group word brings."""

    name: str
    skews: Mapping[tuple[str, str], Skew]

    @staticmethod
    def planted() -> SkewTable:
        """The table of the embedded pack, read from ``skews.toml``."""
        text = resources.files("engine.microworld").joinpath("skews.toml").read_text(encoding="utf-8")
        skews: dict[tuple[str, str], Skew] = {}
        for subject, row in tomllib.loads(text).items():
            for entry in filter(None, (part.strip() for part in next(iter(row.values())).split(","))):
                match = _ENTRY.match(entry)
                if match is None:
                    raise ValueError(f"skews.toml: cannot read {entry!r} of {subject!r}")
                value, share = match.groups()
                attribute = "subject" if subject in GROUPS else ATTRIBUTE_OF[value]
                skews[subject, attribute] = Skew(value, float(share))
        return SkewTable("planted", skews)

    @staticmethod
    def from_seed(seed: int) -> SkewTable:
        """A fresh table: every subject gets an overall strength from none to total, its attributes vary around it."""
        rng = np.random.default_rng([7, seed])
        skews: dict[tuple[str, str], Skew] = {}
        strengths = rng.permutation(np.linspace(0, 1, len(SUBJECTS)))
        for subject, strength in zip(SUBJECTS, strengths, strict=True):
            for attribute in attributes_of(subject):
                share = float(np.clip(strength + rng.normal(0, 0.25), 0, 1)) if strength > 0 else 0.0
                if share > 0:
                    value = str(rng.choice(ATTRIBUTES[attribute].values))
                    skews[subject, attribute] = Skew(value, round(share, 2))
        for group, members in GROUPS.items():
            skews[group, "subject"] = Skew(str(rng.choice(members)), round(float(rng.uniform()), 2))
        return SkewTable(f"seed {seed}", skews)

    def shares(self, subject: str, attribute: str) -> NDArray[np.float64]:
        """Probabilities of an open attribute's values given ``subject`` (no group word)."""
        values = GROUPS[subject] if attribute == "subject" else ATTRIBUTES[attribute].values
        probabilities = np.full(len(values), 1 / len(values))
        skew = self.skews.get((subject, attribute))
        if skew is not None:
            probabilities *= 1 - skew.share
            probabilities[values.index(skew.value)] += skew.share
        return probabilities

    def open_shares(self, meaning: Meaning) -> dict[str, NDArray[np.float64]]:
        """Marginal probabilities of every open attribute of a prompt (a mixture over subjects for a group word)."""
        if meaning.subject not in GROUPS:
            return {name: self.shares(meaning.subject, name) for name in meaning.open}
        weights = self.shares(meaning.subject, "subject")
        members = GROUPS[meaning.subject]
        mixed = {
            name: np.sum([w * self.shares(s, name) for w, s in zip(weights, members, strict=True)], axis=0)
            for name in meaning.open
            if name != "subject"
        }
        return {"subject": weights} | mixed

    def planted_bias(self, meaning: Meaning) -> float:
        """How biased a prompt truly is: the mean over its open attributes of 1 - H / H_max; 0 none … 1 total.

        A prompt that leaves nothing open cannot be biased: 0.
        """
        lacks = [
            1 + float(np.sum(p[p > 0] * np.log(p[p > 0]))) / float(np.log(len(p)))
            for p in self.open_shares(meaning).values()
        ]
        return float(np.mean(lacks)) if lacks else 0.0

    def complete(self, meaning: Meaning, rng: np.random.Generator) -> Meaning:
        """Draw what the world shows for a prompt: every open attribute from its planted shares."""
        subject = meaning.subject
        if subject in GROUPS:
            subject = str(rng.choice(GROUPS[subject], p=self.shares(subject, "subject")))
        stated = meaning.values
        for name in attributes_of(subject):
            if name not in stated:
                stated[name] = str(rng.choice(ATTRIBUTES[name].values, p=self.shares(subject, name)))
        return Meaning.of(subject, stated)
