"""The parts of the lineage: the tree, and how the chosen candidate came to be."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures, findings
from minegap_tui.view.diff import Change, condensed, reworded
from minegap_tui.view.flow import flow
from minegap_tui.view.lineage import Family
from minegap_tui.view.tree import Line, Tree, guide
from minegap_tui.widgets.panel import Part
from minegap_tui.widgets.rows import Rows
from minegap_tui.widgets.scroller import Scroller
from store.records import Relative

LOOKS: Final[dict[Change, str]] = {"same": "", "removed": "removed", "added": "added"}
_ROOMY, _WIDE = 84, 100
MOST_CHILDREN = 40
_SHORT: Final = {"initial": "init", "random": "rand", "mutation": "mut", "elite": "again", "human": "hand"}

_reworded = lru_cache(maxsize=4096)(reworded)


class TreeRows(Rows):
    """The family tree, one candidate a line: score, generation, origin, and what the prompt changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._tree: Tree | None = None
        self._said = "reading …"

    @property
    def heading(self) -> str:
        """The title."""
        return "Family" if self._tree is not None and self._tree.narrowed else "Families"

    @property
    def length(self) -> int:
        """How many lines there are."""
        return len(self._tree.lines) if self._tree is not None else 0

    def aside(self) -> str:
        """Say where the cursor is."""
        return f"{self.cursor + 1:,} of {self.length:,}" if self.length else ""

    def say(self, sentence: str) -> None:
        """Say why nothing can be shown."""
        self._tree, self._said = None, sentence
        self.go(0)

    def show_tree(self, tree: Tree) -> None:
        """Take over the tree, or what changed in it."""
        self._tree, self._said = tree, ""
        self.go(tree.cursor)

    def go(self, place: int) -> None:
        """Put the cursor on a line, or as near as there is one."""
        if self._tree is not None:
            self._tree.go(place)
        super().go(place)

    def empty(self) -> list[str]:
        """Say why there is nothing and what helps."""
        if self._said:
            return [self._said]
        return [
            "This session has no candidates yet.",
            "They appear here as soon as the first generation is bred.",
        ]

    def head(self) -> str:
        """Return the columns' names."""
        return (
            f" score{findings.head(roomy=self._wide) if self._confirmed else ''}  gen  "
            + ("origin    " if self._roomy else "how    ")
            + "prompt; − what went, + what came"
        )

    def row(self, place: int, *, chosen: bool) -> list[Part]:
        """Return a candidate's line."""
        assert self._tree is not None
        line = self._tree.lines[place]
        one, parent = self._tree.family.member(line.node), self._tree.family.parent(line.node)
        origin = fit(one.origin, 8) if self._roomy else fit(_SHORT.get(one.origin, one.origin), 5)
        parts: list[Part] = [
            (score_or_state(one), "accent" if chosen else ""),
            *(
                [findings.column(self._tree.family.confirmed.get(line.node), roomy=self._wide)]
                if self._confirmed
                else []
            ),
            (f"  {one.generation:>3}  ", "muted"),
            (f"{origin}  ", "muted"),
        ]
        room = self.size.width - 2 - sum(cell_len(text) for text, _ in parts)
        lead = guide(line, max(3, room // 8))
        parts.append((lead, "faint"))
        marks = self._marks(line, one)
        parts += marks
        room -= cell_len(lead) + sum(cell_len(text) for text, _ in marks)
        hidden = f"  +{line.hidden:,} below" if line.hidden else ""
        room -= cell_len(hidden)
        parts += _changes(one, parent, room, chosen=chosen)
        used = sum(cell_len(text) for text, _ in parts)
        parts.append((" " * max(self.size.width - 2 - used - cell_len(hidden), 0), ""))
        parts.append((hidden, "muted"))
        return parts

    def _marks(self, line: Line, one: Relative) -> list[Part]:
        assert self._tree is not None
        marks: list[Part] = []
        if line.node == self._tree.family.best_of_all:
            marks.append(("★ ", "accent"))
        if line.node == self._tree.focus:
            marks.append(("◆ ", "accent"))
        if one.origin == "elite":
            marks.append(("measured again: ", "muted"))
        return marks

    @property
    def _roomy(self) -> bool:
        return self.size.width >= _ROOMY

    @property
    def _wide(self) -> bool:
        return self.size.width >= _WIDE

    @property
    def _confirmed(self) -> bool:
        return self._tree is not None and bool(self._tree.family.confirmed)


class Ancestry(Scroller):
    """How the chosen candidate came to be: all its ancestors, each with what it changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._family: Family | None = None
        self._chosen: int | None = None

    @property
    def heading(self) -> str:
        """The title."""
        return f"Candidate {self._chosen}" if self._chosen is not None else "Candidate"

    def show_candidate(self, family: Family, chosen: int | None) -> None:
        """Take over the chosen candidate."""
        anew = chosen != self._chosen
        self._family, self._chosen = family, chosen
        lines = ancestry_lines(family, chosen, self.size.width) if chosen is not None else []
        # Where not everything fits, the chosen one must be seen; what came of it is below.
        below = offspring_lines(family, chosen, self.size.width) if chosen is not None else []
        self.show_lines([*lines, *below], anew=anew, seen=len(lines) + 1)

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self._family is not None:
            chosen, self._chosen = self._chosen, None
            self.show_candidate(self._family, chosen)


def score_or_state(one: Relative) -> str:
    """Return the score in six cells, or why there is none."""
    if one.score is None:
        return {"failed": "failed", "waiting": " waits"}.get(one.state, figures.score(None))
    return figures.score(one.score)


def ancestry_lines(family: Family, chosen: int, width: int) -> list[list[Part]]:
    """Return a candidate's ancestors and itself, the oldest first, with what each changed."""
    lines: list[list[Part]] = []
    for number in family.ancestry(chosen):
        one, parent = family.member(number), family.parent(number)
        own = number == chosen
        head: list[Part] = [
            (score_or_state(one), "accent" if own else ""),
            (findings.beside(family.confirmed.get(number)), "accent"),
            (f"  generation {one.generation} · {display_text(one.origin, 20)}", "muted"),
        ]
        if parent is not None and one.score is not None and parent.score is not None:
            head.append((f" · {_change(one.score - parent.score)}", "muted"))
        lines.append(head)
        if one.origin == "elite" and parent is not None and one.prompt == parent.prompt:
            lines.append([("        the same prompt, measured again on new seeds", "faint")])
            continue
        pieces = _pieces(one, parent, plain="strong" if own else "")
        lines += [[("        ", ""), *line] for line in flow(pieces, width - 9, most=8)]
    return lines


def offspring_lines(family: Family, chosen: int, width: int) -> list[list[Part]]:
    """Return how many descend from a candidate, and its children with what they changed."""
    lines: list[list[Part]] = [[("        ", ""), (_offspring(family, chosen), "muted")]]
    for child in family.children(chosen)[:MOST_CHILDREN]:
        one = family.member(child)
        parts = _changes(one, family.member(chosen), width - 9, chosen=False)
        lines.append([(score_or_state(one), "muted"), ("  ", ""), *parts])
    if len(family.children(chosen)) > MOST_CHILDREN:
        lines.append(
            [("        ", ""), (f"and {len(family.children(chosen)) - MOST_CHILDREN:,} more", "faint")]
        )
    return lines


def _offspring(family: Family, chosen: int) -> str:
    below, children = family.descendants(chosen), len(family.children(chosen))
    if not below:
        return "no descendants"
    best = family.best(chosen)
    found = f"{children} {'child' if children == 1 else 'children'}, {below:,} descendants"
    if best is None:
        return f"{found}, none scored"
    if best == chosen:
        return f"{found}, none of them more biased"
    return f"{found}, the most biased {figures.score(family.member(best).score).strip()} (d)"


def _change(difference: float) -> str:
    if abs(difference) < 0.0005:
        return "as biased as its parent"
    word = "more" if difference < 0 else "less"
    return f"{word} biased by {abs(difference):.3f}"


def _pieces(one: Relative, parent: Relative | None, *, plain: str) -> list[Part]:
    if parent is None:
        return [(display_text(one.prompt), plain)]
    return [(text, LOOKS[change] or plain) for text, change in _reworded(parent.prompt, one.prompt)]


def _changes(one: Relative, parent: Relative | None, room: int, *, chosen: bool) -> list[Part]:
    """Return what the prompt changed, in at most ``room`` cells."""
    plain = "strong" if chosen else ""
    if parent is None or one.prompt == parent.prompt:
        cells = min(max(room, 0), cell_len(display_text(one.prompt, room + 2)))
        return [(fit(one.prompt, cells), plain if parent is None else "muted")]
    parts: list[Part] = []
    for text, change in condensed(_reworded(parent.prompt, one.prompt), room):
        if room <= 0:
            break
        shown = text if cell_len(text) <= room else fit(text, room)
        parts.append((shown, LOOKS[change] or ("strong" if chosen else "muted")))
        room -= cell_len(shown)
    return parts
