"""Counts a text's tokens as a scorer's own tokenizer does, without loading the scorer or torch.

A text longer than the context is cut by CLIP without a word, and two texts that differ only behind the cut
become one. The writer uses this to refuse such texts before any image is spent on them.
"""

from __future__ import annotations

import gzip
import html
import importlib.util
import string
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import ftfy
import regex
from tokenizers import Tokenizer

from engine.errors import InputError
from engine.models.clip_layout import CONFIG_NAME, read_clip_layout

MARKS: Final = ("<start_of_text>", "<end_of_text>")
PATTERN: Final = regex.compile(
    "|".join(MARKS) + r"|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)
"""How open_clip's SimpleTokenizer splits a cleaned text into words."""

Clean = Callable[[str], str]
Count = Callable[[str], int]


class TokenCounter:
    """Counts tokens, start and end marks included.

    Attributes:
        limit: the scorer's context length; a text with more tokens is cut.
    """

    def __init__(self, limit: int, count: Count) -> None:
        self.limit, self._count = limit, count

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        return [self._count(text) for text in texts]


def load_token_counter(scorer_dir: Path) -> TokenCounter:
    """Load only the tokenizer of an open_clip directory.

    Raises:
        InputError: the directory is incomplete, or its tokenizer needs what is not there.
    """
    layout = read_clip_layout(scorer_dir)
    text = layout.text
    options: dict[str, Any] = dict(text.get("tokenizer_kwargs") or {})
    if options.get("reduction_mask"):
        raise InputError(
            f"{layout.directory / CONFIG_NAME} sets a reduction_mask, which drops words of long texts at "
            "random; remove it from tokenizer_kwargs."
        )
    if not text.get("hf_tokenizer_name"):
        return TokenCounter(
            layout.context_length, _simple_count(_cleaner(str(options.get("clean", "lower"))))
        )
    path = layout.directory / "tokenizer.json"
    if not path.is_file():
        raise InputError(f"{layout.directory} has no tokenizer.json; copy or download the scorer again.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    clean = _cleaner(str(options.get("clean", "whitespace")))
    if text.get("tokenizer_mode") == "clips":  # begin, end and a class mark are added outside the tokenizer
        return TokenCounter(
            layout.context_length, lambda t: len(tokenizer.encode(clean(t), add_special_tokens=False)) + 3
        )
    return TokenCounter(layout.context_length, lambda t: len(tokenizer.encode(clean(t))))


def _cleaner(name: str) -> Clean:
    """open_clip's cleaning of that name (``open_clip.tokenizer.get_clean_fn``)."""

    def basic(text: str) -> str:
        return html.unescape(html.unescape(ftfy.fix_text(text))).strip()

    def whitespace(text: str) -> str:
        return " ".join(basic(text).split()).strip()

    def canonical(text: str) -> str:
        bare = basic(text).replace("_", " ").translate(str.maketrans("", "", string.punctuation))
        return " ".join(bare.lower().split()).strip()

    known: dict[str, Clean] = {
        "whitespace": whitespace,
        "lower": lambda text: whitespace(text).lower(),
        "canonicalize": canonical,
    }
    if name not in known:
        raise InputError(f"The tokenizer's clean = {name!r} is unknown; use one of {', '.join(known)}.")
    return known[name]


def _simple_count(clean: Clean) -> Count:
    """Count with the byte-pair merges that open_clip brings along for CLIP's original vocabulary."""
    ranks = _merge_ranks()

    @lru_cache(maxsize=100_000)
    def word_tokens(word: str) -> int:
        if word in MARKS:
            return 1
        letters = _byte_letters()
        pieces = [letters[byte] for byte in word.encode("utf-8")]
        pieces[-1] += "</w>"
        while len(pieces) > 1:
            best = min(pairwise(pieces), key=lambda pair: ranks.get(pair, len(ranks)))
            if best not in ranks:
                break
            merged: list[str] = []
            for piece in pieces:
                if merged and (merged[-1], piece) == best:
                    merged[-1] += piece
                else:
                    merged.append(piece)
            pieces = merged
        return len(pieces)

    return lambda text: 2 + sum(word_tokens(word) for word in PATTERN.findall(clean(text)))


@lru_cache(maxsize=1)
def _byte_letters() -> dict[int, str]:
    """Byte -> the printable character that stands for it in CLIP's vocabulary."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(printable))
    return letters


@lru_cache(maxsize=1)
def _merge_ranks() -> dict[tuple[str, str], int]:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise InputError("open_clip is not installed; run 'make mine' to install what is missing.")
    with gzip.open(Path(spec.origin).parent / "bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")[1 : 49152 - 256 - 2 + 1]
    ranks = {}
    for rank, line in enumerate(lines):
        first, second = line.split()
        ranks[(first, second)] = rank
    return ranks
