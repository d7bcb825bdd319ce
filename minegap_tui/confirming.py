"""How a confirmation begins from within the app: what it would take is read, shown, and asked of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.client import command_id
from engine.commands import Confirm
from engine.errors import MineGapError
from minegap_tui.desk import StoreDesk
from store.errors import StoreError

if TYPE_CHECKING:
    from minegap_tui.app import MineApp
    from minegap_tui.view.confirming import Confirmable
    from store import Reader

READING = "confirmation"


class Confirming:
    """Confirms sessions for one app.

    Args:
        desk: where the store is read.
    """

    def __init__(self, app: MineApp, desk: StoreDesk) -> None:
        self._app, self._desk = app, desk

    def open(self, session_id: str) -> None:
        """Show what a confirmation would take, and ask whether."""
        self._app.run_worker(self._open(session_id), group=READING, exclusive=True)

    async def _open(self, session_id: str) -> None:
        from minegap_tui.screens.confirm import ConfirmScreen

        try:
            one = await self._desk.ask(lambda reader: confirmable(reader, session_id))
        except (MineGapError, StoreError) as error:
            self._say(str(error))
            return
        if not one.prompts:
            self._say("No candidate has a score yet: there is nothing to confirm.")
            return

        async def commit(top: int, images: int) -> str:
            return await self._ask(one, top, images)

        self._app.push_screen(ConfirmScreen(one, commit))

    async def _ask(self, one: Confirmable, top: int, images: int) -> str:
        app, number = self._app, command_id()
        app.helm.messages.ask(number, "confirm what was found")
        usual = one.usual
        order = Confirm(
            id=number,
            session_id=one.session_id,
            top=top if top != usual[0] else None,
            images=images if images != usual[1] else None,
            at_end=one.at_end,
        )
        try:
            connection = await app.door.start()
            try:
                answer = await connection.ask(order)
            finally:
                await connection.close()
        except MineGapError as error:
            app.helm.messages.answer(number, str(error), refused=True)
            return str(error)
        app.helm.messages.answer(number, answer.sentence)
        if not one.at_end:
            app.library.show(one.session_id, answer.sentence)
        return ""

    def _say(self, sentence: str) -> None:
        self._app.helm.messages.say(sentence, refused=True)
        self._app.redraw()


def confirmable(reader: Reader, session_id: str) -> Confirmable:
    """Return what there is to confirm of a session.

    Raises:
        InputError: a newer program wrote its configuration.
        StoreError: it cannot be read.
    """
    from engine.findings import UNSELECTED
    from minegap_tui.commands.fork import in_force
    from minegap_tui.pace import pace_of, turn_of
    from minegap_tui.screens.sessions import state_now
    from minegap_tui.view.confirming import Confirmable

    now = state_now(reader, session_id)
    session = now.session
    config = in_force(session, reader.steering(session_id), max(session.generations, 1))
    ranked = reader.leaderboard(session_id, 1_000_000)
    return Confirmable(
        session_id,
        session.name,
        now.state,
        config,
        prompts=len({one.prompt for one in ranked}),
        unselected=len({one.prompt for one in ranked if one.origin in UNSELECTED}),
        pace=pace_of(reader, config),
        turn=turn_of(reader),
        before=reader.confirmation(session_id),
    )
