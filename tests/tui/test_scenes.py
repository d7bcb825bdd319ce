"""Every place of the app has a scene, and every scene can be photographed, at every size."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from factory import fill
from PIL import Image
from scripted import ScriptedEngine, app_on, snapshot

from engine.errors import MachineError
from minegap_tui.actions.action import Place
from minegap_tui.app import MineApp
from minegap_tui.camera import Scene, enter, leave, take
from minegap_tui.screens.dialog import Dialog
from minegap_tui.screenshots import LOOKS, SCENES, SIZES, SMALLEST, photograph_look
from minegap_tui.settings import UiSettings
from minegap_tui.terminal import Prepared
from minegap_tui.view.doctor import summary
from minegap_tui.widgets.prompt_area import PromptArea

EVERYWHERE = {"app", "session"}
"""Places that are no screens of their own."""


def test_every_place_has_a_scene() -> None:
    assert set(get_args(Place)) - EVERYWHERE == {scene.place for scene in SCENES} - {None}


def test_no_two_scenes_have_one_name() -> None:
    assert len({scene.name for scene in SCENES}) == len(SCENES)


def out_of_sight(dialog: Dialog[object]) -> list[str]:
    """Parts of a dialog that somebody needs and does not see whole."""
    parts = [dialog.query_one(".keys")]
    if isinstance(dialog.focused, PromptArea):
        parts.append(dialog.focused)
    body = dialog.query_one(".body").region
    return [
        repr(part)
        for part in parts
        if not dialog.region.contains_region(part.region)
        or not part.size.height
        or (part is dialog.focused and not body.overlaps(part.region))
    ]


@pytest.mark.parametrize("size", [SIZES[1], SMALLEST])
async def test_every_scene_is_reached_and_left(tmp_path: Path, size: tuple[int, int]) -> None:
    fill(tmp_path / "store", generations=1, population=6, images=6, variations=4)  # to compare with
    session = fill(
        tmp_path / "store", generations=3, population=6, images=4, variations=4, state="interrupted"
    )
    app = app_on(tmp_path / "store", ScriptedEngine(snapshot(session)))
    async with app.run_test(size=size) as pilot:
        for scene in SCENES:
            await enter(app, pilot, scene)
            if isinstance(app.screen, Dialog):
                assert out_of_sight(app.screen) == [], scene.name
            await leave(app, pilot)


async def test_a_picture_is_as_large_as_the_screen(tmp_path: Path) -> None:
    session = fill(tmp_path / "store", generations=1, population=2, images=4, variations=4)
    app = app_on(tmp_path / "store", ScriptedEngine(snapshot(session)))
    async with app.run_test(size=SMALLEST) as pilot:
        await enter(app, pilot, SCENES[0])
        take(app, tmp_path / "live.png")
        with Image.open(tmp_path / "live.png") as picture:
            assert picture.width > 40 * 10
            assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 8


@pytest.mark.parametrize(("name", "ground"), [("ansi", (41, 41, 41)), ("light", (251, 250, 247))])
async def test_every_look_is_photographed_on_its_own_ground(
    tmp_path: Path, name: str, ground: tuple[int, int, int]
) -> None:
    session = fill(tmp_path / "store", generations=1, population=2, images=4, variations=4)
    dressed = Prepared(UiSettings(look=LOOKS[name]))
    app = MineApp(tmp_path / "store", session_id=session, prepared=dressed)
    scenes = [scene for scene in SCENES if scene.name in {"live", "sessions"}]
    await photograph_look(app, tmp_path, name, scenes)
    assert [path.name for path in tmp_path.glob("*.png")] == [f"live-{name}.png"]
    with Image.open(tmp_path / f"live-{name}.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == ground


async def test_a_scene_that_is_not_reached_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minegap_tui.camera._PATIENCE", 1)
    session = fill(tmp_path / "store", generations=1, population=2, images=4, variations=4)
    app = app_on(tmp_path / "store", ScriptedEngine(snapshot(session)))
    async with app.run_test(size=(80, 24)) as pilot:
        with pytest.raises(MachineError, match=r"'nowhere' does not show 'never' after 'j'"):
            await enter(app, pilot, Scene("nowhere", None, (("j", "never"),)))


def test_the_doctors_picture_waits_while_the_screen_says_that_it_checks() -> None:
    (doctor,) = (scene for scene in SCENES if scene.name == "doctor")
    assert doctor.busy
    assert doctor.busy in summary([], running=True)
    assert doctor.busy not in summary([], running=False)
