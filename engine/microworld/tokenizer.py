"""The pack's CLIP tokenizer: every word of the grammar is one token, every other text falls back to bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from engine.microworld.world import ATTRIBUTES, GROUPS, SUBJECTS

CONTEXT: Final = 24
START: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"


def grammar_words() -> list[str]:
    """Every word that a prompt of the grammar may hold, in a fixed order."""
    texts = ["a an", *SUBJECTS, *GROUPS, *(p for a in ATTRIBUTES.values() for p in a.phrases.values())]
    return sorted({word for text in texts for word in text.split()})


def new_clip_tokenizer() -> CLIPTokenizer:
    """Build the tokenizer: CLIP's own byte-pair scheme with merges learnt from the grammar's words.

    CLIP pools at the highest token id, so the end mark comes last in the vocabulary.
    """
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=10_000,
        min_frequency=1,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    # One word at a time: with a space in front, byte-level splitting would learn merges CLIP never makes.
    bpe.train_from_iterator(grammar_words(), trainer)
    merges = [(a, b) for a, b in json.loads(bpe.to_str())["model"]["merges"]]
    pieces = [*alphabet, *(letter + "</w>" for letter in alphabet), *(a + b for a, b in merges)]
    vocabulary = {piece: i for i, piece in enumerate([*dict.fromkeys(pieces), START, END])}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CONTEXT)
    for word in grammar_words():
        if len(tokenizer(word).input_ids) != 3:
            raise ValueError(f"the word {word!r} is not one token")
    return tokenizer


def save_clip_tokenizer(directory: Path) -> None:
    """Write the tokenizer's files as Hugging Face libraries read them."""
    new_clip_tokenizer().save_pretrained(directory)
