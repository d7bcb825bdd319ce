"""The way into the compare screen: which sessions it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minegap_tui.screens.compare import CompareScreen
from minegap_tui.screens.sessions import SessionsScreen

if TYPE_CHECKING:
    from minegap_tui.app import MineApp


def open_comparison(app: MineApp) -> None:
    """Compare the two that are marked, or the session under the cursor or on the screen with one that is asked for."""
    screen = app.screen
    if isinstance(screen, SessionsScreen):
        chosen = (screen.chosen.session.id,) if screen.chosen is not None else ()
        wanted = tuple(dict.fromkeys((*app.library.marked, *chosen)))[:2]
    else:
        wanted = (app.view.session_id,) if app.view.session_id else ()
    if not wanted:
        app.helm.messages.say("There is no session to compare yet: mine one first.", refused=True)
        app.redraw()
        return
    app.helm.messages.say("")
    app.push_screen(CompareScreen(app.store, wanted, app.library.inspect, app.memory))
