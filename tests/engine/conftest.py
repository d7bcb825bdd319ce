"""Tiny models, each built once for the whole run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.engine import tiny_models


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny models run fastest on one thread, and their last bits then depend on no machine's core count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pipeline_dir(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Kind of painter -> directory with a tiny one; not to be changed by a test."""
    root = tmp_path_factory.mktemp("painters")

    def directory(kind: str) -> Path:
        path = root / kind
        if not path.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tiny_models.save_pipeline(kind, path)
        return path

    return directory


@pytest.fixture(scope="session")
def scorer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with a tiny scorer; not to be changed by a test."""
    return tiny_models.save_scorer(tmp_path_factory.mktemp("scorers") / "clip")
