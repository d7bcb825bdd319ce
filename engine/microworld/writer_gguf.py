"""The tiny writer's tokenizer, chat template and GGUF file, in the layout that llama.cpp reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaForCausalLM

from engine.microworld.tokenizer import grammar_words
from engine.microworld.writer_tasks import AXES, ODD_TAILS, ODD_WORDS, PLURALS

END: Final = "<|end|>"
USER: Final = "<|user|>"
ASSISTANT: Final = "<|assistant|>"
SPECIALS: Final = (END, USER, ASSISTANT)
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CONTEXT: Final = 256
"""Tokens of the longest text the writer was built for; a request and its reply take about 30."""


def new_writer_tokenizer(vocabulary: int = 1024) -> Tokenizer:
    """Build GPT-2's byte-level scheme with merges that make every word of the grammar one token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    words = [
        *grammar_words(),
        *AXES,
        *PLURALS,
        "only",
        "within",
        "but",
        "not",
        "about",
        "without",
        "and",
        "subject",
    ]
    openers = ["Vary", "Change", "New", "an"]
    odd = [*ODD_WORDS, *(word for tail in ODD_TAILS for word in tail.replace("{}", "").split())]
    corpus = [" " + word for word in words for _ in range(50)] + openers * 50 + [" " + word for word in odd]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIALS),
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    bpe.add_special_tokens(list(SPECIALS))
    for word in [*(" " + word for word in words), *openers]:
        if len(bpe.encode(word).ids) != 1:
            raise ValueError(f"the word {word!r} is not one token")
    return bpe


def write_writer_gguf(path: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, chat_template: str) -> None:
    """Write a llama-architecture GGUF: float16 matrices, float32 norms.

    Args:
        path: the file to write; replaced whole.
        model: a transformers Llama; its output layer may be tied to the embedding.
        tokenizer: byte-level BPE as :func:`new_writer_tokenizer` builds it.
        chat_template: Jinja text; empty writes a model without one.
    """
    config = model.config
    partial = path.with_suffix(".partial")
    out = gguf.GGUFWriter(partial, "llama")
    out.add_name("MineGap micro-world writer")
    out.add_license("Apache-2.0")
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    out.add_rope_freq_base(10_000.0)
    out.add_vocab_size(tokenizer.get_vocab_size())
    out.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _add_tokenizer(out, tokenizer, chat_template)
    heads = config.num_attention_heads
    for name, tensor in model.state_dict().items():
        target = _tensor_name(name)
        if target is None or (target == "output.weight" and config.tie_word_embeddings):
            continue
        values: NDArray[np.float32] = tensor.detach().to(torch.float32).numpy()
        if target.endswith(("attn_q.weight", "attn_k.weight")):
            values = _interleave_heads(values, heads)
        out.add_tensor(target, values if values.ndim == 1 else values.astype(np.float16))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    partial.replace(path)


def _add_tokenizer(out: gguf.GGUFWriter, tokenizer: Tokenizer, chat_template: str) -> None:
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    merges = [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(tokens)
    out.add_token_types([gguf.TokenType.CONTROL if t in SPECIALS else gguf.TokenType.NORMAL for t in tokens])
    out.add_token_merges(merges)
    out.add_bos_token_id(vocabulary[END])
    out.add_eos_token_id(vocabulary[END])
    out.add_pad_token_id(vocabulary[END])
    out.add_add_bos_token(False)
    if chat_template:
        out.add_chat_template(chat_template)


_NAMES: Final = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def _tensor_name(name: str) -> str | None:
    whole = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in whole:
        return whole[name]
    if not name.startswith("model.layers."):
        return None
    number, rest = name.removeprefix("model.layers.").split(".", 1)
    return f"blk.{number}.{_NAMES[rest.removesuffix('.weight')]}.weight"


def _interleave_heads(weights: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Reorder the rows of a query or key matrix: transformers rotates halves, llama.cpp neighbours."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
