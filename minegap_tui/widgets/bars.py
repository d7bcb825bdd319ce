"""The lines at the edges: what runs and how it stands, how far it is, which keys work."""

from __future__ import annotations

from rich.cells import cell_len
from textual.strip import Strip

from minegap_tui.actions import Place, offered
from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures
from minegap_tui.view.session import SessionView
from minegap_tui.widgets.panel import Panel, Part

SILENCE_SECONDS = 10.0
_STAGES = ("loading", "painting", "writing", "scoring", "breeding")


class _Line(Panel):
    """A single line without a rule."""

    DEFAULT_CSS = """
    _Line { height: 1; }
    """

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return what stands at the left and at the right."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Draw the line; where both ends do not fit, the right one stays whole and the left one is cut."""
        left, right = self.parts()
        room = self.size.width - sum(cell_len(text) for text, _ in right) - 1
        shown: list[Part] = []
        for text, look in left:
            if room <= 0:
                break
            piece = text if cell_len(text) <= room else fit(text, room)
            shown.append((piece, look))
            room -= cell_len(piece)
        return self.strip([*shown, (" " * max(room + 1, 1), ""), *right])


class StateLine(_Line):
    """The session's name at the left, its acknowledged state at the right."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()
        self._silent: float = 0
        self._stop_asked = False

    def show_state(self, view: SessionView, *, silent: float, stop_asked: bool) -> None:
        """Take over the state; ``silent`` is for how many seconds the engine said nothing."""
        self._view, self._silent, self._stop_asked = view, silent, stop_asked
        self.refresh()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return name and state."""
        view = self._view
        name = display_text(view.name or view.session_id, 60)
        left: list[Part] = [("MineGap", "strong"), ("  ", ""), (name, "muted")]
        right: list[Part] = []
        if view.generation:
            of = f"/{view.generations}" if view.generations else ""
            right.append((f"generation {view.generation}{of} · {view.scored} scored", "muted"))
            if view.failed_candidates:
                right.append((f" · {view.failed_candidates} failed", "muted"))
            right.append((" · ", "faint"))
        return left, [*right, (self._state(), "error" if view.failure else "accent")]

    def _state(self) -> str:
        view = self._view
        if view.running and self._silent >= SILENCE_SECONDS:
            return f"engine silent for {self._silent:.0f} s"
        if view.running and self._stop_asked and view.state != "stopping":
            return "asking to stop"
        if view.state == "interrupted":
            return "stopped, can be resumed"
        if view.state == "stopping":
            return "stopping after this batch"
        return display_text(view.state, 30)


class ProgressLine(_Line):
    """How far the generation is, how fast, how long still; or the last sentence there is to say."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()

    def show_progress(self, view: SessionView) -> None:
        """Take over the progress."""
        self._view = view
        self.refresh()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return the bars, and speed and time left."""
        view = self._view
        if view.failure is not None:
            return [(display_text(view.failure.sentence, 400), "error")], []
        if not view.running:
            text = view.reason or "the leaderboard stays open; q leaves"
            return [(display_text(text, 400), "muted")], []
        right: list[Part] = []
        if view.images_per_second is not None:
            right.append((figures.rate(view.images_per_second), "muted"))
        if view.eta_seconds is not None:
            right.append((f"  {figures.duration(view.eta_seconds)} left", ""))
        stages = [view.stages[name] for name in _STAGES if name in view.stages]
        if not stages:
            return [("starting the models" if view.state == "starting" else "", "muted")], right
        room = self.size.width - sum(len(text) for text, _ in right) - 2
        labels = [f"{stage.done}/{stage.total}" for stage in stages]
        words = sum(len(stage.stage) + len(label) + 5 for stage, label in zip(stages, labels, strict=True))
        cells = min(24, max(0, (room - words) // len(stages)))
        left: list[Part] = []
        for stage, label in zip(stages, labels, strict=True):
            done, still = figures.bar(stage.done, stage.total, cells)
            left += [(f"{fit(stage.stage, len(stage.stage))} ", "muted"), (done, "accent"), (still, "rule")]
            left.append((f" {label}   " if cells else f"{label}   ", ""))
        return left, right


class KeyLine(_Line):
    """The keys that work here, from the registry of actions."""

    def __init__(self, place: Place, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._place = place

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return the keys and what they do."""
        left: list[Part] = [("↑↓", ""), (" select   " if self._place == "live" else " scroll   ", "muted")]
        for action in offered(self._place):
            if action.footer:
                left += [(action.shown, ""), (f" {action.label}   ", "muted")]
        return left, []
