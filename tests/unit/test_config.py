"""The three layers, and one sentence for every wrong value."""

from pathlib import Path
from typing import Any

import pytest

from engine.config import MiningConfig, prompt_fault, score_config
from engine.config_sources import load_config, parse_config
from engine.errors import InputError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("MINEGAP_"):
            monkeypatch.delenv(name)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_is_the_demo_on_the_embedded_pack() -> None:
    config = load_config()
    search = config.search
    assert config.models.pack == "micro"
    assert (search.population, search.survivors, search.mutations) == (16, 4, 3)
    assert (search.images, search.variations, search.generations, config.session.seed) == (16, 16, 8, 0)


def test_flags_beat_the_environment_and_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "c.toml", "[search]\nimages = 4\nvariations = 5\npopulation = 20\n")
    monkeypatch.setenv("MINEGAP_SEARCH_IMAGES", "6")
    monkeypatch.setenv("MINEGAP_SEARCH_VARIATIONS", "7")
    monkeypatch.setenv("MINEGAP_SEARCH_LINEAGE_CAP", "2")
    search = load_config(path, {"search": {"images": 8, "theme": None}}).search
    assert (search.images, search.variations, search.population, search.lineage_cap) == (8, 7, 20, 2)


def test_a_path_in_the_file_is_relative_to_the_file_and_a_repo_id_is_not(tmp_path: Path) -> None:
    (tmp_path / "sd").mkdir()
    path = write(
        tmp_path / "c.toml",
        '[models]\npainter = "sd"\nscorer = "laion/clip"\n[store]\npath = "mine"\n',
    )
    config = load_config(path)
    assert config.models.painter == str(tmp_path / "sd")
    assert config.models.scorer == "laion/clip"
    assert config.store.path == tmp_path / "mine"


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        ({"search": {"images": 0}}, ["search.images", "= 0", "2", "MINEGAP_SEARCH_IMAGES"]),
        (
            {"search": {"population": 8, "survivors": 3, "mutations": 3}},
            ["survivors × mutations = 9", "population = 8", "to 9"],
        ),
        ({"search": {"survivors": 17}}, ["survivors = 17", "population = 16"]),
        ({"search": {"variations": 1}}, ["search.variations = 1"]),
        ({"search": {"imagse": 3}}, ["search.imagse", "no such key"]),
        ({"search": {"prompts": ["x" * 100_000]}}, ["100000 characters", "shorten"]),
        ({"search": {"prompts": ["a cat\x1b[2J"]}}, ["U+001B", "remove"]),
        ({"search": {"prompts": ["  "]}}, ["is empty"]),
        ({"search": {"theme": "a\x00b"}}, ["U+0000"]),
        ({"painter": {"device": "tpu"}}, ["painter.device = 'tpu'"]),
        ({"painter": {"guidance": float("nan")}}, ["painter.guidance"]),
        ({"session": {"seed": -1}}, ["session.seed = -1"]),
        ({"workers": {"deadline": 0}}, ["workers.deadline = 0", "MINEGAP_WORKERS_DEADLINE"]),
        ({"workers": {"restarts": -1}}, ["workers.restarts = -1"]),
        ({"sarch": {"images": 3}}, ["sarch", "no such key"]),
    ],
)
def test_a_wrong_value_is_one_sentence_with_key_value_and_remedy(
    overrides: dict[str, dict[str, object]], parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        load_config(None, overrides)
    sentence = str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in sentence
    assert len(sentence) < 400
    for part in parts:
        assert part in sentence
    assert "\x1b" not in sentence


@pytest.mark.parametrize("content", [b"[search\n", b"\xff\xfe", b"search = 3\n", b"a = " + b"[" * 5000])
def test_a_malformed_file_is_bad_input(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.toml"):
        load_config(tmp_path / "nothing.toml")


def test_a_path_in_a_flag_or_the_environment_is_found_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine stands elsewhere, so nothing relative may reach it."""
    for name in ("sd15", "micro"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINEGAP_STORE_PATH", "mine")
    config = load_config(None, {"models": {"painter": "sd15", "scorer": "org/repo", "writer": "~/w.gguf"}})
    assert config.store.path == tmp_path / "mine"
    assert config.models.painter == str(tmp_path / "sd15")
    assert config.models.scorer == "org/repo"
    assert config.models.writer == str(Path.home() / "w.gguf")
    assert config.models.pack == "micro"  # the embedded pack, whatever lies about here


def test_an_environment_value_that_is_no_number_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEGAP_SEARCH_IMAGES", "many")
    with pytest.raises(InputError, match=r"search\.images = 'many'"):
        load_config()


def test_a_stored_configuration_reads_back_equal_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = load_config(None, {"search": {"images": 3, "prompts": ["a cat", "a dög 🐕"]}})
    monkeypatch.setenv("MINEGAP_SEARCH_IMAGES", "6")
    assert parse_config(config.model_dump_json(), "session") == config
    with pytest.raises(InputError):
        parse_config('{"search": {"images": 0}}', "session")


def test_scoring_prompts_is_a_session_of_one_generation_that_breeds_nothing() -> None:
    search = score_config(MiningConfig(), ("a cat", "a dog")).search
    assert (search.population, search.generations, search.mutations) == (2, 1, 0)
    assert (
        search.planned == 2 * search.images
    )  # whoever asks for scores wants every prompt measured as well as all
    with pytest.raises(InputError, match="prompt 2"):
        score_config(MiningConfig(), ("a cat", "a\x07"))


def test_ordinary_text_of_any_language_is_a_prompt() -> None:
    for prompt in ("a cat", "Ein Müller", "猫", "👩‍🔬 in a lab", "عالِم"):
        assert prompt_fault(prompt) == ""


@pytest.mark.parametrize(
    ("search", "shares", "images"),
    [
        ({}, "racing", 1128),
        ({"budget": "uniform"}, "uniform", 2048),
        ({"score": "paper"}, "uniform", 2048),  # moves with the number of images: no race could compare
        ({"objective": "red", "score": "paper"}, "racing", 1128),  # a colour does not
        ({"images": 5}, "uniform", 640),  # first looks take all there is
        ({"survivors": 16, "mutations": 1}, "uniform", 2048),  # nobody goes
    ],
)
def test_images_are_raced_for_where_a_race_can_tell_something(
    search: dict[str, Any], shares: str, images: int
) -> None:
    found = load_config(None, {"search": search}).search
    assert (found.shares, found.planned) == (shares, images)
    assert found.look == (4 if shares == "racing" else found.images)
