"""The lines at the edges: what runs and how it stands, how far it is, what was asked, which keys work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual import events
from textual.strip import Strip

from minegap_tui.actions.action import Action, Place
from minegap_tui.actions.registry import MOVES, offered
from minegap_tui.keymap import Keymap
from minegap_tui.look import Dressed
from minegap_tui.sanitise import display_text, fit, wrap
from minegap_tui.view import figures
from minegap_tui.view.session import SessionView
from minegap_tui.view.standing import standing, trouble, word_for
from minegap_tui.view.steering import Messages
from minegap_tui.widgets.panel import Panel, Part

_STAGES = ("painting", "writing", "scoring", "breeding", "rescoring", "confirming")
_FIRST_STEPS = {
    "app.help": "all keys",
    "live.inspect": "explains a prompt",
    "app.detach": "leaves it mining",
}


class Line(Panel):
    """A single line without a rule."""

    DEFAULT_CSS = """
    Line { height: 1; }
    """

    _said: tuple[list[Part], list[Part]] | None = None

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return what stands at the left and at the right."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the line if it says something else than before: over a slow link every line counts."""
        said = self.parts()
        if said != self._said:
            self._said = said
            self.refresh()

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


class TitleLine(Line):
    """The name of a screen at the left, what there is to say about it at the right."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title, self._aside = title, ""

    def say(self, aside: str) -> None:
        """Take over what there is to say."""
        self._aside = aside
        self.redraw()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return title and remark."""
        return [("MineGap", "strong"), ("  ", ""), (self._title, "accent")], [
            (display_text(self._aside, 200), "muted")
        ]


class StateLine(Line):
    """The session's name at the left, its acknowledged state at the right."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()
        self._silent: float = 0

    def show_state(self, view: SessionView, *, silent: float) -> None:
        """Take over the state; ``silent`` is for how many seconds the engine said nothing."""
        self._view, self._silent = view, silent
        self.redraw()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return name and state."""
        view = self._view
        name = display_text(view.name or view.session_id, 60)
        left: list[Part] = [("MineGap", "strong"), ("  ", ""), (name, "muted")]
        state = display_text(standing(view, self._silent), max(20, self.size.width - 27))
        right: list[Part] = []
        if view.generation:
            of = f"/{view.generations}" if view.generations else ""
            place = f"generation {view.generation}{of}"
            counts = f" · {view.scored:,} scored"
            if view.failed_candidates:
                counts += f" · {view.failed_candidates} failed"
            if len(place) + len(counts) + cell_len(state) + 20 > self.size.width:
                counts = ""
            right = [(place + counts, "muted"), (" · ", "faint")]
        return left, [*right, (state, "error" if trouble(view) is not None else "accent")]


class ProgressLine(Line):
    """How far the generation is, how fast, how long still; or the last sentence there is to say."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()

    def show_progress(self, view: SessionView) -> None:
        """Take over the progress."""
        self._view = view
        self.redraw()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return the bars, and speed and time left."""
        view = self._view
        if trouble(view) is not None:
            return [], []
        if not view.running:
            text = view.reason or "the leaderboard stays open; q leaves"
            return [(display_text(text, 400), "muted")], []
        if view.state == "paused":
            return [(f"{display_text(view.reason or 'paused', 200)} · p goes on · s steps", "muted")], []
        if "loading" in view.stages:  # one step of unknown length: a bar would only stand still
            return [("loading the models …", "muted")], []
        right: list[Part] = []
        if view.images_per_second is not None:
            right.append((figures.rate(view.images_per_second), "muted"))
        if view.eta_seconds is not None:
            right.append((f"  {figures.duration(view.eta_seconds)} left", ""))
        stages = [view.stages[name] for name in _STAGES if name in view.stages]
        if not stages:
            return [("starting …" if view.state == "starting" else "", "muted")], right
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


class Banner(Panel):
    """What stopped the session and what helps, readable as a whole; no line when nothing did."""

    DEFAULT_CSS = """
    Banner { height: auto; display: none; background: $surface; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()
        self._lines: list[list[Part]] = []

    def show_trouble(self, view: SessionView) -> None:
        """Take over the trouble and the height it needs."""
        self._view = view
        self._layout()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._layout()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        return self.strip([(" ", ""), *self._lines[y]] if y < len(self._lines) else [])

    def _layout(self) -> None:
        found = trouble(self._view)
        self.display = found is not None
        if found is None:
            return
        width = max(self.app.size.width - 8, 20)
        most = max(2, self.app.size.height // 3)
        said = wrap(f"{found.title}: {found.sentence}", width, most)
        helps = wrap(found.remedy, width, 3)
        lines: list[list[Part]] = [[(text, "error")] for text in said] + [[(text, "")] for text in helps]
        if lines != self._lines:
            self._lines = lines
            self.styles.height = len(lines)
            self.refresh()


class Hint(Line):
    """One line for somebody who is here for the first time; which keys it names is up to the keymap."""

    DEFAULT_CSS = """
    Hint { background: $surface; }
    """

    _words: Sequence[Part] = ()

    def say(self, keymap: Keymap) -> None:
        """Take over the keys in force."""
        words: list[Part] = [(" ", "")]
        for name, what in _FIRST_STEPS.items():
            action = next(one for one in offered("live") if one.id == name)
            words += [(keymap.shown(action, ascii_only=self.ascii_only), "accent"), (f" {what}   ", "")]
        self._words = words
        self.redraw()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return the keys, and the one that puts the line away."""
        return list(self._words), [("esc", "accent"), (" hides this line ", "muted")]


class MessageLine(Panel):
    """What was asked of the engine and what it answered.

    One line high, and as many as a longer answer needs, up to three.
    """

    DEFAULT_CSS = """
    MessageLine { height: 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._view = SessionView()
        self._messages = Messages()
        self._lines: list[str] = []
        self._look = ""

    def show_message(self, messages: Messages, view: SessionView) -> None:
        """Take over the messages."""
        self._messages, self._view = messages, view
        self._layout()

    def on_resize(self) -> None:
        """Break the message anew."""
        self._layout()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the message."""
        text = self._lines[y] if y < len(self._lines) else ""
        return self.strip([(text, self._look)])

    def _layout(self) -> None:
        said, width = self._messages, self.size.width
        text, look = said.line(), "error" if said.refused and not said.in_flight else "accent"
        if not text and self._view.notice:
            text, look = self._view.notice, "muted"
        lines = wrap(text, max(width - 2, 20), most=3)
        if (lines, look) != (self._lines, self._look):
            self._lines, self._look = lines, look
            self.styles.height = len(lines)
            self.refresh()


class KeyLine(Line):
    """The keys that work here, from the registry of actions; those that cannot be used now are dimmed.

    A click on a key does what the key does.

    Args:
        refusal: returns why an action cannot be done now; empty when it can.
    """

    def __init__(
        self,
        place: Place,
        refusal: Callable[[Action], str] = lambda _: "",
        *,
        id: str | None = None,  # noqa: A002  (Textual's own name)
    ) -> None:
        super().__init__(id=id)
        self._place = place
        self._refusal = refusal
        self._view = SessionView()
        self._spans: list[tuple[int, int, Action]] = []

    def show_keys(self, view: SessionView) -> None:
        """Take over the session, which decides what some keys do."""
        self._view = view
        self.redraw()

    def parts(self) -> tuple[list[Part], list[Part]]:
        """Return the keys and what they do, whole ones only; help and detach always, what passes first."""
        offers = sorted(offered(self._place), key=lambda action: not action.fleeting)
        last = [action for action in offers if action.place == "app" and action.footer]
        keys = {action.id: self._key(action) for action in offers if action.footer}
        widths = {name: 2 + sum(cell_len(text) for text, _ in key) for name, key in keys.items()}
        arrows, moves = MOVES[self._place]
        left: list[Part] = [(arrows, ""), (f" {moves}", "muted")] if moves else []
        at = sum(cell_len(text) for text, _ in left)
        room = self.size.width - at - sum(widths[action.id] for action in last) - 1
        if room < 0:
            room, at, left = room + at, 0, []
        self._spans = []
        for action in offers:
            if not action.footer or action in last or (action.fleeting and self._refusal(action)):
                continue
            room -= widths[action.id]
            if room < 0:
                break
            left += [("  ", ""), *keys[action.id]]
            self._spans.append((at + 2, at + widths[action.id], action))
            at += widths[action.id]
        right: list[Part] = []
        at = self.size.width - sum(widths[action.id] for action in last)
        for action in last:
            right += [("  ", ""), *keys[action.id]]
            self._spans.append((at + 2, at + widths[action.id], action))
            at += widths[action.id]
        return left, right

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the pointer does."""
        for begin, end, action in self._spans:
            if begin <= event.x < end and isinstance(self.app, Dressed):
                self.app.carry_out(action)

    def _key(self, action: Action) -> list[Part]:
        keymap, ascii_only = (
            (self.app.keymap, self.app.look.ascii) if isinstance(self.app, Dressed) else (Keymap(), False)
        )
        key = keymap.shown(action, ascii_only=ascii_only)
        label = word_for(action.id, self._view) or action.label
        if self._refusal(action):
            return [(f"{key} {label}", "faint")]
        return [(key, ""), (f" {label}", "muted")]
