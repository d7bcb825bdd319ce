"""Which models a configuration means, and one sentence when it means none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.config import MiningConfig
from engine.errors import InputError
from engine.packs import resolve_pack

PACK = """
name = "test"
prompts = "prompts"
[painter_defaults]
steps = 12
guidance = 1.5
width = 64
[writer_defaults]
temperature = 0.8
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    for part in ("painter", "scorer", "prompts"):
        (tmp_path / part).mkdir()
    (tmp_path / "writer.gguf").touch()
    (tmp_path / "pack.toml").write_text(PACK)
    return tmp_path


def config(**sections: dict[str, Any]) -> MiningConfig:
    return MiningConfig.model_validate(sections)


def test_a_pack_names_all_roles_and_their_defaults(pack: Path) -> None:
    found = resolve_pack(config(models={"pack": str(pack)}))
    assert (found.painter, found.scorer) == (str(pack / "painter"), str(pack / "scorer"))
    assert found.writer == str(pack / "writer.gguf")
    assert found.prompts == pack / "prompts"
    assert found.painter_settings == {"steps": 12, "guidance": 1.5, "width": 64, "height": None}
    assert found.writer_settings == {"context": None, "temperature": 0.8}


def test_the_configuration_lies_over_the_packs_defaults(pack: Path) -> None:
    found = resolve_pack(
        config(models={"pack": str(pack)}, painter={"steps": 30, "guidance": 0}, writer={"context": 512})
    )
    assert found.painter_settings == {"steps": 30, "guidance": 0, "width": 64, "height": None}
    assert found.writer_settings == {"context": 512, "temperature": 0.8}


def test_a_replaced_role_loses_the_defaults_of_the_packs_model(pack: Path) -> None:
    found = resolve_pack(config(models={"pack": str(pack), "painter": "org/sdxl", "writer": "/x.gguf"}))
    assert found.painter == "org/sdxl"
    assert set(found.painter_settings.values()) == {None}
    assert set(found.writer_settings.values()) == {None}
    assert found.prompts is None
    assert found.scorer == str(pack / "scorer")


def test_three_own_models_need_no_pack(tmp_path: Path) -> None:
    found = resolve_pack(config(models={"pack": "nowhere", "painter": "a", "scorer": "b", "writer": "c"}))
    assert (found.painter, found.scorer, found.writer) == ("a", "b", "c")


def test_a_pack_may_name_the_drawn_world_or_a_cached_repo(pack: Path) -> None:
    for entry in ("drawing:7", "org/model"):
        (pack / "pack.toml").write_text(f'name = "x"\npainter = "{entry}"\n')
        assert resolve_pack(config(models={"pack": str(pack)})).painter == entry


@pytest.mark.parametrize(
    ("break_it", "parts"),
    [
        (lambda pack: (pack / "pack.toml").unlink(), ["pack.toml", "No such file"]),
        (lambda pack: (pack / "scorer").rmdir(), ["scorer", "copy the whole pack"]),
        (lambda pack: (pack / "writer.gguf").unlink(), ["writer.gguf", "copy the whole pack"]),
        (lambda pack: (pack / "pack.toml").write_text("name = "), ["not valid TOML"]),
        (lambda pack: (pack / "pack.toml").write_bytes(b"\xff"), ["not valid TOML"]),
        (lambda pack: (pack / "pack.toml").write_text("nome = 'x'"), ["cannot be used"]),
        (
            lambda pack: (pack / "pack.toml").write_text("name = 'x'\n[painter_defaults]\nsteps = 0"),
            ["steps"],
        ),
    ],
)
def test_a_broken_pack_is_one_sentence(pack: Path, break_it: Any, parts: list[str]) -> None:
    break_it(pack)
    with pytest.raises(InputError) as caught:
        resolve_pack(config(models={"pack": str(pack)}))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(pack) in sentence
    for part in parts:
        assert part in sentence


def test_meta_prompts_that_are_not_there_are_named(pack: Path) -> None:
    with pytest.raises(InputError, match=r"writer\.prompts"):
        resolve_pack(config(models={"pack": str(pack)}, writer={"prompts": str(pack / "none")}))
