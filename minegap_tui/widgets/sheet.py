"""The parts of gallery and viewer: where it is, the images, and what there is to say about the chosen one."""

from __future__ import annotations

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip

from minegap_tui.sanitise import display_text, fit, wrap
from minegap_tui.view import shots
from minegap_tui.view.contact import Layout, lay_out, planned
from minegap_tui.view.diff import word_diff
from minegap_tui.view.gallery import Plan, Spot, arrange_one
from minegap_tui.view.scrub import Scrub
from minegap_tui.view.shots import Sheet, Shot
from minegap_tui.widgets.board import Board
from minegap_tui.widgets.panel import Panel, Part

_LONGEST_NOTE = 300


class Scrubber(Panel):
    """One line: which generation or ancestor is seen, and where it is among all of them."""

    DEFAULT_CSS = """
    Scrubber { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[str, int, int, str] = ("", 0, 0, "")

    def show_generation(self, scrub: Scrub) -> None:
        """Draw a place among the generations."""
        words = scrub.words() if scrub.newest else ""
        self._show(
            f"generation {scrub.at} of {scrub.newest}",
            scrub.at - scrub.first,
            scrub.newest - scrub.first,
            words,
        )

    def show_chain(self, place: int, length: int) -> None:
        """Draw a place in a candidate's line of ancestors."""
        if length == 1:
            self._show("without ancestors", 0, 0, "")
        else:
            self._show(f"lineage {place + 1} of {length}", place, length - 1, "oldest ancestor first")

    def show_words(self, words: str) -> None:
        """Draw words alone."""
        self._show(words, 0, 0, "")

    @property
    def words(self) -> str:
        """What is seen, for a title."""
        return self._said[0]

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        name, place, last, words = self._said
        room = self.size.width - cell_len(name) - cell_len(words) - 4
        if room < 8 or last <= 0:
            gap = max(1, self.size.width - cell_len(name) - cell_len(words))
            return self.strip([(name, ""), (" " * gap, ""), (words, "muted")])
        at = round(place / last * (room - 1))
        bar: list[Part] = [("─" * at, "muted"), ("●", "accent"), ("─" * (room - 1 - at), "rule")]
        return self.strip([(name, ""), ("  ", ""), *bar, ("  ", ""), (words, "muted")])

    def _show(self, name: str, place: int, last: int, words: str) -> None:
        said = (name, place, last, words)
        if said != self._said:
            self._said = said
            self.refresh()


class SheetBoard(Board):
    """A sheet of images that fills the room there is, with a cursor on one of them."""

    def __init__(self) -> None:
        super().__init__()
        self._sheet = Sheet("generation", ())
        self._tiles = Layout(0, 0, 0, 0, 1, 0, 0)

    @property
    def heading(self) -> str:
        """The title."""
        return {
            "generation": "Best image of each candidate",
            "candidate": "All images of one candidate",
            "pair": "Side by side",
        }[self._sheet.kind]

    def aside(self) -> str:
        """Say how many of the images are seen."""
        sheet = self._sheet
        count = sheet.columns
        if count and self.off:
            return f"{count}, not drawn"
        places = self._tiles.places
        if not places:
            return f"{count}" if count else ""
        if places.start or len(places) < count:
            return f"{places.start + 1} to {min(places.stop, count)} of {count}"
        return f"{count} draws each" if sheet.kind == "pair" else f"{count}" if count else ""

    def show_sheet(self, sheet: Sheet, chosen: int, marked: int | None) -> None:
        """Take over a sheet and its cursor."""
        anew = sheet != self._sheet
        self._sheet = sheet
        aspect = sheet.shots[0].aspect if sheet.shots else 1.0
        column = chosen - sheet.upper if sheet.kind == "pair" and chosen >= sheet.upper else chosen
        layout = lay_out(
            sheet.columns,
            self.size.width,
            self.body_height,
            aspect,
            stack=2 if sheet.kind == "pair" else 1,
            chosen=column,
        )
        if anew or layout != self._tiles:
            self._tiles = layout
            self.refresh()
        self.show(planned(sheet, layout, chosen, marked))

    def body_line(self, y: int) -> Strip:
        """Draw a line of the sheet, or why it is empty."""
        note = self._sheet.note[:_LONGEST_NOTE]
        if self._sheet.shots and self._tiles.columns:
            return super().body_line(y)
        if self._sheet.shots:
            note = "There is no room for pictures here: make the terminal higher."
        lines = wrap(note, max(self.size.width - 4, 10), 6)
        return self.strip([(f"  {lines[y - 1]}", "muted")] if 1 <= y <= len(lines) else [])

    def beyond(self, place: int, across: int, down: int) -> int:
        """Return the shot that lies beside or below another one; the same where there is none."""
        sheet, columns = self._sheet, max(1, self._tiles.columns)
        if sheet.kind != "pair":
            wanted = place + across + down * columns
            return wanted if 0 <= wanted < len(sheet.shots) else place
        below = place >= sheet.upper
        column = place - sheet.upper if below else place
        if down:
            other = sheet.beside(place)
            if other is not None and (down > 0) is not below:
                return other
            wanted = column + down * columns
            start = 0 if down > 0 else sheet.upper
        else:
            wanted, start = column + across, sheet.upper if below else 0
        count = len(sheet.shots) - sheet.upper if start else sheet.upper
        return start + wanted if 0 <= wanted < count else place


class OnePicture(Board):
    """One image as large as the room there is."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""

    @property
    def heading(self) -> str:
        """The title."""
        return "Image"

    def aside(self) -> str:
        """Say which of them it is."""
        return self._said

    def show_shot(self, shot: Shot, said: str) -> None:
        """Take over an image."""
        if said != self._said:
            self._said = said
            self.refresh(Region(0, 0, self.size.width, 1))
        width, height = arrange_one(self.size.width, self.body_height, shot.aspect)
        self.show(
            Plan(
                (Spot(shot.path, (self.size.width - width) // 2, 0, width, height, whole=True),)
                if width
                else ()
            )
        )


class ShotWords(Panel):
    """The chosen image's prompt, seed, alignment and closest variation."""

    DEFAULT_CSS = """
    ShotWords { height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shot: Shot | None = None
        self._lines: list[list[Part]] = []
        self._pair: tuple[Sheet, int] | None = None

    @property
    def heading(self) -> str:
        """The title."""
        return "Prompts" if self._pair is not None else "Prompt"

    def aside(self) -> str:
        """Say whose image it is."""
        return shots.source(self._shot) if self._shot is not None and self._pair is None else ""

    def show_shot(self, shot: Shot | None) -> None:
        """Draw one image's words."""
        self._shot, self._pair = shot, None
        self._arrange()

    def show_pair(self, sheet: Sheet, chosen: int) -> None:
        """Draw what two candidates' images share."""
        self._shot, self._pair = sheet.shots[chosen], (sheet, chosen)
        self._arrange()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._arrange()

    def body_line(self, y: int) -> Strip:
        """Draw one line."""
        return self.strip(self._lines[y] if y < len(self._lines) else [])

    def _arrange(self) -> None:
        self._lines = (
            [] if self._shot is None else self._both(*self._pair) if self._pair else self._one(self._shot)
        )
        self.refresh()

    def _one(self, shot: Shot) -> list[list[Part]]:
        width, height = max(self.size.width, 10), self.body_height
        prompt = wrap(shot.prompt, width, most=max(1, height - 2))
        lines: list[list[Part]] = [[(line, "strong")] for line in prompt]
        lines.append([(fit(shots.facts(shot), width), "muted")])
        if len(lines) < height:
            lead = "closest to "
            (closest,) = wrap(f"“{shot.closest}”", max(width - len(lead), 10), most=1)
            lines.append([(lead, "faint"), (closest, "muted")])
        return lines

    def _both(self, sheet: Sheet, chosen: int) -> list[list[Part]]:
        width = max(self.size.width, 10)
        upper = sheet.shots[0] if sheet.upper else None
        lower = sheet.shots[sheet.upper] if sheet.upper < len(sheet.shots) else None
        lines: list[list[Part]] = []
        for mark, shot, other in (("above", upper, lower), ("below", lower, upper)):
            if shot is not None:
                lines.append(_contrast(mark, shot, other, width))
        lines.append([(fit(_seeds(sheet, chosen), width), "muted")])
        lines.append([(fit(shots.same_seeds(sheet), width), "faint")])
        return lines


def _contrast(mark: str, shot: Shot, other: Shot | None, width: int) -> list[Part]:
    """Return a prompt on one line; words that the other one lacks stand out."""
    score = f"{shot.score:.3f}" if shot.score is not None else "–"
    line: list[Part] = [(f"{mark} ", "faint"), (f"{score}  ", "accent")]
    room = width - sum(len(text) for text, _ in line)
    pieces = word_diff(other.prompt if other is not None else shot.prompt, shot.prompt)
    for text, change in pieces:
        if change == "removed" or room <= 0:
            continue
        shown = display_text(text)
        piece = shown if cell_len(shown) <= room else fit(shown, room)
        line.append((piece, "strong" if change == "added" else "muted"))
        room -= cell_len(piece)
    return line


def _seeds(sheet: Sheet, chosen: int) -> str:
    shot, other = sheet.shots[chosen], sheet.beside(chosen)
    if other is None:
        return f"draw {shot.draw}, which the other candidate lacks: seed {shot.seed}, alignment {shot.alignment:.3f}"
    both = [shot, sheet.shots[other]] if chosen < other else [sheet.shots[other], shot]
    return f"draw {shot.draw}: " + ", ".join(
        f"{mark} seed {one.seed}, alignment {one.alignment:.3f}"
        for mark, one in zip(("above", "below"), both, strict=True)
    )
