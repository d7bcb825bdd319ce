"""What stands around the compare screen's table: the sides, the verdict, its figures, and what differs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from minegap_tui.sanitise import display_text, fit, wrap
from minegap_tui.view import figures, findings
from minegap_tui.view.compare import Comparison, Side, trend
from minegap_tui.view.contrast import Caution, Difference, model
from minegap_tui.view.paired import Paired
from minegap_tui.view.verdict import details
from minegap_tui.widgets.panel import Panel, Part

_ROOMY = 90


class SidesLines(Panel):
    """Who A and B are, one line each."""

    DEFAULT_CSS = """
    SidesLines { height: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: Comparison | None = None

    def show_comparison(self, found: Comparison) -> None:
        """Take over the sides."""
        self._found = found
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one side."""
        if self._found is None or y > 1:
            return self.strip([])
        side = self._found.b if y else self._found.a
        best = min((point.best for point in trend(side, self._found.metric)), default=None)
        right = f"{len(side.measured):,} scored  best {figures.score(best).strip()}"
        right += findings.beside(findings.tally(list(side.confirmed.values())))
        room = max(self.size.width - 5 - len(right) - 2, 0)
        painter = f"  {display_text(model(side.session, 'painter'), 60)}" if self.size.width >= _ROOMY else ""
        name = display_text(_name(side), 200)
        parts: list[Part] = [(" B  " if y else " A  ", "accent")]
        if len(name) + len(painter) > room:
            painter = ""
        parts += [(fit(name, min(len(name), room)), "strong"), (painter, "muted")]
        used = min(len(name), room) + len(painter)
        return self.strip([*parts, (" " * max(room - used + 2, 1), ""), (right, "muted")])


def _name(side: Side) -> str:
    if len(side.sessions) > 1:
        return f"{side.name}, {len(side.sessions)} sessions"
    return side.name


class VerdictLines(Panel):
    """The comparison in a sentence, and what has to be known to read it; as high as it needs, within limits."""

    DEFAULT_CSS = """
    VerdictLines { height: auto; margin-top: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._verdict = ""
        self._cautions: Sequence[Caution] = ()
        self._lines: list[list[Part]] = []

    def show_verdict(self, verdict: str, cautions: Sequence[Caution]) -> None:
        """Take over the sentences."""
        self._verdict, self._cautions = verdict, cautions
        self._layout()

    def on_resize(self) -> None:
        """Break the sentences anew."""
        self._layout()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        return self.strip([(" ", ""), *self._lines[y]] if y < len(self._lines) else [])

    def _layout(self) -> None:
        room, most = max(self.size.width - 2, 20), max(2, self.app.size.height // 6)
        lines: list[list[Part]] = [[(text, "strong")] for text in wrap(self._verdict, room, 2)]
        for place, caution in enumerate(self._cautions):
            more = len(self._cautions) - place - 1
            look = "error" if caution.forbids else "muted"
            sentence = wrap(caution.sentence, room - 2, 3)
            if len(lines) + len(sentence) + bool(more) > most and len(lines) > 1:
                lines.append([(f"· {more + 1} more remarks: d", "faint")])
                break
            lines += [[("· " if not n else "  ", look), (text, look)] for n, text in enumerate(sentence)]
        if lines != self._lines:
            self._lines = lines
            self.styles.height = len(lines)
            self.refresh()


class Figures(Panel):
    """Mean, median, test."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[tuple[str, str]] = ()
        self._said = ""

    @property
    def heading(self) -> str:
        """The title."""
        return "Paired, A minus B"

    def aside(self) -> str:
        """Say how they are read."""
        return "below zero: A more biased" if self._lines else ""

    def show_figures(self, told: Paired | None, said: str = "") -> None:
        """Take over the figures, or say why there are none."""
        self._lines, self._said = details(told) if told is not None else (), said
        self.refresh()

    def body_line(self, y: int) -> Strip:
        """Draw one figure."""
        if not self._lines:
            return self.strip([(f"  {self._said}" if y == 0 else "", "faint")])
        if y >= len(self._lines):
            return self.strip([])
        name, value = self._lines[y]
        return self.strip([(f"  {name:<12}", "muted"), (fit(value, self.size.width - 15), "")])


class Unlike(Panel):
    """What sets the sides apart, and every remark that has no room above the table."""

    def __init__(self) -> None:
        super().__init__()
        self._differences: Sequence[Difference] = ()
        self._turned: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._cautions: Sequence[Caution] = ()
        self._lines: list[list[Part]] = []
        self._top = 0

    @property
    def heading(self) -> str:
        """The title."""
        return "What differs"

    def show_differences(
        self,
        differences: Sequence[Difference],
        turned: tuple[Sequence[str], Sequence[str]],
        cautions: Sequence[Caution],
    ) -> None:
        """Take over the differences, what was changed while mining, and the remarks."""
        self._differences, self._turned, self._cautions = differences, turned, cautions
        self._layout()

    def on_resize(self) -> None:
        """Lay out anew."""
        self._layout()

    def body_line(self, y: int) -> Strip:
        """Draw a line."""
        last = max(0, len(self._lines) - self.body_height)
        if last and y == self.body_height - 1:
            return self.strip([(f"  {last + 1} more lines", "faint")])
        return self.strip(self._lines[y] if y < len(self._lines) else [])

    def _layout(self) -> None:
        width = self.size.width
        names = min(16, max([len(one.what) for one in self._differences], default=0))
        column = max((width - names - 6) // 2, 6)
        lines: list[list[Part]] = []
        if self._differences:
            lines.append([("  " + " " * names + "  ", ""), (fit("A", column) + "  " + "B", "faint")])
        lines += [
            [
                (f"  {fit(one.what, names)}  ", "muted"),
                (fit(one.a, column) + "  ", ""),
                (fit(one.b, column), ""),
            ]
            for one in self._differences
        ]
        if not lines:
            lines.append([("  nothing that a score depends on", "faint")])
        for letter, turned in zip("AB", self._turned, strict=True):
            for sentence in turned:
                for n, text in enumerate(wrap(f"{letter} changed {sentence}", width - 4, 2)):
                    lines.append([("  " if not n else "    ", ""), (text, "muted")])
        for caution in self._cautions:
            look = "error" if caution.forbids else "muted"
            for n, text in enumerate(wrap(caution.sentence, max(width - 6, 10), 5)):
                lines.append([("  · " if not n else "    ", look), (text, look)])
        self._lines = lines
        self.refresh()
