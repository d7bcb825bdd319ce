"""Onto the terminal's clipboard: OSC 52 carries the exact stored text as base64, so that none of it is acted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minegap_tui.desk import StoreDesk
from minegap_tui.view.copying import block_of, prompt_of
from minegap_tui.view.evidence import read_evidence
from store.errors import StoreError

if TYPE_CHECKING:
    from minegap_tui.app import MineApp


def copy(app: MineApp, desk: StoreDesk, candidate_id: int, what: str) -> None:
    """Copy a candidate's prompt, or with ``what`` all a block about it, and say so."""

    async def work() -> None:
        try:
            found = await desk.ask(lambda reader: read_evidence(reader, candidate_id))
        except StoreError as error:
            app.helm.messages.say(str(error), refused=True)
            return
        text = block_of(found) if what == "all" else prompt_of(found)
        app.copy_to_clipboard(text)
        words = "prompt, score and seeds" if what == "all" else "the prompt"
        app.helm.messages.say(
            f"Copied {words} of candidate {candidate_id}: {len(text):,} characters "
            "(OSC 52: some terminals ask first, or refuse)."
        )
        app.redraw()

    app.run_worker(work(), group="copy", exclusive=True)
