"""How a session begins from within the app: the welcome, the form, and what is asked of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.client import command_id
from engine.commands import Open
from engine.errors import InputError, MineGapError
from minegap_tui.desk import StoreDesk

if TYPE_CHECKING:
    from engine.config import MiningConfig
    from minegap_tui.app import MineApp
    from minegap_tui.view.newsession import Draft


class Beginning:
    """Begins sessions for one app.

    Args:
        desk: where the store is read.
    """

    def __init__(self, app: MineApp, desk: StoreDesk) -> None:
        self._app, self._desk = app, desk
        self._draft: Draft | None = None

    def new(self) -> None:
        """Show the form, with what was written into it before."""
        from engine.preset_files import read_presets
        from minegap_tui.screens.new import NewSessionScreen
        from minegap_tui.view.newsession import Draft

        if self._draft is None:
            self._draft = Draft(self._app.store, read_presets())
        self._app.helm.messages.say("")
        self._app.push_screen(NewSessionScreen(self._draft, self._desk, self.begin))

    def welcome(self) -> None:
        """Show what will happen to somebody who has mined nothing yet."""
        from minegap_tui.screens.welcome import WelcomeScreen

        self._app.push_screen(WelcomeScreen(self._app.store, self.demo, self._app.library.home))

    def demo(self) -> None:
        """Begin with the embedded models, as ``minegap mine`` does."""
        from engine.config_sources import load_config

        try:
            config = load_config(None, {"store": {"path": str(self._app.store)}})
        except InputError as error:  # the environment's
            self._app.helm.messages.say(str(error), refused=True)
        else:
            self._app.run_worker(self.begin(config), group="ask", exclusive=True)

    async def begin(self, config: MiningConfig) -> str:
        """Ask the engine, started if need be, for a session, and follow it; returns its refusal."""
        app, number = self._app, command_id()
        app.helm.messages.ask(number, "begin the session")
        app.redraw()
        try:
            connection = await app.door.start()
            try:
                answer = await connection.ask(Open(id=number, config=config.model_dump_json()))
            finally:
                await connection.close()
        except MineGapError as error:
            app.helm.messages.answer(number, str(error), refused=True)
            return str(error)
        app.helm.messages.answer(number, answer.sentence)
        self._draft = None
        app.library.show(answer.session_id, answer.sentence)
        return ""
