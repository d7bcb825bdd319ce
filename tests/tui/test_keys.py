"""The registry of actions feeds keys, footer, help and palette; the user's own keys go through all of them."""

from __future__ import annotations

import base64
import re
from collections import Counter
from pathlib import Path

import pytest
from commandline import Minegap
from factory import fill
from scripted import ScriptedEngine, app_on, shown, snapshot

from engine import protocol
from engine.errors import InputError
from minegap_tui.actions.registry import ACTIONS, MOVES, TITLES, offered
from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.keymap import Keymap, key_word, keymap_of
from minegap_tui.screens.help import HelpScreen
from minegap_tui.screens.theme import ThemeScreen
from minegap_tui.settings import load_settings
from minegap_tui.terminal import Prepared
from minegap_tui.widgets.bars import KeyLine


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=8, images=6, variations=8)


def test_every_action_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(action.id for action in ACTIONS).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9-]+", action.id) for action in ACTIONS)


@pytest.mark.parametrize("place", TITLES)
def test_no_key_does_two_things_in_one_place(place: str) -> None:
    keys = Counter(key for action in offered(place) for key in action.keys)  # type: ignore[arg-type]
    assert [key for key, count in keys.items() if count > 1] == []


def test_how_keys_are_written() -> None:
    words = [key_word(key) for key in ("question_mark", "ctrl+u", "enter", "up", "f1", "slash", "G", "space")]
    assert words == ["?", "^u", "⏎", "↑", "F1", "/", "G", "space"]
    assert key_word("enter", ascii_only=True) == "enter"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"live.folow": "f"}, r"no action 'live.folow' .* did you mean live.follow\?"),
        ({"nonsense": "f"}, "no action 'nonsense' .* 'minegap keys' lists them all"),
        ({"live": {"follow": "ctrl+hotdog"}}, "live.follow the key 'ctrl\\+hotdog', which is none"),
        ({"live": {"follow": ""}}, "live.follow the key '', which is none"),
        ({"live": {"follow": "p"}}, "live.follow the key 'p', which is session.pause's"),
        ({"live": {"follow": "question_mark"}}, r"live.follow the key '\?', which is app.help's"),
        ({"session.pin": "j"}, "session.pin the key 'j', which is live.down's"),
        ({"session": {"pin": "x", "ban": "x"}}, "the key 'x', which is"),
        ({"live": {"follow": "ctrl+c"}}, "which is app.detach's"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(given: dict[str, str | dict[str, str]], words: str) -> None:
    with pytest.raises(InputError) as caught:
        keymap_of(given)
    assert re.search(words, str(caught.value)), str(caught.value)
    assert caught.value.exit_code == 2


def test_keys_change_places() -> None:
    keymap = keymap_of(
        {"session": {"pause": "P", "pause-after": "p"}, "app.detach": "f9,?", "app.help": "f1"}
    )
    by_id = {action.id: action for action in ACTIONS}
    assert keymap.keys(by_id["session.pause"]) == ("P",)
    assert keymap.keys(by_id["app.detach"]) == ("f9", "question_mark", "ctrl+c", "ctrl+q")
    assert keymap.all_shown(by_id["app.detach"]) == "F9 ? ^c ^q"


def test_a_wrong_key_ends_the_command(
    minegap: Minegap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ui.toml"
    monkeypatch.setenv("MINEGAP_UI_FILE", str(file))
    file.write_text('[keys]\nlive.follow = "p"\n')
    done = minegap("keys")
    assert done.returncode == 2
    assert "session.pause's" in done.stderr
    file.write_text('[keys]\nlive.follow = "f,space"\n')
    done = minegap("keys")
    assert done.returncode == 0
    assert re.search(r"^live\.follow +f space +Hold the selected", done.stdout, re.MULTILINE)


async def test_rebound_keys_work_and_are_shown_everywhere(mined: tuple[Path, str], tmp_path: Path) -> None:
    file = tmp_path / "ui.toml"
    file.write_text('[keys]\nlive.follow = "f"\napp.help = "f2"\nlive.inspect = "o"\n"app.detach" = "f9"\n')
    settings = load_settings({"MINEGAP_UI_FILE": str(file)})
    app = MineApp(*mined, prepared=Prepared(settings, keymap=keymap_of(settings.keys)))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, pilot)
        board = app._live.leaderboard
        assert board.following
        await pilot.press("space")
        assert board.following
        await pilot.press("f")
        assert not board.following
        await pilot.press("enter", "question_mark")
        await settle(app, pilot)
        last = shown(app).splitlines()[-1]
        assert "o inspect" in last
        assert "F2 help" in last
        assert "F9 quit" in last
        await pilot.press("f2")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert re.search(r"\bf +Hold the selected candidate", shown(app))
        await pilot.press("escape")
        await pilot.press("q")
        await settle(app, pilot)
        assert app.is_running
        await pilot.press("f9")
        await pilot.pause()
    assert app.return_value == 0


async def test_a_rebound_key_never_leaves_an_editor(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine, prepared=Prepared(keymap=Keymap({"app.detach": ("x",)})))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("i", "x", "x")
        await settle(app, pilot)
        assert app.is_running
        assert "xx" in shown(app)


async def test_the_footer_says_what_a_key_does_now(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = app_on(mined[0], engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "p pause" in shown(app)
        assert "q detach" in shown(app)
        engine.say(protocol.StateChanged(state="paused", reason="paused by ann"))
        await settle(app, pilot)
        assert "p resume" in shown(app)
        engine.say(
            protocol.Finished(session_id=mined[1], state="finished", generations=2, scored=16, best=None)
        )
        await settle(app, pilot)
        assert "q quit" in shown(app)
        assert "detach" not in shown(app)


async def test_a_click_on_the_footer_is_the_key(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        line = shown(app).splitlines()[-1]
        await pilot.click(KeyLine, offset=(line.index("? help") - 1, 0))
        await settle(app, pilot)
        assert isinstance(app.screen, HelpScreen)


async def test_the_help_begins_with_where_the_user_is(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("slash")
        await settle(app, pilot)
        await pilot.press("question_mark")
        await settle(app, pilot)
        text = shown(app)
        assert text.index("History") < text.index("Everywhere")
        assert "Steering" not in text or text.index("Everywhere") < text.index("Steering")


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_offers_what_can_be_done_here(mined: tuple[Path, str], key: str) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 50)) as pilot:
        await settle(app, pilot)
        await pilot.press(key, *"colours")
        while "Choose the colours" not in shown(app):  # the palette searches beside
            await pilot.pause(0.05)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, ThemeScreen)


async def test_what_cannot_be_done_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on(tmp_path, ScriptedEngine(snapshot("01M7Z32E8P6H2QSMSKVMA6XA98")))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for key, words in (
            ("y", "nothing to copy"),
            ("enter", "wait for the first score"),
            ("space", "wait for the first score"),
            ("T", "NO_COLOR is set"),
        ):
            await pilot.press(key)
            await settle(app, pilot)
            assert words in shown(app), key


async def test_colours_are_tried_and_kept_or_not(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        before = app.theme
        await pilot.press("T", "down", "down")
        await pilot.pause()
        assert app.theme == "light"
        await pilot.press("escape")
        await pilot.pause()
        assert app.theme == before
        await pilot.press("T", "down", "down", "down", "enter")
        await settle(app, pilot)
        assert app.theme == "safe"
        assert "The theme is safe" in shown(app)


async def test_copying_takes_the_exact_text(mined: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    app = MineApp(*mined)
    sent: list[str] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        monkeypatch.setattr(app._driver, "write", sent.append)
        await pilot.press("y")
        await settle(app, pilot)
        best = app.view.leaderboard(1)[0]
        assert f"Copied the prompt of candidate {best.candidate_id}" in shown(app)
        await pilot.press("Y")
        await settle(app, pilot)
        assert app.evidence is not None
        copied = [
            base64.b64decode(found[1]).decode()
            for text in sent
            if (found := re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", text))
        ]
    assert copied[0] == best.prompt
    assert copied[1].startswith(best.prompt + "\n")
    for part in (mined[1], f"{best.score:.6g}", str(app.evidence.pictures[0].seed), "missed:"):
        assert part in copied[1]


@pytest.mark.parametrize(
    ("variable", "name"),
    [("LIVE_FOLLOW", "live.follow"), ("SESSION_PAUSE_AFTER", "session.pause-after")],
)
def test_the_environment_binds_keys_as_the_file_does_and_comes_first(
    tmp_path: Path, variable: str, name: str
) -> None:
    place, _, action = name.partition(".")
    file = tmp_path / "ui.toml"
    file.write_text(f'[keys]\n{place} = {{ {action} = "f6" }}\n')
    given = {"MINEGAP_UI_FILE": str(file)}
    bound = next(one for one in ACTIONS if one.id == name)
    assert keymap_of(load_settings(given).keys).keys(bound) == ("f6",)
    given |= {f"MINEGAP_UI_KEYS_{variable}": "f5"}
    assert keymap_of(load_settings(given).keys).keys(bound) == ("f5",)


def test_every_action_can_be_bound_by_the_environment() -> None:
    for action in ACTIONS:
        variable = action.id.replace(".", "_", 1).replace("-", "_").upper()
        found = load_settings({"MINEGAP_UI_KEYS_" + variable: "f9", "MINEGAP_UI_FILE": "/dev/null"}).keys
        assert found == {action.id: "f9"}


def test_every_place_says_what_the_arrows_do() -> None:
    assert set(MOVES) == set(TITLES)
