"""The scorer: an open_clip model from a local directory, mapping texts and images to one unit sphere."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from engine.errors import InputError, MachineError
from engine.models.clip_layout import ClipLayout, read_clip_layout
from engine.models.devices import choose_device, choose_dtype
from engine.models.fingerprint import clean_config, file_digest, name_of
from engine.models.memory import attempt, first_line, free_bytes, gibibytes, is_out_of_memory
from engine.models.probe import probe_pairs, probe_preprocessing, probe_published
from engine.models.protocols import TextEmbeddings
from engine.models.resize import Preprocess
from engine.models.tokens import load_token_counter

PRECISIONS: Final = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
CHUNK: Final = 64
"""Images or texts embedded at once at first; halves when memory runs out."""


class OpenClipScorer:
    """An open_clip model behind the :class:`~engine.models.protocols.Scorer` protocol.

    Use :func:`load_scorer` to make one.

    Attributes:
        directory: where it was loaded from.
        device: where it runs.
        dtype: its precision.
        preprocess: its image preprocessing.
    """

    def __init__(self, model: Any, layout: ClipLayout, device: torch.device, dtype: torch.dtype) -> None:
        self._model, self._chunk = model, CHUNK
        self.directory, self.device, self.dtype = layout.directory, device, dtype
        self._tokenizer = open_clip.get_tokenizer(f"local-dir:{layout.directory}")
        self._count = load_token_counter(layout.directory)
        self.preprocess = Preprocess.from_config(open_clip.get_model_preprocess_cfg(model))
        self.context_length = layout.context_length
        self.logit_scale = float(model.logit_scale.detach().float().exp().mean())
        tokenizer_files = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")
        self.fingerprint = name_of(
            {
                "model": clean_config(layout.model),
                "preprocess": str(self.preprocess),
                "weights": file_digest(layout.weights.path),
                "tokenizer": {
                    name: file_digest(layout.directory / name)
                    for name in tokenizer_files
                    if (layout.directory / name).is_file()
                },
                "dtype": str(dtype),
            }
        )

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """See :meth:`engine.models.protocols.Scorer.embed_texts`."""
        lengths = self._count(texts)
        tokens = self._tokenizer(list(texts)) if texts else torch.empty((0, self.context_length)).long()
        vectors = self._embed(self._model.encode_text, tokens)
        return TextEmbeddings(vectors, tuple(length > self.context_length for length in lengths))

    def embed_images(self, pixels: torch.Tensor) -> NDArray[np.float32]:
        """See :meth:`engine.models.protocols.Scorer.embed_images`."""
        return self._embed(
            lambda rows: self._model.encode_image(self.preprocess(rows).to(self.dtype)), pixels
        )

    def _embed(self, encode: Any, inputs: torch.Tensor) -> NDArray[np.float32]:
        """Encode in chunks and normalise in float32; a chunk that does not fit is halved and done again."""
        parts: list[NDArray[np.float32]] = []
        done = 0
        while done < len(inputs):
            rows = inputs[done : done + self._chunk]
            vectors = attempt(lambda rows=rows: self._encode(encode, rows), self.device)  # type: ignore[misc]
            if vectors is not None:
                parts.append(vectors)
                done += len(rows)
            elif len(rows) > 1:
                self._chunk = len(rows) // 2
            else:
                raise MachineError(
                    f"There is not enough memory to score one image or text on {self.device} "
                    f"({gibibytes(free_bytes(self.device))} free); set scorer.device = cpu."
                )
        if not parts:
            return np.empty((0, int(self._encode_width())), dtype=np.float32)
        joined = np.concatenate(parts)
        if not np.isfinite(joined).all():
            raise MachineError(
                f"The scorer {self.directory} gave numbers that are not finite; set scorer.dtype = float32."
            )
        return joined

    def _encode(self, encode: Any, rows: torch.Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            features = encode(rows.to(self.device)).float()
            unit = F.normalize(features, dim=-1)
        array: NDArray[np.float32] = unit.cpu().numpy()
        return array

    def _encode_width(self) -> int:
        """Length of a vector."""
        with torch.inference_mode():
            return int(self._model.encode_text(self._tokenizer(["a"]).to(self.device)).shape[-1])


def load_scorer(directory: Path, device: str, dtype: str) -> OpenClipScorer:
    """Load an open_clip ``local-dir`` model and probe it (see :mod:`engine.models.probe`).

    Args:
        directory: holds ``open_clip_config.json``, safetensors weights and, where the config names a
            Hugging Face tokenizer, its files.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype: ``auto`` (float32 everywhere: scoring is a few percent of the work), or a precision.

    Raises:
        InputError: missing, incomplete, pickle-only or contradicting itself.
        MachineError: it does not fit in memory.
    """
    layout = read_clip_layout(directory)
    place = choose_device(device).value
    precision = choose_dtype(dtype, place, torch.float32).value
    Preprocess.from_config({"size": 1} | layout.preprocess)  # says what is wrong better than open_clip does
    probe_published(layout)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the training settings of published tags
            model, transform = open_clip.create_model_from_pretrained(
                f"local-dir:{layout.directory}", precision=PRECISIONS[precision], device="cpu"
            )
        scorer = OpenClipScorer(model.eval(), layout, place, precision)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, MemoryError, AssertionError) as error:
        if is_out_of_memory(error):
            raise MachineError(
                f"{layout.directory} ({gibibytes(layout.weights.n_bytes)} of weights) does not fit in "
                "memory; use a smaller scorer."
            ) from error
        raise InputError(
            f"{layout.directory} cannot be loaded by open_clip ({first_line(error)})."
        ) from error
    probe_preprocessing(layout, scorer.preprocess, transform)
    if attempt(lambda: model.to(place), place) is None:
        raise MachineError(
            f"{layout.directory} with weights of {gibibytes(layout.weights.n_bytes)} does not fit on {place} "
            f"({gibibytes(free_bytes(place))} free); set scorer.device = cpu."
        )
    probe_pairs(layout, scorer)
    return scorer
