"""Train the tiny writer of the embedded pack: ``python -m engine.microworld.writer_training --out DIR``.

It learns the very texts the adapter sends: the pack's meta-prompts, filled in and put through the chat
template. Examples are drawn from the grammar on the fly, so nothing is ever seen twice on purpose.
"""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from pathlib import Path
from random import Random
from typing import Final

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from engine.microworld.loop import Report, mixed_precision, train_steps
from engine.microworld.writer_gguf import (
    ASSISTANT,
    CHAT_TEMPLATE,
    CONTEXT,
    END,
    USER,
    new_writer_tokenizer,
    write_writer_gguf,
)
from engine.microworld.writer_tasks import BROAD, COUNTING, Mixture, Request, draw_request
from engine.models.metaprompts import MetaPrompt, load_metaprompts

DEFAULT_STEPS: Final = 6500
BATCH: Final = 64
POOL: Final = 16
"""Batches drawn at once and sorted by length, so that little of a batch is padding."""
LONGEST: Final = 48
"""Tokens; the rare longer example (a run of invented words) is left out."""
STAGES: Final = ((8 / 13, 2e-3, BROAD), (5 / 13, 1.5e-3, COUNTING))
"""Share of the steps, peak learning rate and mixture of each stage."""


def new_writer_model(
    vocabulary: int, *, width: int = 128, layers: int = 4, heads: int = 4
) -> LlamaForCausalLM:
    """A Llama with random weights: at the pack's size about 0.9 M parameters, embedding and output tied."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=width * 3,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=CONTEXT,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            attn_implementation="eager",  # the fused kernel is three times slower at heads of 32 in bfloat16
        )
    )


def chat_text(request: Request, metaprompts: dict[str, MetaPrompt]) -> str:
    """The request exactly as the adapter sends it, up to where the reply begins."""
    filled = metaprompts[request.kind].fill(prompt=request.prompt, axis=request.axis, theme=request.theme)
    return f"{USER}{filled}{END}{ASSISTANT}"


class Batches:
    """Draws training batches: token ids (B, L), right-padded, and where in them replies are learnt."""

    def __init__(self, tokenizer: Tokenizer, seed: int, mixture: Mixture) -> None:
        """Start a stream of requests that the seed decides."""
        self._rng = Random(seed)
        self._mixture = mixture
        self._tokenizer = tokenizer
        self._end = tokenizer.token_to_id(END)
        self._metaprompts = load_metaprompts(pack_prompts())
        self._ready: list[list[tuple[list[int], list[int]]]] = []

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The next batch: ids (B, L) and a mask of the same shape."""
        if not self._ready:
            self._refill()
        rows = self._ready.pop()
        length = max(len(head) + len(reply) for head, reply in rows)
        ids = torch.full((len(rows), length), self._end)
        learnt = torch.zeros((len(rows), length), dtype=torch.bool)
        for i, (head, reply) in enumerate(rows):
            ids[i, : len(head) + len(reply)] = torch.tensor(head + reply)
            learnt[i, len(head) : len(head) + len(reply)] = True
        return ids, learnt

    def _refill(self) -> None:
        requests = [draw_request(self._rng, self._mixture) for _ in range(POOL * BATCH)]
        heads = self._tokenizer.encode_batch([chat_text(r, self._metaprompts) for r in requests])
        replies = self._tokenizer.encode_batch([r.reply for r in requests])
        rows = [(head.ids, [*reply.ids, self._end]) for head, reply in zip(heads, replies, strict=True)]
        rows = sorted(
            (row for row in rows if sum(map(len, row)) <= LONGEST), key=lambda row: sum(map(len, row))
        )
        self._ready = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        self._rng.shuffle(self._ready)


def pack_prompts() -> Path:
    """The directory of the embedded pack's own meta-prompts."""
    return Path(str(resources.files("engine.microworld").joinpath("pack").joinpath("prompts")))


def train_writer(out_dir: Path, *, seed: int, steps: int, threads: int, report: Report) -> None:
    """Train the writer from nothing and write ``out_dir/writer.gguf``.

    Args:
        out_dir: made where it is missing.
        seed: of weights and data.
        steps: number of batches of 64 requests; 6,500 take about 20 minutes of one core with AMX.
        threads: for torch; one is the fastest per core at this size.
        report: receives progress lines.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    tokenizer = new_writer_tokenizer()
    model = new_writer_model(tokenizer.get_vocab_size())
    report(f"writer: {sum(p.numel() for p in model.parameters()):,} parameters")
    model.train()
    for number, (share, learning_rate, mixture) in enumerate(STAGES):
        batches = Batches(tokenizer, seed + number, mixture)
        train_stage(model, batches, round(steps * share), learning_rate, report)
    model.eval()
    out_dir.mkdir(parents=True, exist_ok=True)
    write_writer_gguf(out_dir / "writer.gguf", model, tokenizer, CHAT_TEMPLATE)
    report(f"writer: wrote {out_dir / 'writer.gguf'}")


def train_stage(
    model: LlamaForCausalLM, batches: Batches, steps: int, learning_rate: float, report: Report
) -> None:
    """Train on one mixture with its own optimiser and schedule."""

    def loss_of(_: int) -> torch.Tensor:
        ids, learnt = batches.draw()
        with mixed_precision(ids.device):
            hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
            logits = model.lm_head(hidden[learnt[:, 1:]])
        return F.cross_entropy(logits.float(), ids[:, 1:][learnt[:, 1:]])

    train_steps("writer", model, steps, learning_rate, loss_of, report)


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the tiny writer of the embedded pack.")
    parser.add_argument("--out", type=Path, required=True, help="directory for writer.gguf")
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    train_writer(given.out, seed=given.seed, steps=given.steps, threads=given.threads, report=say)


if __name__ == "__main__":
    main()
