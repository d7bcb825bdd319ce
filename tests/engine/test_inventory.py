"""What could be mined with on this machine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine.config_sources import load_config
from engine.errors import InputError
from engine.inventory import need_of, take_inventory, usual_places
from engine.models.machine import Gpu, Machine
from engine.packs import EMBEDDED_DIRECTORY
from engine.preset_files import read_presets

GIB = 1 << 30
SMALL = Machine(2, 4 * GIB, 2 * GIB, ())

pytestmark = pytest.mark.skipif(
    not (EMBEDDED_DIRECTORY / "writer.gguf").exists(), reason="the embedded pack has not been trained here"
)


def test_the_embedded_pack_is_found_and_fits(tmp_path: Path) -> None:
    found = take_inventory(SMALL, [EMBEDDED_DIRECTORY], cache=tmp_path)
    (pack,) = found.packs
    assert (pack.name, pack.source, pack.problem) == ("micro", "micro", "")
    assert pack.need is not None
    assert pack.need.fits
    assert {model.role for model in found.models} == {"painter", "scorer", "writer"}
    assert sum(model.memory_bytes for model in pack.need.models) < pack.need.needed_bytes < GIB


def test_a_pack_of_ones_own_is_found_and_a_broken_one_says_why(tmp_path: Path) -> None:
    good, broken = tmp_path / "packs" / "good", tmp_path / "packs" / "broken"
    good.mkdir(parents=True)
    for part in ("painter", "scorer", "writer.gguf"):
        (good / part).symlink_to(EMBEDDED_DIRECTORY / part)
    (good / "pack.toml").write_text('name = "mine"\n')
    shutil.copytree(good, broken, symlinks=True)
    (broken / "writer.gguf").unlink()
    found = {Path(one.source).name: one for one in take_inventory(SMALL, [tmp_path], cache=tmp_path).packs}
    assert found["good"].name == "mine"
    assert found["good"].problem == ""
    assert found["broken"].need is None
    assert "lacks its writer" in found["broken"].problem
    assert take_inventory(SMALL, [tmp_path / "nowhere"], cache=tmp_path).packs == ()


def test_what_does_not_fit_is_said() -> None:
    config = load_config()
    assert not need_of(config, replace(SMALL, free_bytes=1 << 20)).fits
    gpu = replace(SMALL, gpus=(Gpu(0, "Tiny", GIB, 1 << 20), Gpu(1, "Large", GIB, GIB)))
    need = need_of(config, gpu)
    assert (need.device, need.fits) == ("GPU 1 (Large)", True)
    on_cpu = load_config(None, {"painter": {"device": "cpu"}})
    assert need_of(on_cpu, gpu).device == "CPU"


def test_a_damaged_model_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(b"no model")
    config = load_config(None, {"models": {"writer": str(tmp_path / "w.gguf"), "painter": "drawing:planted"}})
    need = need_of(config, SMALL)
    assert [model.role for model in need.models] == ["scorer", "writer"]
    assert "w.gguf" in need.problem
    with pytest.raises(InputError, match="nowhere"):
        need_of(load_config(None, {"models": {"pack": "/nowhere"}}), SMALL)


def test_the_usual_places_are_the_users_and_this_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert usual_places() == (EMBEDDED_DIRECTORY, tmp_path / "data/minegap/models", tmp_path / "models")


def test_presets_are_whole_configurations() -> None:
    presets = read_presets()
    assert [preset.name for preset in presets] == ["look", "standard", "evening", "night"]
    for preset in presets:
        settings = {section: dict(keys) for section, keys in preset.settings.items()}
        assert load_config(None, settings)
        assert preset.summary.endswith((".", "GPU.", "word."))
    standard = next(preset for preset in presets if preset.name == "standard")
    assert load_config(None, {"search": dict(standard.settings["search"])}) == load_config()
