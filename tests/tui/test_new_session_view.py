"""The form of a new session, without a screen: its fields are the configuration's, its verdicts the command line's."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine.config import KNOBS, MiningConfig
from engine.errors import InputError
from engine.inventory import Need
from engine.models.discovery import FoundModel
from engine.preset_files import read_presets
from minegap_tui.commands.options import configured
from minegap_tui.view import knobs, outlook
from minegap_tui.view.newsession import FIXED, Draft
from minegap_tui.view.outlook import Pace, Turn, facts, span
from minegap_tui.view.settings_model import sections, setting, written

GIB = 1 << 30


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draft:
    monkeypatch.chdir(tmp_path)
    return Draft(tmp_path / "store", read_presets())


def by_command_line(draft: Draft) -> MiningConfig:
    """What the command that the form names would mine."""
    words = shlex.split(draft.command())
    assert words[:2] == ["minegap", "mine"]
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    store = [Path(words[place + 1]) for place, word in enumerate(words) if word == "--store"]
    return configured(None, tuple(settings), store=store[0] if store else None)


def test_every_field_of_the_configuration_is_a_setting_that_says_what_it_means() -> None:
    found = {one.name for part in sections() for one in part.settings}
    model = {
        f"{name}.{key}"
        for name, info in MiningConfig.model_fields.items()
        for key in info.annotation.model_fields  # type: ignore[union-attr]
    }
    assert found == model
    for part in sections():
        assert part.meaning, part.name
        for one in part.settings:
            assert 3 < len(one.meaning) < 60, one.name
            assert written(getattr(getattr(MiningConfig(), part.name), one.key)) is not None


@pytest.mark.parametrize(
    ("name", "kind", "optional", "bounds", "choices"),
    [
        ("session.name", "text", False, "", ()),
        ("session.seed", "whole number", False, "0, below 2⁶³", ()),
        ("search.images", "whole number", False, "2 to 4,096", ()),
        ("search.survivors", "whole number", False, "at least 1", ()),
        ("search.alpha", "number", False, "0 to 100", ()),
        ("search.axis", "text", False, "at most 200 characters", ()),
        ("search.elitist", "choice", False, "", ("no", "yes")),
        ("search.prompts", "lines", False, "", ()),
        ("search.objective", "choice", False, "", ("bias", "red", "green", "blue")),
        ("painter.steps", "whole number", True, "1 to 1,000", ()),
        ("painter.device", "text", False, "", ("auto", "cpu", "cuda:0")),
        ("writer.temperature", "number", True, "above 0, at most 5", ()),
    ],
)
def test_a_setting_is_read_from_its_type(
    name: str, kind: str, optional: bool, bounds: str, choices: tuple[str, ...]
) -> None:
    one = setting(*name.split("."))
    assert (one.kind, one.optional, one.bounds, one.choices) == (kind, optional, bounds, choices)


def test_the_knobs_are_the_same_settings() -> None:
    assert [field.key for field in knobs.FIELDS] == list(KNOBS)
    assert knobs.FIELDS[-1].name == "writer.prompts"


def test_an_untouched_form_is_what_mine_does_without_a_word(draft: Draft, tmp_path: Path) -> None:
    checked = draft.check()
    assert checked.config == configured(None, store=tmp_path / "store")
    assert (checked.fault, checked.faults) == ("", {})
    assert draft.preset is not None
    assert draft.preset.name == "standard"
    assert by_command_line(draft) == checked.config


def test_advanced_sections_come_last_and_folded(draft: Draft) -> None:
    heads = [line.section.name for line in draft.lines() if line.kind == "head" and line.section]
    assert heads == ["session", "models", "search", "painter", "scorer", "writer", "confirm", "workers"]
    shown = {line.setting.name for line in draft.lines() if line.setting}
    assert "search.images" in shown
    assert not any(name.startswith(("painter.", "workers.", FIXED)) for name in shown)
    painter = next(line.section for line in draft.lines() if line.section and line.section.name == "painter")
    draft.fold(painter)
    assert "painter.steps" in {line.setting.name for line in draft.lines() if line.setting}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("search.images", "1"),
        ("search.images", "many"),
        ("search.images", "1.5"),
        ("search.survivors", "9"),
        ("search.score", "best"),
        ("search.axis", "a\x1bb"),
        ("models.pack", ""),
        ("painter.device", "cuda:x"),
        ("session.seed", "-1"),
    ],
)
def test_what_is_wrong_is_said_in_the_command_lines_words(draft: Draft, name: str, text: str) -> None:
    one = setting(*name.split("."))
    draft.write(one, text)
    checked = draft.check()
    assert checked.config is None
    with pytest.raises(InputError) as caught:
        by_command_line(draft)
    assert checked.fault == str(caught.value)
    assert set(checked.faults) & {name, one.section}


def test_every_wrong_setting_is_marked(draft: Draft) -> None:
    for name in ("search.images", "painter.steps", "session.seed"):
        draft.write(setting(*name.split(".")), "x")
    checked = draft.check()
    assert set(checked.faults) == {"search.images", "painter.steps", "session.seed"}
    assert "(2 more like it)" in checked.fault


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("session.name", "5", "5"),
        ("session.name", "true", "true"),
        ("session.name", 'say "hi" \\ $HOME', 'say "hi" \\ $HOME'),
        ("search.axis", "hair", "hair"),
        ("search.images", " 8 ", 8),
        ("search.alpha", "1e-1", 0.1),
        ("search.elitist", "yes", True),
        ("search.prompts", 'a cat\n\n a "dog" \n', ("a cat", ' a "dog" ')),
        ("painter.steps", "30", 30),
        ("writer.prompts", "", None),
        ("models.painter", "some/model", "some/model"),
    ],
)
def test_what_is_written_is_mined_and_the_command_means_the_same(
    draft: Draft, name: str, text: str, value: object
) -> None:
    one = setting(*name.split("."))
    draft.write(one, text)
    config = draft.check().config
    assert config is not None
    assert getattr(getattr(config, one.section), one.key) == value
    assert by_command_line(draft) == config


def test_an_emptied_number_is_as_usual(draft: Draft) -> None:
    images = setting("search", "images")
    draft.write(images, "8")
    assert draft.is_own(images)
    draft.write(images, "")
    assert not draft.is_own(images)
    assert draft.text(images) == "16"


def test_the_environment_is_what_is_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEGAP_SEARCH_IMAGES", "5")
    draft = Draft(tmp_path)
    assert draft.text(setting("search", "images")) == "5"
    assert not draft.is_own(setting("search", "images"))
    monkeypatch.setenv("MINEGAP_SEARCH_IMAGES", "none")
    broken = Draft(tmp_path)
    assert "MINEGAP_SEARCH_IMAGES" in broken.check().fault


def test_choices_go_round(draft: Draft) -> None:
    objective = setting("search", "objective")
    for expected in ("red", "green", "blue", "bias"):
        draft.step(objective, 1)
        assert draft.text(objective) == expected
    draft.step(objective, -1)
    assert draft.text(objective) == "blue"


def test_presets_fill_the_form_and_each_can_be_mined(draft: Draft) -> None:
    draft.write(setting("session", "name"), "mine")
    draft.write(setting("search", "images"), "5")
    assert draft.preset is None
    sizes = []
    for _ in draft.presets:
        draft.step_preset(1)
        config = draft.check().config
        assert config is not None
        assert draft.preset is not None
        assert draft.preset.images == config.search.planned
        sizes.append(draft.preset.images)
        assert config.session.name == "mine"
        assert draft.preset.summary
    assert sizes == sorted(sizes)
    draft.step_preset(1)
    assert draft.preset == draft.presets[0]


# ---------------------------------------------------------------- the outlook


def said(found: list[outlook.Fact]) -> str:
    return "\n".join(f"{name} {text}" for name, text, _ in found)


def test_the_outlook_without_any_experience() -> None:
    text = said(facts(MiningConfig(), None, None, Turn()))
    assert "images 1,128" in text
    assert "8 generations × 16 prompts, raced for: about 9 each" in text
    assert "unknown until the first batch" in text
    assert "turn begins at once" in text


def test_the_outlook_goes_by_the_store_and_says_so() -> None:
    pace = Pace(0.5, 2048, "\x1b[31mold", "2026-11-20T10:00:00Z")
    text = said(facts(MiningConfig(), pace, None, Turn("busy", True, 2)))
    assert "time about 38 minutes" in text
    assert "0.5 images/s in “␛[31mold”" in text
    assert "disk about 2.2 MiB" in text
    assert "waits for “busy”, which is paused and 2 more" in text


def test_the_outlook_of_equal_shares_is_a_plain_product() -> None:
    """The paper's score moves with the number of images, so nobody races for it whatever the budget says."""
    for search in ({"budget": "uniform"}, {"score": "paper"}):
        text = said(facts(MiningConfig.model_validate({"search": search}), None, None, Turn()))
        assert "images 2,048" in text
        assert "8 generations × 16 prompts × 16" in text


def test_memory_is_an_estimate_that_may_not_fit() -> None:
    model = FoundModel("painter", "SDXL", "x", Path("x"), 1, 9 * GIB, "GPU 0 (A)", True)
    for free, word in ((8 * GIB, "does not fit"), (16 * GIB, "fits")):
        need = Need((model,), "GPU 0 (A)", 10 * GIB, free)
        found = facts(MiningConfig(), None, need, Turn())
        memory = next(fact for fact in found if fact[0] == "memory")
        assert memory[1] == f"{word}: 10.0 GiB of {free // GIB}.0 GiB free"
        assert memory[2] == ("" if word == "fits" else "error")
    broken = Need((model,), "CPU", 0, 1, "The painter is damaged.")
    assert "models The painter is damaged." in said(facts(MiningConfig(), None, broken, Turn()))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "a minute"), (80, "a minute"), (600, "10 minutes"), (7200, "2.0 hours"), (400000, "4.6 days")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
