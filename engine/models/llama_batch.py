"""llama.cpp on its low-level API: many continuations of one text in one batched decode.

llama-cpp-python's ``Llama`` runs one sequence per context. Here the shared text is read once, its cache is
shared by all sequences, and each sequence draws with its own seeded sampler. Every size is checked before
llama.cpp sees it: a batch longer than the context's limit would end the whole process (``GGML_ASSERT``).
Not thread-safe; one owner.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import llama_cpp

from engine.errors import FreshProcessError, InputError, MachineError

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # without a configured log the library's chatter goes nowhere

SEQUENCES: Final = 32
"""Sequences decoded at once, at most."""
BATCH: Final = 512
"""Tokens per decode; longer texts are read in stretches of this length."""
ALL_LAYERS: Final = 0x7FFFFFFF
RANDOM_SEED: Final = 0xFFFFFFFF
"""llama.cpp draws its own seed when given this one."""
TOP_K: Final = 100
MIN_P: Final = 0.02
"""The tail of the distribution is cut at this share of the likeliest token: errors go, variety stays."""

_GGML_ERROR: Final = 4
_recent_errors: deque[str] = deque(maxlen=3)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _to_log(level: int, text: bytes, _: Any) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line:
        log.log(logging.WARNING if level == _GGML_ERROR else logging.DEBUG, "%s", line)
        if level == _GGML_ERROR:
            _recent_errors.append(line)


@functools.cache
def _start_backend() -> None:
    llama_cpp.llama_log_set(_to_log, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn: top-k, then min-p, then temperature."""

    temperature: float = 1.0
    top_k: int = TOP_K
    min_p: float = MIN_P


class BatchedLlama:
    """One GGUF model and one context.

    Attributes:
        longest: tokens that one sequence may have, its continuation included.
        chat_template: the model's own, empty where it has none.
        bos, eos: the texts of the marks that chat templates may write.
    """

    def __init__(
        self, path: Path, *, context: int, gpu_layers: int, threads: int, sampling: Sampling
    ) -> None:
        """Load a model.

        Args:
            path: a GGUF file, already found to be whole.
            context: tokens in the cache, shared by all sequences.
            gpu_layers: layers on the GPU; -1 for all.
            threads: CPU threads.
            sampling: how tokens are drawn.

        Raises:
            InputError: llama.cpp cannot load the file, or the model does not continue text.
            MachineError: there is no memory for the context.
        """
        _start_backend()
        _recent_errors.clear()
        self._context: Any = None
        self._batch: Any = None
        self._sampling = sampling
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = ALL_LAYERS if gpu_layers < 0 else gpu_layers
        self._model: Any = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise InputError(f"llama.cpp cannot load {path}{_last_error()}; use another GGUF file.")
        if not llama_cpp.llama_model_has_decoder(self._model) or llama_cpp.llama_model_has_encoder(
            self._model
        ):
            self.close()
            raise InputError(f"{path} is not a model that continues text; use a chat or base model.")
        self._vocabulary: Any = llama_cpp.llama_model_get_vocab(self._model)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = context, BATCH, BATCH
        options.n_seq_max = SEQUENCES
        options.kv_unified = True
        options.n_threads = options.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, options)
        if not self._context:
            self.close()
            raise MachineError(
                f"There is no memory for a context of {context} tokens of {path}{_last_error()}; "
                "lower writer.context or writer.gpu_layers."
            )
        self._size = int(llama_cpp.llama_n_ctx(self._context))
        self._batch_size = int(llama_cpp.llama_n_batch(self._context))
        trained = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self.longest = min(self._size, trained) if trained > 0 else self._size
        self._batch = llama_cpp.llama_batch_init(max(self._batch_size, SEQUENCES), 0, 1)
        template = llama_cpp.llama_model_chat_template(self._model, None)
        self.chat_template = template.decode("utf-8", "replace") if template else ""
        self._bos = int(llama_cpp.llama_vocab_bos(self._vocabulary))
        self._adds_bos = bool(llama_cpp.llama_vocab_get_add_bos(self._vocabulary)) and self._bos >= 0
        self.bos = self._mark(self._bos)
        self.eos = self._mark(int(llama_cpp.llama_vocab_eos(self._vocabulary)))

    def close(self) -> None:
        """Free the model; the object cannot be used afterwards."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
        if self._context:
            llama_cpp.llama_free(self._context)
        if self._model:
            llama_cpp.llama_model_free(self._model)
        self._batch = self._context = self._model = None

    def tokenize(self, before: str, content: str, after: str) -> list[int]:
        """Tokens of a request: marks are read in the template's parts; in ``content`` they are text."""
        starts = bool(self.bos) and before.startswith(self.bos)
        head = [self._bos] if self._adds_bos and not starts else []
        if self._tokens(content, special=True) == self._tokens(content, special=False):
            return head + self._tokens(before + content + after, special=True)
        parts = ((before, True), (content, False), (after, True))
        return head + [
            token for text, special in parts if text for token in self._tokens(text, special=special)
        ]

    def continuations(self, tokens: Sequence[int], seeds: Sequence[int], longest: int) -> list[str]:
        """Continue a text once per seed, each up to a line's end, an end mark or ``longest`` tokens.

        Args:
            tokens: the text, as from :meth:`tokenize`.
            seeds: one sampler seed per continuation, 0 … 2**32 - 1.
            longest: tokens of a continuation, at most.

        Returns:
            The continuations in the order of the seeds; the same call gives the same texts.

        Raises:
            InputError: the text leaves no room for a continuation.
            MachineError: llama.cpp failed.
        """
        if not tokens:
            raise InputError("The writer was given an empty request; check its meta-prompts.")
        if len(tokens) + longest > self.longest:
            raise InputError(
                f"A request of {len(tokens)} tokens leaves no room for a reply in the writer's "
                f"{self.longest}; shorten the prompt or the meta-prompt, or raise writer.context."
            )
        texts: list[str] = []
        width = min(SEQUENCES, (self._size - len(tokens)) // longest)
        while len(texts) < len(seeds):
            group = seeds[len(texts) : len(texts) + width]
            drawn = self._decode_group(tokens, group, longest)
            if drawn is not None:
                texts += drawn
            elif width > 1:
                width = max(1, min(width, len(group)) // 2)
            else:
                raise MachineError(
                    f"llama.cpp finds no room for one sequence of {len(tokens)} + {longest} tokens; "
                    "raise writer.context."
                )
        return texts

    def _decode_group(self, tokens: Sequence[int], seeds: Sequence[int], longest: int) -> list[str] | None:
        """Continue a text for every seed at once; None where the cache had no room for so many."""
        memory = llama_cpp.llama_get_memory(self._context)
        llama_cpp.llama_memory_clear(memory, True)
        for start in range(0, len(tokens), self._batch_size):
            stretch = tokens[start : start + self._batch_size]
            wanted = start + len(stretch) == len(tokens)
            if not self._decode([(token, start + i, 0) for i, token in enumerate(stretch)], last_only=wanted):
                return None
        for sequence in range(1, len(seeds)):
            llama_cpp.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        replies = [bytearray() for _ in seeds]
        samplers = [self._sampler(seed) for seed in seeds]
        try:
            rows = dict.fromkeys(range(len(seeds)), (len(tokens) - 1) % self._batch_size)
            for step in range(longest):
                drawn: list[tuple[int, int, int]] = []
                for sequence, row in rows.items():
                    token = int(llama_cpp.llama_sampler_sample(samplers[sequence], self._context, row))
                    if not self._is_end(token, replies[sequence]):
                        drawn.append((token, len(tokens) + step, sequence))
                if not drawn or step == longest - 1:
                    break
                if not self._decode(drawn):
                    return None
                rows = {sequence: row for row, (_, _, sequence) in enumerate(drawn)}
        finally:
            for sampler in samplers:
                llama_cpp.llama_sampler_free(sampler)
        return [reply.decode("utf-8", "replace") for reply in replies]

    def _is_end(self, token: int, reply: bytearray) -> bool:
        """Add a token's text to a reply; True at an end mark and once a line of substance has ended.

        A line that ends in a colon only announces the next one ("Here is a caption:").
        """
        if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
            return True
        reply += self._piece(token, special=False)
        ended = (line.strip() for line in reply.split(b"\n")[:-1])
        return any(line and not line.endswith(b":") for line in ended)

    def _decode(self, rows: Sequence[tuple[int, int, int]], *, last_only: bool | None = None) -> bool:
        """Decode (token, position, sequence) rows; False where the cache has no room.

        Args:
            rows: at most the batch size.
            last_only: whose predictions are wanted: None every row's, True the last one's, False nobody's.

        Raises:
            FreshProcessError: llama.cpp failed; its cache is in no known state.
        """
        if not 0 < len(rows) <= self._batch_size:
            raise MachineError(
                f"A batch of {len(rows)} tokens exceeds {self._batch_size}; report this as a bug."
            )
        batch = self._batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence) in enumerate(rows):
            batch.token[i], batch.pos[i] = token, position
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
            batch.logits[i] = last_only is None or (last_only and i == len(rows) - 1)
        result = int(llama_cpp.llama_decode(self._context, batch))
        if result not in (0, 1):
            raise FreshProcessError(
                f"llama.cpp failed to decode (code {result}){_last_error()}; see the writer's log."
            )
        return result == 0

    def _sampler(self, seed: int) -> Any:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in (
            llama_cpp.llama_sampler_init_top_k(self._sampling.top_k),
            llama_cpp.llama_sampler_init_min_p(self._sampling.min_p, 1),
            llama_cpp.llama_sampler_init_temp(self._sampling.temperature),
            llama_cpp.llama_sampler_init_dist(seed if seed != RANDOM_SEED else RANDOM_SEED - 1),
        ):
            llama_cpp.llama_sampler_chain_add(chain, link)
        return chain

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        found = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocabulary, raw, len(raw), found, room, False, special)
        if count < 0:
            raise MachineError("llama.cpp could not split a text into tokens; see the writer's log.")
        return list(found[:count])

    def _piece(self, token: int, *, special: bool) -> bytes:
        room = 256
        buffer = ctypes.create_string_buffer(room)
        size = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, room, 0, special)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, -size, 0, special)
        return buffer.raw[: max(size, 0)]

    def _mark(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""


def _last_error() -> str:
    return f" ({_recent_errors[-1]})" if _recent_errors else ""
