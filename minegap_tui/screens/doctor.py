"""The checks of ``minegap doctor``, run in a process of their own and shown as they come."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from textual.app import ComposeResult
from textual.strip import Strip

from minegap_tui.actions.registry import bindings
from minegap_tui.sanitise import fit, wrap
from minegap_tui.screens.listing import ListingScreen
from minegap_tui.terminal import Prepared
from minegap_tui.view.abilities import image_report
from minegap_tui.view.doctor import NAME, Finding, read, summary
from minegap_tui.widgets.bars import TitleLine
from minegap_tui.widgets.panel import Panel, Part
from minegap_tui.widgets.rows import Rows

OURS = frozenset({"terminal", "images"})
"""Checks that only this process can make: the other one has no terminal."""

_LOOKS = {"✓": "muted", "!": "accent", "✗": "error"}
Checks = Callable[[Path], AsyncIterator[str]]


async def run_checks(store: Path) -> AsyncIterator[str]:
    """Yield the lines of ``minegap doctor`` for a store; the process ends with whoever reads it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "minegap_tui.cli", "doctor", "--store", str(store)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            yield line.decode(errors="replace").rstrip()
        await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class DoctorScreen(ListingScreen):
    """One line per check, the chosen one in full below.

    Args:
        store: whose disk and engine are looked at.
        prepared: what the terminal answered.
        colours: what colours are drawn.
        checks: where the lines come from.
    """

    PLACE = "doctor"
    FOREIGN = True
    BINDINGS = bindings(PLACE)
    DEFAULT_CSS = """
    DoctorScreen {
        FindingRows { height: 1fr; margin-top: 1; }
        FindingCard { height: 5; margin-top: 1; }
    }
    """

    def __init__(self, store: Path, prepared: Prepared, colours: str, checks: Checks = run_checks) -> None:
        self._rows = FindingRows()
        super().__init__(self._rows)
        self._store, self._prepared, self._colours, self._checks = store, prepared, colours, checks
        self._title = TitleLine("Doctor")
        self._card = FindingCard()

    def compose(self) -> ComposeResult:
        """Lay out the lines and the chosen one."""
        yield self._title
        yield self._rows
        yield self._card
        yield self.message
        yield self.keys

    def on_mount(self) -> None:
        """Begin to check."""
        self._rows.focus()
        self.action_again()

    def action_again(self) -> None:
        """Run all checks again."""
        self.run_worker(self._run(), group="doctor", exclusive=True)

    def text(self) -> str:
        """Return all of it, for a report of a fault; foreign text in it is not safe to print."""
        return "\n".join(finding.line() for finding in self._rows.findings)

    def action_copy(self) -> None:
        """Put all findings on the terminal's clipboard."""
        text = self.text()
        self.app.copy_to_clipboard(text)
        self._title.say(
            f"copied {len(text.splitlines())} lines (OSC 52: some terminals ask first, or refuse)"
        )

    async def _run(self) -> None:
        findings = self._own()
        self._show(findings, running=True)
        async for line in self._checks(self._store):
            finding = read(line)
            if line and finding.name not in OURS:
                findings = [*findings[:-2], finding, *findings[-2:]]
                self._show(findings, running=True)
        self._show(findings, running=False)

    def _show(self, findings: list[Finding], *, running: bool) -> None:
        self._rows.show_findings(findings)
        self._title.say(summary(findings, running=running))

    def _own(self) -> list[Finding]:
        size = self.app.size
        term = os.environ.get("TERM", "") or "no TERM"
        small = size.width < 80 or size.height < 24
        said = f"{term}, {size.width} x {size.height}, colours: {self._colours}"
        remark = f"{said}; the window is smaller than 80 x 24." if small else f"{said}."
        as_wanted, images = image_report(self._prepared.settings.images, self._prepared.terminal)
        return [
            Finding("!" if small else "✓", "terminal", remark),
            Finding("✓" if as_wanted else "!", "images", images),
        ]

    def on_rows_moved(self) -> None:
        """Show the chosen line in full."""
        self._card.show_finding(self._rows.chosen)


class FindingRows(Rows):
    """One line per check."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []

    @property
    def heading(self) -> str:
        """The title."""
        return "This machine"

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self.findings)

    @property
    def chosen(self) -> Finding | None:
        """The line under the cursor."""
        return self.findings[self.cursor] if self.cursor < self.length else None

    def show_findings(self, findings: list[Finding]) -> None:
        """Take over the findings."""
        self.findings = findings
        self.go(self.cursor)

    def head(self) -> str:
        """Return the columns' names."""
        return f"  {'check':<{NAME}}  finding"

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a line."""
        one = self.findings[place]
        look = _LOOKS.get(one.mark, "")
        plain = "" if one.mark == "✓" else look
        room = max(self.size.width - NAME - 6, 0)
        return [
            (f"{one.mark} ", look),
            (fit(one.name, NAME), "strong" if chosen else plain),
            ("  ", ""),
            (fit(one.sentence, room), "" if chosen else plain or "muted"),
        ]


class FindingCard(Panel):
    """The chosen line as far as its row has no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self._one: Finding | None = None

    @property
    def heading(self) -> str:
        """The title."""
        return "In full"

    def show_finding(self, one: Finding | None) -> None:
        """Take over a finding."""
        if one != self._one:
            self._one = one
            self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw one line of it."""
        if self._one is None:
            return self.strip([])
        lines = wrap(self._one.sentence, max(self.size.width - 4, 10), self.body_height)
        return self.strip([(f"  {lines[y]}", "")] if y < len(lines) else [])
