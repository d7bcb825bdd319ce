"""The scorer: exact preprocessing, honest loading, probes that catch silent faults."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from engine.errors import InputError, MachineError
from engine.models.probe import write_probe
from engine.models.protocols import Scorer
from engine.models.resize import Preprocess, resize
from engine.models.scorer import OpenClipScorer, load_scorer
from engine.models.tokens import TokenCounter, load_token_counter
from tests.engine.conformance import ScorerConformance
from tests.engine.tiny_models import CLIP_CONFIG, PREPROCESS, clip_tokenizer, save_scorer

PILLOW = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@pytest.fixture(scope="module")
def loaded(scorer_dir: Path) -> OpenClipScorer:
    return load_scorer(scorer_dir, "cpu", "auto")


class TestOpenClip(ScorerConformance):
    """open_clip keeps the scorer's contract."""

    @pytest.fixture
    def scorer(self, loaded: OpenClipScorer) -> Scorer:
        return loaded


def picture(kind: str, height: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if kind == "noise":
        return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, height * width * 3).reshape(height, width, 3)
    edges = (np.indices((height, width)).sum(0) // 5 % 2 * 255)[..., None]
    return np.where(ramp > 128, edges, ramp).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    high=st.integers(1, 70),
    wide=st.integers(1, 70),
    interpolation=st.sampled_from(["bicubic", "bilinear"]),
    kind=st.sampled_from(["noise", "edges"]),
)
def test_resize_is_pillows_bit_by_bit(
    height: int, width: int, high: int, wide: int, interpolation: str, kind: str
) -> None:
    pixels = picture(kind, height, width)
    ours = resize(torch.from_numpy(pixels).permute(2, 0, 1), high, wide, interpolation)
    theirs = np.array(Image.fromarray(pixels).resize((wide, high), PILLOW[interpolation]))
    np.testing.assert_array_equal(ours.permute(1, 2, 0).numpy(), theirs)


@pytest.mark.parametrize("size", [224, 64, (48, 80), (80, 48)], ids=str)
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_preprocessing_is_open_clips_bit_by_bit(size: Any, mode: str, interpolation: str) -> None:
    config = PreprocessCfg(size=size, interpolation=interpolation, resize_mode=mode, fill_color=7)
    theirs = image_transform_v2(config, is_train=False)
    ours = Preprocess.from_config(vars(config))
    for height, width in [(512, 512), (64, 64), (100, 37), (225, 400), (13, 14)]:
        for kind in ("noise", "edges"):
            pixels = picture(kind, height, width)
            expected = theirs(Image.fromarray(pixels))
            assert torch.equal(ours(torch.from_numpy(pixels).permute(2, 0, 1)[None])[0], expected)


def test_embeddings_are_those_of_open_clip_itself(scorer_dir: Path, loaded: OpenClipScorer) -> None:
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{scorer_dir}")
    tokens = open_clip.get_tokenizer(f"local-dir:{scorer_dir}")(["a red cat", "a dog"])
    pixels = picture("noise", 70, 50)
    with torch.inference_mode():
        texts = model.eval().encode_text(tokens, normalize=True).numpy()
        image = model.encode_image(transform(Image.fromarray(pixels))[None], normalize=True).numpy()
    np.testing.assert_allclose(loaded.embed_texts(["a red cat", "a dog"]).vectors, texts, atol=1e-6)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    np.testing.assert_allclose(loaded.embed_images(tensor), image, atol=1e-6)
    assert loaded.logit_scale == pytest.approx(model.logit_scale.exp().item())


def test_what_changes_vectors_changes_the_fingerprint(
    scorer_dir: Path, loaded: OpenClipScorer, tmp_path: Path
) -> None:
    other = save_scorer(tmp_path / "clip", PREPROCESS | {"interpolation": "bilinear"})
    names = {
        loaded.fingerprint,
        load_scorer(other, "cpu", "float32").fingerprint,
        load_scorer(scorer_dir, "cpu", "bfloat16").fingerprint,
    }
    assert len(names) == 3
    assert load_scorer(scorer_dir, "cpu", "float32").fingerprint == loaded.fingerprint


def test_out_of_memory_halves_the_chunk(scorer_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = load_scorer(scorer_dir, "cpu", "float32")
    pixels = torch.randint(0, 256, (9, 3, 32, 32), generator=torch.Generator().manual_seed(3))
    expected = scorer.embed_images(pixels.to(torch.uint8))
    honest = scorer._model.encode_image

    def limited(rows: torch.Tensor) -> torch.Tensor:
        if len(rows) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        vectors: torch.Tensor = honest(rows)
        return vectors

    monkeypatch.setattr(scorer._model, "encode_image", limited)
    limit = 2
    np.testing.assert_allclose(scorer.embed_images(pixels.to(torch.uint8)), expected, atol=1e-5)
    limit = 0
    with pytest.raises(MachineError, match="not enough memory to score one image"):
        scorer.embed_images(pixels.to(torch.uint8))


def edit_config(directory: Path, section: str, **changes: Any) -> None:
    path = directory / "open_clip_config.json"
    config = json.loads(path.read_text())
    config[section] = {**config[section], **changes}
    path.write_text(json.dumps(config))


def weights(directory: Path) -> Path:
    return directory / "open_clip_model.safetensors"


DAMAGE: dict[str, tuple[Any, str]] = {
    "no config": (lambda d: (d / "open_clip_config.json").unlink(), "has no open_clip_config.json"),
    "no model": (lambda d: edit_config(d, "model_cfg", vision_cfg=None), "cannot be loaded by open_clip"),
    "no mean": (lambda d: edit_config(d, "preprocess_cfg", mean=None), "guessed preprocessing would"),
    "no weights": (lambda d: weights(d).unlink(), "open_clip would start with random ones"),
    "pickle": (
        lambda d: weights(d).rename(d / "open_clip_pytorch_model.bin"),
        "has pickle weights .open_clip_pytorch_model.bin., which can run code",
    ),
    "truncated": (lambda d: weights(d).write_bytes(weights(d).read_bytes()[:9000]), "truncated"),
    "another size": (lambda d: edit_config(d, "model_cfg", embed_dim=24), "cannot be loaded by open_clip"),
    "mode": (lambda d: edit_config(d, "preprocess_cfg", resize_mode="stretch"), "resize_mode 'stretch'"),
    "no tokenizer": (
        lambda d: edit_config(d, "model_cfg", text_cfg={"hf_tokenizer_name": "x", "context_length": 24}),
        "cannot be loaded by open_clip|no tokenizer.json",
    ),
    "random words": (
        lambda d: edit_config(
            d,
            "model_cfg",
            text_cfg=CLIP_CONFIG["text_cfg"] | {"tokenizer_kwargs": {"reduction_mask": "random"}},
        ),
        "drops words of long texts at random",
    ),
}


@pytest.mark.parametrize("fault", list(DAMAGE))
def test_a_damaged_directory_is_refused_in_one_sentence(scorer_dir: Path, tmp_path: Path, fault: str) -> None:
    copy = tmp_path / "clip"
    shutil.copytree(scorer_dir, copy)
    damage, sentence = DAMAGE[fault]
    damage(copy)
    with pytest.raises(InputError, match=sentence) as caught:
        load_scorer(copy, "cpu", "auto")
    assert "\n" not in str(caught.value)


def probe_pictures(scorer: OpenClipScorer) -> tuple[list[Image.Image], list[str]]:
    """Two pictures and two texts that even this random CLIP pairs up."""
    images = [Image.fromarray(picture(kind, 40, width)) for kind, width in (("noise", 30), ("edges", 60))]
    texts = [
        f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in ("cat", "dog", "bus", "sky")
    ]
    rows = [torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] for image in images]
    first, second = (
        np.concatenate([scorer.embed_images(row) for row in rows]) @ scorer.embed_texts(texts).vectors.T
    )
    margin = np.minimum(np.subtract.outer(first, first), np.subtract.outer(second, second).T)
    mine, other = np.unravel_index(margin.argmax(), margin.shape)
    return images, [texts[mine], texts[other]]


@pytest.mark.parametrize(
    "change",
    [
        ("model_cfg", {"quick_gelu": True}),
        ("preprocess_cfg", {"mean": [0.5, 0.5, 0.5]}),
        ("preprocess_cfg", {"std": [0.5, 0.5, 0.5]}),
        ("preprocess_cfg", {"resize_mode": "squash"}),
    ],
    ids=["activation", "mean", "std", "resize mode"],
)
def test_the_probe_catches_silent_faults(
    scorer_dir: Path, tmp_path: Path, change: tuple[str, dict[str, Any]]
) -> None:
    copy = tmp_path / "clip"
    shutil.copytree(scorer_dir, copy)
    scorer = load_scorer(copy, "cpu", "float32")
    write_probe(scorer, *probe_pictures(scorer))
    load_scorer(copy, "cpu", "float32")
    load_scorer(copy, "cpu", "bfloat16")
    edit_config(copy, change[0], **change[1])
    with pytest.raises(InputError, match=r"weights, activation \(quick_gelu\) or preprocessing"):
        load_scorer(copy, "cpu", "float32")


@pytest.mark.parametrize(
    "change",
    [("model_cfg", {"quick_gelu": False}), ("preprocess_cfg", {"mean": [0.5, 0.5, 0.5]})],
    ids=["activation", "mean"],
)
def test_published_models_must_keep_their_published_settings(
    tmp_path: Path, change: tuple[str, dict[str, Any]]
) -> None:
    copy = save_scorer(tmp_path / "models--timm--vit_base_patch32_clip_224.openai" / "snapshots" / "1")
    edit_config(copy, "model_cfg", quick_gelu=True)
    load_scorer(copy, "cpu", "auto")
    edit_config(copy, change[0], **change[1])
    with pytest.raises(InputError, match="where the published model has"):
        load_scorer(copy, "cpu", "auto")


TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["a", "Doctor's", "<end_of_text>", "&amp;", "éclair", "漢字", "12", "--", "\n"])
    ).map(" ".join),
)


@pytest.fixture(scope="module")
def counter(scorer_dir: Path) -> TokenCounter:
    return load_token_counter(scorer_dir)


@pytest.fixture(scope="module")
def simple_tokenizer() -> Any:
    return open_clip.tokenizer.SimpleTokenizer(context_length=24)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_tokens_are_counted_as_open_clip_counts_them(
    counter: TokenCounter, simple_tokenizer: Any, text: str
) -> None:
    assert counter([text]) == [len(simple_tokenizer.encode(text)) + 2]


def test_a_hugging_face_tokenizer_is_counted_as_open_clip_uses_it(tmp_path: Path) -> None:
    directory = save_scorer(tmp_path / "clip", text={"hf_tokenizer_name": "local", "vocab_size": 514})
    clip_tokenizer(24).save_pretrained(directory)
    counter = load_token_counter(directory)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{directory}")
    texts = ["a cat", "", "Doctor's &amp; caf\u00e9", "word " * 50, "  spaced\tout "]
    cleaned = [tokenizer.clean_fn(text) for text in texts]
    assert counter(texts) == [len(ids) for ids in tokenizer.tokenizer(cleaned).input_ids]
    assert counter.limit == 24
    assert load_scorer(directory, "cpu", "auto").embed_texts(texts).truncated == (False,) * 3 + (True, False)


def test_counting_tokens_loads_no_torch(scorer_dir: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from engine.models.tokens import load_token_counter\n"
        f"print(load_token_counter(Path({str(scorer_dir)!r}))(['a cat']), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[4]", "False"]
