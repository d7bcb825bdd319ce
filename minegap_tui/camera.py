"""Runs the app without a terminal, leads it to a screen and takes pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.terminal_theme import SVG_EXPORT_THEME
from textual.pilot import Pilot

from engine.errors import MachineError
from minegap_tui.actions.action import Place
from minegap_tui.app import MineApp
from minegap_tui.helm import ASKING
from minegap_tui.plain import ascii_text
from minegap_tui.raster import rasterise

WAITING = frozenset({"engine", "doctor", ASKING})
"""Groups of workers that last as long as another process wants."""
COLOURS = 192
"""Of a picture file: more than anybody tells apart in half-blocks, at a third of the bytes."""
_PATIENCE = 100
_PAUSE = 0.1


@dataclass(frozen=True)
class Scene:
    """A screen or dialog, and how a user comes to it.

    Attributes:
        name: of the picture's file.
        place: the registry's name of the screen; None for a dialog.
        steps: pairs of a key, by Textual's name, and words that stand on the screen once it had its effect;
            the first one is pressed on the live screen. The words are the app's own, never a session's.
        engine: whether an engine must mine.
        small: whether it is photographed at the smallest size too.
        busy: words that stand there as long as more is to come; a picture waits until they are gone.
    """

    name: str
    place: Place | None
    steps: tuple[tuple[str, str], ...] = ()
    engine: bool = False
    small: bool = False
    busy: str = ""


async def settle(app: MineApp, pilot: Pilot[Any]) -> None:
    """Wait until what the app knows is drawn: messages handled, evidence read, images decoded."""
    for _ in range(3):
        await pilot.pause()
        app.redraw(at_once=True)
        reading = [worker for worker in app.workers if worker.group not in WAITING]
        if reading:
            await app.workers.wait_for_complete(reading)
    await pilot.pause()


async def enter(app: MineApp, pilot: Pilot[Any], scene: Scene) -> None:
    """Lead the app from the live screen to a scene.

    Raises:
        MachineError: a key did not have its effect.
    """
    await settle(app, pilot)
    for key, wanted in scene.steps:
        words = ascii_text(wanted) if app.look.ascii else wanted
        await pilot.press(key)
        await settle(app, pilot)
        for _ in range(_PATIENCE):
            if words in shown(app):
                break
            await pilot.pause(_PAUSE)
        else:
            raise MachineError(
                f"Scene {scene.name!r} does not show {words!r} after {key!r}: correct its steps."
            )
    await settle(app, pilot)


async def complete(app: MineApp, pilot: Pilot[Any], scene: Scene) -> None:
    """Wait until a scene shows all that it is going to show."""
    while scene.busy and scene.busy in shown(app):
        await pilot.pause(_PAUSE)
    await settle(app, pilot)


async def leave(app: MineApp, pilot: Pilot[Any]) -> None:
    """Lead the app back to the live screen, as a user would."""
    while app.screen is not app.get_default_screen():
        before = app.screen
        await pilot.press("escape")
        await settle(app, pilot)
        if app.screen is before:
            await pilot.press("escape")  # the first one left a line that was typed in
            await settle(app, pilot)
        if app.screen is before:
            raise MachineError(f"Escape does not leave {type(before).__name__}: bind it.")


def shown(app: MineApp) -> str:
    """Return the screen's text, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()[:height]
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in lines)


def take(app: MineApp, path: Path) -> None:
    """Write the screen as a PNG file of few colours."""
    ground = app.theme_variables["background"]
    if not ground.startswith(
        "#"
    ):  # the terminal's own: Rich writes colours without a number as this theme has them
        ground = SVG_EXPORT_THEME.background_color.hex
    image = rasterise(app.export_screenshot(), (app.size.width, app.size.height), ground)
    image.quantize(COLOURS).save(path, optimize=True)
