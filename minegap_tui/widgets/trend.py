"""Best and median score of every generation as two lines, on the ground of the scores' middle half."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.strip import Strip

from minegap_tui.view import figures
from minegap_tui.view.plot import Cell, Series, plot
from minegap_tui.view.session import TrendPoint
from minegap_tui.widgets.panel import Panel, Part

_LABEL = figures.SCORE_WIDTH + 1
_LOOKS = ("accent", "muted", "rule")
_ASCII = "*+."


class Trend(Panel):
    """A plot over generations; its horizontal axis holds the whole session, so nothing shifts as it fills."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._points: Sequence[TrendPoint] = ()
        self._generations = 1
        self._reliability: float | None = None
        self._so_far = False
        self._held: tuple[float, float] | None = None
        self._drawn: tuple[int, int, list[list[Cell]]] | None = None

    def hold(self, limits: tuple[float, float] | None) -> None:
        """Keep the vertical axis at least so wide, whatever the points: it does not move while they come and go."""
        self._held, self._drawn = limits, None
        self.refresh()

    def show_trend(
        self,
        points: Sequence[TrendPoint],
        generations: int,
        reliability: float | None = None,
        *,
        so_far: bool = False,
    ) -> None:
        """Take over the points.

        Args:
            points: of all generations that have scores.
            generations: how many there will be.
            reliability: that of one score.
            so_far: whether that is not confirmed yet.
        """
        last = points[-1].generation if points else 1
        new = points, max(generations, last, 1), reliability, so_far
        if new != (self._points, self._generations, self._reliability, self._so_far):
            self._points, self._generations, self._reliability, self._so_far = new
            self._drawn = None
            self.refresh()

    @property
    def heading(self) -> str:
        """The plot's title, as long as there is room for; the scores' reliability as soon as it is measured."""
        if self._reliability is not None:
            measured = f"reliability{' so far' if self._so_far else ''} {self._reliability:.2f}"
            whole = f"Trend · {measured}"
            return whole if len(whole) < self.size.width else measured.capitalize()
        return "Bias score by generation" if self.size.width >= 44 else "Trend"

    def aside(self) -> str:
        """Say which line is which."""
        if not self._points:
            return ""
        lines = "* best  + median" if self.ascii_only else "━ best  ┅ median"
        whole = f"{lines}  {'.' if self.ascii_only else '⠢'} middle half"
        return whole if self.has_room_for(whole) else lines

    def body_line(self, y: int) -> Strip:
        """Draw a row of the plot, or the generations below it."""
        rows = self.body_height - 1
        width = self.size.width - _LABEL - 1
        if not self._points or rows < 1 or width < 2:
            return self.strip([("  lower is more biased" if y == 0 else "", "faint")])
        if y >= rows:
            first, last = "1", str(self._generations)
            gap = " " * max(1, width - len(first) - len(last))
            return self.strip(
                [(" " * _LABEL + first + (gap + last if self._generations > 1 else ""), "faint")]
            )
        low, high = self._limits()
        label = high if y == 0 else low if y == rows - 1 else None
        shown = figures.score(label) if label is not None else " " * figures.SCORE_WIDTH
        cells = self._plot(width, rows, (low, high))[y]
        return self.strip([(shown + " ", "faint"), *_runs(cells, ascii_only=self.ascii_only)])

    def _limits(self) -> tuple[float, float]:
        held = self._held or (math.inf, -math.inf)
        low = min(held[0], *(point.best for point in self._points))
        high = max(held[1], *(point.upper for point in self._points))
        return (low, high) if high > low else (low - 0.001, high + 0.001)

    def _plot(self, width: int, rows: int, limits: tuple[float, float]) -> list[list[Cell]]:
        """Return the plot's cells, worked out once for all of its lines."""
        if self._drawn is not None and self._drawn[:2] == (width, rows):
            return self._drawn[2]
        best = Series([(point.generation, point.best) for point in self._points])
        middle = Series([(point.generation, point.median) for point in self._points], dotted=True)
        band = [(point.generation, point.lower, point.upper) for point in self._points]
        cells = plot([best, middle], (1, max(self._generations, 2)), limits, width, rows, band)
        self._drawn = width, rows, cells
        return cells


def _runs(cells: list[Cell], *, ascii_only: bool) -> list[Part]:
    return [
        (_ASCII[cell.series] if ascii_only else cell.character, _LOOKS[cell.series])
        if cell.series >= 0
        else (cell.character, "")
        for cell in cells
    ]
