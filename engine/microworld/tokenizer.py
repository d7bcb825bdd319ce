"""The pack's CLIP tokenizer: every word of the grammar is one token, every other text falls back to bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from engine.microworld.world import ATTRIBUTES, GROUPS, SUBJECTS

CONTEXT: Final = 24
START: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"


def grammar_words() -> list[str]:
    """Every word that a prompt of the grammar may hold, in a fixed order."""
    texts = ["a an", *SUBJECTS, *GROUPS, *(p for a in ATTRIBUTES.values() for p in a.phrases.values())]
    return sorted({word for text in texts for word in text.split()})


def learn_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Byte-pair merges that make every word one token; the commonest pair first, ties by the alphabet.

    The library's own trainer breaks ties by its hash tables, so that two runs would not give one tokenizer.
    """
    spelled = [[*word[:-1], f"{word[-1]}</w>"] for word in words]
    merges: list[tuple[str, str]] = []
    while pairs := Counter(pair for parts in spelled for pair in pairwise(parts)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_merged(parts, best) for parts in spelled]
    return merges


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def new_clip_tokenizer() -> CLIPTokenizer:
    """Build the tokenizer: CLIP's own byte-pair scheme with merges learnt from the grammar's words.

    CLIP pools at the highest token id, so the end mark comes last in the vocabulary.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = learn_merges(grammar_words())
    pieces = [*alphabet, *(letter + "</w>" for letter in alphabet), *(a + b for a, b in merges)]
    vocabulary = {piece: i for i, piece in enumerate([*dict.fromkeys(pieces), START, END])}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CONTEXT)
    for word in grammar_words():
        if len(tokenizer(word).input_ids) != 3:
            raise ValueError(f"the word {word!r} is not one token")
    return tokenizer
