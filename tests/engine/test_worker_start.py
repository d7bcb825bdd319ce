"""The real painter worker as it starts: what it refuses before torch is imported, and what torch then finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import MiningConfig
from engine.errors import InputError
from engine.models.offline import switch_off_network
from engine.services import WorkerPen, WorkerStudio

ROOT = Path(__file__).parents[2]


def break_class(directory: Path) -> None:
    index = directory / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": "WanPipeline"}))


def break_weights(directory: Path) -> None:
    shutil.rmtree(directory / "vae")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (break_class, "is a WanPipeline, which is not supported"),
        (break_weights, "lacks its component vae"),
        (shutil.rmtree, "There is no painter directory"),
    ],
)
async def test_a_bad_painter_is_refused_before_torch_is_imported(
    pipeline_dir: Callable[[str], Path],
    scorer_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
    sentence: str,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # the log then names every module imported
    painter = tmp_path / "painter"
    shutil.copytree(pipeline_dir("stable-diffusion"), painter)
    damage(painter)
    models = {"painter": str(painter), "scorer": str(scorer_dir), "writer": "none.gguf"}
    config = MiningConfig.model_validate({"models": models})
    log = tmp_path / "painter.log"
    studio = WorkerStudio(config.model_dump_json().encode(), log, print)
    with pytest.raises(InputError, match=sentence):
        await studio.load()
    imported = {line.rpartition("|")[2].strip() for line in log.read_text().splitlines()}
    assert "engine.models.layout" in imported
    assert "torch" not in imported
    assert studio.vitals().pid == 0


def test_limits_of_the_workers_come_from_the_configuration(tmp_path: Path) -> None:
    config = MiningConfig.model_validate({"workers": {"deadline": 77, "restarts": 1}})
    raw = config.model_dump_json().encode()
    for worker in (WorkerStudio(raw, tmp_path / "log", print), WorkerPen(raw, tmp_path / "log", print)):
        assert (worker.host._deadline, worker.host._most_restarts) == (77.0, 1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "expandable_segments:True"),
        ({"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}, "max_split_size_mb:64"),
        ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:32"}, "max_split_size_mb:32"),
    ],
)
def test_the_allocator_grows_its_segments_unless_the_user_says_otherwise(
    given: dict[str, str], expected: str
) -> None:
    switch_off_network(given)
    assert given["PYTORCH_ALLOC_CONF"] == expected


def test_the_worker_sets_its_environment_before_torch_is_imported() -> None:
    """Its module imports no model library; ``main`` sets the switches before the first request is read."""
    program = (
        "import sys, engine.workers.painter as painter\n"
        "assert 'torch' not in sys.modules\n"
        "painter.Desk = type('Desk', (), {'work': lambda self, handle: None})\n"
        "painter.main()\n"
        "import os\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['PYTORCH_ALLOC_CONF'], os.environ['HF_HUB_OFFLINE'])\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTORCH", "HF_"))}
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=clean | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout.split(), run.stderr) == (["expandable_segments:True", "1"], "")
