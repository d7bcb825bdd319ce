"""What screens with one long table share: its keys, and one reading of a kind at a time."""

from __future__ import annotations

from minegap_tui.screens.page import Page
from minegap_tui.widgets.rows import Rows

SHORT = 17
"""Lines below which the table has the card's room, too."""


class ListingScreen(Page):
    """A screen around a table.

    Args:
        rows: the table, which the keys move in.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._table = rows

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self._table.move(by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self._table.page(by)

    def action_end(self, last: bool) -> None:
        """Move the cursor to the first or the last line."""
        self._table.go(self._table.length - 1 if last else 0)

    def _busy(self, group: str) -> bool:
        return any(
            worker.group == group and worker.node is self and worker.is_running for worker in self.app.workers
        )


class BrowsingScreen(ListingScreen):
    """A table of candidates of any session: each can be inspected, one after the other (``neighbour``)."""
