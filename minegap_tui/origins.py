"""What leads from a candidate to where it comes from: the lineage, and the words of the LLM that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minegap_tui.desk import StoreDesk
from minegap_tui.screens.page import EvidencePage
from minegap_tui.view.evidence import Evidence, read_evidence
from store.errors import StoreError

if TYPE_CHECKING:
    from minegap_tui.app import MineApp

READING = "origins"


class Origins:
    """Opens those screens for one app; has a reader of its own, so that a large family holds nothing else up."""

    def __init__(self, app: MineApp) -> None:
        self._app = app
        self._desk = StoreDesk(app.store)

    async def close(self) -> None:
        """End the reader."""
        await self._desk.close()

    def lineage(self) -> None:
        """Show the tree of the session of the candidate on the screen; without one, that of the session."""
        from minegap_tui.screens.lineage import LineageScreen

        found = self._subject()
        session_id = found.session_id if found is not None else self._app.view.session_id
        if not session_id:
            self._say("No session is open: S lists them.")
            return
        focus = found.candidate_id if found is not None else None
        self._app.push_screen(LineageScreen(self._desk, session_id, focus, self.inspect))

    def exchanges(self) -> None:
        """Show what the LLM was asked and said for the candidate on the screen."""
        from minegap_tui.screens.exchanges import ExchangesScreen

        found = self._subject()
        if found is None:
            self._say("No candidate is selected yet: the first one appears when it is scored.")
            return
        self._app.push_screen(ExchangesScreen(self._desk, found.candidate_id))

    def inspect(self, candidate_id: int) -> None:
        """Show all evidence of a candidate of the tree."""
        self._app.typed_ahead.expect()
        self._app.run_worker(self._inspect(candidate_id), group=READING, exclusive=True)

    async def _inspect(self, candidate_id: int) -> None:
        from minegap_tui.screens.found import FoundScreen
        from minegap_tui.screens.inspect import InspectScreen
        from minegap_tui.screens.lineage import LineageScreen

        try:
            evidence = await self._desk.ask(lambda reader: read_evidence(reader, candidate_id))
        except StoreError as error:
            self._say(str(error))
            evidence = None
        if evidence is not None and isinstance(self._app.screen, LineageScreen):
            # What the leaderboard has can be steered from here, too.
            steered = evidence.session_id == self._app.view.session_id and self._app.select(candidate_id)
            screen = InspectScreen if steered else FoundScreen
            self._app.push_screen(screen(evidence, self._app.helm.why_not))
        self._app.typed_ahead.arrived()

    def _subject(self) -> Evidence | None:
        screen = self._app.screen
        return screen.evidence if isinstance(screen, EvidencePage) else self._app.evidence

    def _say(self, sentence: str) -> None:
        self._app.helm.messages.say(sentence, refused=True)
        self._app.redraw()
