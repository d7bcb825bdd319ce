"""Textual's own way to the terminal: what goes this way lies between two frames, never inside one."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty
from typing import Any

from textual.app import App
from textual.drivers._writer_thread import WriterThread


class AppPort:
    """The writer of a running app. Its queue is Textual's own and blocks where it is full, so ask ``idle`` first."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    def ready(self) -> bool:
        """Whether the app writes to a terminal; tests have none."""
        return self._writer is not None

    def idle(self) -> bool:
        """Whether no frame waits to be written."""
        writer = self._writer
        return writer is not None and writer._queue.empty()

    def write(self, text: str) -> None:
        """Write after what waits."""
        writer = self._writer
        if writer is not None:
            writer.write(text)

    def give_up(self) -> None:
        """Drop what waits: nobody reads it any more, and a full queue would hold up the app's end."""
        writer = self._writer
        with suppress(Empty):
            while writer is not None:
                writer._queue.get_nowait()

    @property
    def _writer(self) -> WriterThread | None:
        writer = getattr(self._app._driver, "_writer_thread", None)
        return writer if isinstance(writer, WriterThread) else None
