"""What a user presses and types on the app's screens, and where a test looks for the answer."""

from __future__ import annotations

from typing import Any

from scripted import shown
from textual.pilot import Pilot

from minegap_tui.app import MineApp
from minegap_tui.screenshots import settle
from minegap_tui.widgets.prompt_area import PromptArea


async def press(app: MineApp, pilot: Pilot[Any], *keys: str) -> None:
    """Keys one after the other: the app is waited for after each."""
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    """Keys in a row: the app is waited for after the last one only."""
    await pilot.press(*keys)
    await settle(pilot.app, pilot)  # type: ignore[arg-type]


async def written(pilot: Pilot[int], text: str) -> None:
    """Type a text on the keys."""
    await pressed(pilot, *text)


async def type_in(app: MineApp, pilot: Pilot[Any], text: str) -> None:
    """Put a text where the cursor of the dialog's first area is."""
    app.screen.query_one(PromptArea).insert(text)
    await settle(app, pilot)


def line(app: MineApp, number: int) -> str:
    return shown(app).splitlines()[number]


def message(app: MineApp) -> str:
    return line(app, -2).strip()


def best(app: MineApp) -> int:
    return app.view.leaderboard(1)[0].candidate_id
