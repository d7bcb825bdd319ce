"""The painter on tiny pipelines of the real diffusers classes."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import FreshProcessError, InputError, MachineError
from engine.models import decode
from engine.models.memory import attempt
from engine.models.painter import DiffusersPainter, PainterSettings, load_painter
from engine.models.protocols import PaintJob
from tests.engine.conformance import JOBS, MakePainter, PainterConformance
from tests.engine.tiny_models import PIPELINES, SIZE

SETTINGS = PainterSettings(steps=2, guidance=3.0, width=SIZE, height=SIZE, dtype="float32", device="cpu")
DENOISERS = {"stable-diffusion": "unet", "stable-diffusion-xl": "unet"}

pytestmark = pytest.mark.filterwarnings("ignore")

Directory = Callable[[str], Path]


@pytest.fixture(params=list(PIPELINES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(kind: str, pipeline_dir: Directory) -> MakePainter:
    directory = str(pipeline_dir(kind))
    return lambda batch_size: load_painter(directory, replace(SETTINGS, batch_size=batch_size))


class TestEveryFamily(PainterConformance):
    """SD, SDXL, SD3 and FLUX keep the painter's contract."""

    def test_images_are_those_of_diffusers_itself(self, kind: str, make: Any) -> None:
        """Embeddings made apart, own decoding and quantising change nothing but the last bit's rounding."""
        painter: DiffusersPainter = make(3)
        jobs = JOBS[:3]
        longest = {"max_sequence_length": 256} if kind == "flux" else {}
        plain = painter._pipeline(
            [job.prompt for job in jobs],
            generator=[torch.Generator("cpu").manual_seed(job.seed) for job in jobs],
            num_inference_steps=2,
            guidance_scale=3.0,
            width=SIZE,
            height=SIZE,
            output_type="pt",
            **longest,
        ).images
        assert ((plain * 255).round().int() - painter.paint(jobs).pixels.int()).abs().max() <= 1

    def test_running_out_of_memory_while_drawing_redraws_the_same_seeds(
        self, kind: str, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = make(1).paint(JOBS).pixels.int()
        painter: DiffusersPainter = make(4)
        model = getattr(painter._pipeline, DENOISERS.get(kind, "transformer"))
        rows = 1 if kind == "flux" else 2  # guidance doubles the batch
        limit_batch(monkeypatch, model, "forward", 1 * rows, torch.OutOfMemoryError("CUDA out of memory."))
        painted = painter.paint(JOBS)
        assert painted.batch_size == painter.batch_size == 1
        assert len(painted.notes) == 2
        assert "4 images" in painted.notes[0]
        assert (painted.pixels.int() - expected).abs().max() <= 1
        again = painter.paint(JOBS)  # the size that fits stays
        assert (again.batch_size, again.notes) == (1, ())

    def test_running_out_of_memory_while_decoding_keeps_the_batch(
        self, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        painter: DiffusersPainter = make(4)
        expected = painter.paint(JOBS).pixels.int()
        limit_batch(
            monkeypatch, painter._pipeline.vae, "decode", 2, RuntimeError("CUDNN_STATUS_ALLOC_FAILED")
        )
        painted = painter.paint(JOBS)
        assert (painted.batch_size, painter.decode_chunk) == (4, 2)
        assert "decoding" in painted.notes[0]
        assert (painted.pixels.int() - expected).abs().max() <= 1
        assert not painter._pipeline.vae.use_tiling  # tiles would change the picture
        assert painter.paint(JOBS).notes == ()


def limit_batch(
    monkeypatch: pytest.MonkeyPatch, module: Any, method: str, largest: int, error: Exception
) -> None:
    """Let a torch module run out of memory for batches above ``largest``."""
    honest = getattr(module, method)

    def limited(*inputs: Any, **options: Any) -> Any:
        rows = (inputs[0] if inputs else options["hidden_states"]).shape[0]
        if rows > largest:
            raise error
        return honest(*inputs, **options)

    monkeypatch.setattr(module, method, limited)


@pytest.fixture
def small(pipeline_dir: Directory) -> DiffusersPainter:
    return load_painter(str(pipeline_dir("stable-diffusion")), replace(SETTINGS, batch_size=2))


@pytest.mark.parametrize(("method", "verb"), [("unet", "draw"), ("vae", "decode")])
def test_one_image_that_does_not_fit_is_said_with_figures(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch, method: str, verb: str
) -> None:
    error = torch.OutOfMemoryError("CUDA out of memory.")
    part = getattr(small._pipeline, method)
    limit_batch(monkeypatch, part, "decode" if method == "vae" else "forward", 0, error)
    with pytest.raises(MachineError, match=rf"not enough memory to {verb} even one image of 32 x 32.*GiB"):
        small.paint(JOBS)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("std::bad_alloc"),
        MemoryError(),
    ],
)
def test_every_word_for_lack_of_memory_halves_the_batch(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    expected = small.paint(JOBS[:2]).pixels.int()
    limit_batch(monkeypatch, small._pipeline.unet, "forward", 2, error)  # guidance: two rows an image
    painted = small.paint(JOBS[:2])
    assert painted.batch_size == 1
    assert (painted.pixels.int() - expected).abs().max() <= 1


@pytest.mark.parametrize("part", ["unet", "vae"])
@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_failed_device_wants_a_fresh_process(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception
) -> None:
    method = "decode" if part == "vae" else "forward"
    limit_batch(monkeypatch, getattr(small._pipeline, part), method, 0, error)
    with pytest.raises(FreshProcessError, match=r"The device cpu failed \(.*(illegal|assert|EXECUTION)"):
        small.paint(JOBS)


def test_what_a_failed_attempt_held_is_free_before_the_next() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def work() -> None:
        activations = torch.zeros(1000)
        held.append(weakref.ref(activations))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    assert attempt(work, torch.device("cpu")) is None
    assert held[0]() is None


def test_memory_that_runs_out_over_finished_pixels_costs_no_image(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = small.paint(JOBS).pixels.int()
    honest = decode.is_blank

    def limited(pixels: torch.Tensor) -> torch.Tensor:
        if len(pixels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return honest(pixels)

    monkeypatch.setattr(decode, "is_blank", limited)
    painted = small.paint(JOBS)
    assert (painted.batch_size, small.decode_chunk) == (2, 1)
    assert (painted.pixels.int() - expected).abs().max() <= 1


def test_other_errors_are_not_taken_for_lack_of_memory(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_batch(monkeypatch, small._pipeline.unet, "forward", 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        small.paint(JOBS)


@pytest.mark.parametrize("value", [0.25, float("nan")])
def test_blank_images_are_reported(
    small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    honest = small._pipeline.vae.decode

    def blank_first(latents: torch.Tensor, **options: Any) -> Any:
        image = honest(latents, **options)[0].clone()
        image[0, 1:] = 0.5
        image[0, 0] = value
        return (image,)

    monkeypatch.setattr(small._pipeline.vae, "decode", blank_first)
    painted = small.paint(JOBS[:2])
    assert painted.blank == (True, False)
    assert painted.notes == ("1 of 2 images are blank (seeds 2).",)


def test_prompts_the_text_encoder_cuts_are_reported(small: DiffusersPainter) -> None:
    painted = small.paint([PaintJob("cat " * 100, 2), PaintJob("a cat", 2)])
    assert len(painted.notes) == 1
    assert "cut at the painter's limit of 77" in painted.notes[0]


def test_each_prompt_is_embedded_once(small: DiffusersPainter, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    honest = small._pipeline.text_encoder.forward

    def counting(ids: torch.Tensor, **options: Any) -> Any:
        seen.append(len(ids))
        return honest(ids, **options)

    monkeypatch.setattr(small._pipeline.text_encoder, "forward", counting)
    for _ in range(2):
        small.paint([PaintJob("a cat", seed) for seed in range(5)] + [PaintJob("a dog", 2)])
    # two prompts and, with guidance, the empty one (embedded beside the prompt that diffusers asks for)
    assert seen == [1, 1, 1, 1]


def test_defaults_are_the_models_own(pipeline_dir: Directory) -> None:
    flux = load_painter(str(pipeline_dir("flux")), PainterSettings(width=SIZE, height=SIZE, device="cpu"))
    assert (flux.steps, flux.guidance) == (4, 0.0)  # schnell: distilled for four steps
    plain = load_painter(str(pipeline_dir("stable-diffusion")), PainterSettings(device="cpu"))
    assert (plain.steps, plain.guidance, plain.size) == (50, 7.5, (SIZE, SIZE))
    assert plain.dtype.value is torch.float32
    assert "CPU" in plain.dtype.reason


@pytest.mark.parametrize(
    "change", [{"steps": 3}, {"guidance": 1.0}, {"width": 2 * SIZE}, {"dtype": "bfloat16"}]
)
def test_what_changes_pixels_changes_the_fingerprint(
    small: DiffusersPainter, pipeline_dir: Directory, change: dict[str, Any]
) -> None:
    other = load_painter(str(pipeline_dir("stable-diffusion")), replace(SETTINGS, **change))
    assert other.fingerprint != small.fingerprint


def test_weights_and_sampler_change_the_fingerprint(
    small: DiffusersPainter, pipeline_dir: Directory, tmp_path: Path
) -> None:
    names = {small.fingerprint}
    for number in range(2):
        copy = tmp_path / str(number)
        shutil.copytree(pipeline_dir("stable-diffusion"), copy)
        if number:
            weights = copy / "unet/diffusion_pytorch_model.safetensors"
            content = bytearray(weights.read_bytes())
            content[-1] ^= 1
            weights.write_bytes(content)
        else:
            edit_json(copy / "scheduler/scheduler_config.json", timestep_spacing="trailing")
        names.add(load_painter(str(copy), SETTINGS).fingerprint)
    assert len(names) == 3
    same = tmp_path / "same"
    shutil.copytree(pipeline_dir("stable-diffusion"), same)
    assert load_painter(str(same), SETTINGS).fingerprint == small.fingerprint


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rename_weights(folder: Path, name: str) -> None:
    for path in folder.glob("*.safetensors"):
        path.rename(folder / name)


def shard(folder: Path, keep_all: bool) -> None:
    """Write an index that spreads the weights over two files, of which the second may be missing."""
    source = folder / "diffusion_pytorch_model.safetensors"
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    shutil.copy(source, folder / "one.safetensors")
    source.unlink()


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda d: (d / "model_index.json").unlink(), "no model_index.json"),
    "broken index": (lambda d: (d / "model_index.json").write_text('{"_class'), "cannot be read as JSON"),
    "index is a list": (lambda d: (d / "model_index.json").write_text("[1]"), "not hold a JSON object"),
    "another class": (
        lambda d: edit_json(d / "model_index.json", _class_name="WanPipeline"),
        "is a WanPipeline, which is not supported",
    ),
    "no unet": (lambda d: shutil.rmtree(d / "unet"), "lacks its component unet"),
    "no scheduler": (lambda d: shutil.rmtree(d / "scheduler"), "lacks its component scheduler"),
    "no config": (lambda d: (d / "vae/config.json").unlink(), "config.json is missing: the model is half"),
    "no weights": (
        lambda d: (d / "unet/diffusion_pytorch_model.safetensors").unlink(),
        "no safetensors weights: the model is half copied",
    ),
    "only pickles": (
        lambda d: rename_weights(d / "unet", "diffusion_pytorch_model.bin"),
        "only pickle weights, which can run code",
    ),
    "a shard missing": (lambda d: shard(d / "unet", False), "lacks the weight file two.safetensors"),
    "truncated": (
        lambda d: truncate(d / "text_encoder/model.safetensors", 5000),
        "is truncated|truncated or not",
    ),
    "empty weights": (lambda d: truncate(d / "text_encoder/model.safetensors", 0), "truncated or not"),
    "lfs pointer": (
        lambda d: (d / "unet/diffusion_pytorch_model.safetensors").write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n"
        ),
        "only a Git LFS pointer",
    ),
    "no vocabulary": (
        lambda d: [path.unlink() for path in (d / "tokenizer").glob("*.json")],
        "lacks the tokenizer's vocabulary",
    ),
    "unseeded sampler": (
        lambda d: edit_json(
            d / "model_index.json", scheduler=["diffusers", "CosineDPMSolverMultistepScheduler"]
        ),
        "draws noise that no seed controls",
    ),
    "config of another model": (
        lambda d: edit_json(d / "unet/config.json", block_out_channels=[64, 64]),
        "cannot be loaded",
    ),
}


@pytest.mark.parametrize("fault", list(DAMAGE))
def test_a_damaged_directory_is_refused_in_one_sentence(
    pipeline_dir: Directory, tmp_path: Path, fault: str
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(pipeline_dir("stable-diffusion"), copy)
    damage, sentence = DAMAGE[fault]
    damage(copy)
    with pytest.raises(InputError, match=sentence) as caught:
        load_painter(str(copy), SETTINGS)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 0}, r"painter\.steps = 0 is too small"),
        ({"batch_size": 0}, r"painter\.batch_size = 0 is too small"),
        ({"width": 36}, r"painter\.width = 36 is not a multiple of 8; use 32"),
        ({"dtype": "int8"}, "dtype = 'int8' is unknown"),
        ({"device": "tpu"}, "device = 'tpu' is unknown"),
        ({"device": "cuda:99"}, "device = 'cuda:99' is not there"),
    ],
)
def test_settings_a_model_cannot_take_are_refused(
    pipeline_dir: Directory, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        load_painter(str(pipeline_dir("stable-diffusion")), replace(SETTINGS, **change))


def test_a_repository_in_the_cache_is_found_without_network(
    pipeline_dir: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="neither a directory nor a repository in the local"):
        load_painter("someone/tiny-sd", SETTINGS)
    folder = tmp_path / "models--someone--tiny-sd"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text("abc123")
    (folder / "snapshots").mkdir()
    (folder / "snapshots/abc123").symlink_to(pipeline_dir("stable-diffusion"))
    assert load_painter("someone/tiny-sd", SETTINGS).size == (SIZE, SIZE)
    with pytest.raises(InputError, match="no painter directory"):
        load_painter("no/such/place", SETTINGS)


def test_half_precision_files_are_used_where_there_are_no_others(
    pipeline_dir: Directory, tmp_path: Path
) -> None:
    copy = tmp_path / "fp16"
    shutil.copytree(pipeline_dir("stable-diffusion"), copy)
    for path in list(copy.glob("*/*.safetensors")):
        path.rename(path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")))
    assert load_painter(str(copy), SETTINGS).paint(JOBS[:1]).pixels.shape[0] == 1
