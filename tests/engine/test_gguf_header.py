"""The GGUF header reader against files written by ggml's own writer."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from engine.errors import InputError
from engine.models.gguf_header import TENSOR_TYPES, read_gguf_header, refuse_unknown_writer


def write_gguf(path: Path, architecture: str = "llama", template: str = "{{ messages }}") -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(256)
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_token_list([f"token {i} é" for i in range(500)])
    writer.add_token_scores([0.0] * 500)
    if template:
        writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", np.ones((500, 64), np.float16))
    writer.add_tensor("output_norm.weight", np.ones(64, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_header_says_what_was_written(tmp_path: Path) -> None:
    header = read_gguf_header(write_gguf(tmp_path / "m.gguf"))
    assert header.architecture == "llama"
    assert (header.context_length, header.vocabulary, header.parameters) == (256, 500, 500 * 64 + 64)
    assert header.chat_template == "{{ messages }}"
    assert header.weight_bytes == 500 * 64 * 2 + 64 * 4
    assert header.weight_type == "F16"
    assert header.lengths["tokenizer.ggml.scores"] == 500
    # weights + 2 layers x 256 tokens x 2 kv heads x (16 + 16) x 2 B + 512 tokens x 500 logits x 4 B, + 10 %
    assert header.memory_bytes(256) == int((header.weight_bytes + 2 * 256 * 2 * 32 * 2 + 512 * 500 * 4) * 1.1)
    refuse_unknown_writer(header)


def test_block_sizes_agree_with_ggml() -> None:
    known = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {number: (block, size) for number, (_, block, size) in TENSOR_TYPES.items()} == known


@pytest.mark.parametrize("keep", [0.01, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: float) -> None:
    whole = write_gguf(tmp_path / "m.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError, match="truncated"):
        read_gguf_header(cut)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGML" + bytes(100))
    (tmp_path / "b.gguf").write_bytes(b"")
    for name in ("a.gguf", "b.gguf"):
        with pytest.raises(InputError, match="not a GGUF file"):
            read_gguf_header(tmp_path / name)
    with pytest.raises(InputError, match="no GGUF file"):
        read_gguf_header(tmp_path / "none.gguf")
    with pytest.raises(InputError, match="no GGUF file"):
        read_gguf_header(tmp_path)


@pytest.mark.parametrize(("name", "sentence"), [("banana", "does not know"), ("bert", "writes no text")])
def test_architectures_that_cannot_write_are_refused(tmp_path: Path, name: str, sentence: str) -> None:
    header = read_gguf_header(write_gguf(tmp_path / "m.gguf", architecture=name, template=""))
    assert header.chat_template == ""
    with pytest.raises(InputError, match=sentence):
        refuse_unknown_writer(header)
