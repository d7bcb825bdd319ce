"""Textual's driver for a terminal that was asked what it can draw, and whose answers may still be on their way.

The app paints without waiting for them. What was typed ahead is not lost, and no late answer is taken for keys.
"""

from __future__ import annotations

import os
import select
import time
from codecs import getincrementaldecoder
from typing import Final, Protocol, runtime_checkable

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from minegap_tui.probe import Inquiry, Terminal, sift

LATE_SECONDS: Final = 10.0
"""How long answers are told from keys; nothing waits for them."""
_SLICE: Final = 0.1


class Answered(Message):
    """The terminal's answers are complete."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal


@runtime_checkable
class Inquirer(Protocol):
    """An app that asked its terminal before it began."""

    inquiry: Inquiry | None


class AskedDriver(LinuxDriver):
    """Reads the end of the answers before it reads keys."""

    def start_application_mode(self) -> None:
        """Take the terminal over with what it was asked; it gets its own settings back at the end."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        inquiry = self._inquiry
        before = inquiry.hand_over() if inquiry is not None else None
        if before is not None:
            self.attrs_before = before

    def run_input_thread(self) -> None:
        """Hand over what was typed ahead and late answers, then keys."""
        inquiry = self._inquiry
        if inquiry is not None:
            self._hear_out(inquiry)
        super().run_input_thread()

    @property
    def _inquiry(self) -> Inquiry | None:
        return self._app.inquiry if isinstance(self._app, Inquirer) else None

    def _hear_out(self, inquiry: Inquiry) -> None:
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        keys, rest = inquiry.keys()
        was_pending, until = inquiry.pending, time.monotonic() + LATE_SECONDS
        while True:
            for event in [*(parser.feed(text) if (text := decode(keys)) else ()), *parser.tick()]:
                self.process_message(event)
            if not inquiry.pending or self.exit_event.is_set() or time.monotonic() > until:
                break
            if select.select([self.fileno], [], [], _SLICE)[0]:
                keys, rest = sift(rest + inquiry.take(os.read(self.fileno, 4096)))
            else:
                keys, rest = rest, b""
        if was_pending and not inquiry.pending:
            self.process_message(Answered(inquiry.found()))
