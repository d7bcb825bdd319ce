"""What stands where on a candidate's boards: its images with their alignment, and the proof for missed concepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures
from minegap_tui.view.evidence import Evidence, Picture, Proven
from minegap_tui.view.gallery import SMALLEST_TILE, Label, Plan, Spot
from minegap_tui.view.heat import Cursor, Window
from minegap_tui.view.matrix import figure

LARGEST_TILE = 26
LEAST = "▽"
CLOSEST = "◆"
VERDICTS = {
    "missed": ("it can be drawn, and is missing", "missing"),
    "unreachable": ("no bias: not drawable, or CLIP cannot see it", "cannot draw/see"),
    "contradictory": ("no bias: what it shows contradicts the prompt", "contradicts"),
}
"""What each verdict says, in much and in little room. Only the first is bias."""
_HEAD = 2


@dataclass(frozen=True)
class Tiles:
    """Tiles of ``width`` x ``height`` cells, each with a line of words below; ``columns`` of them side by side."""

    columns: int
    width: int
    height: int

    @property
    def step(self) -> int:
        """Lines from one row of tiles to the next."""
        return self.height + 1


def images(
    evidence: Evidence, cursor: Cursor, width: int, height: int, window: Window
) -> tuple[Plan, Tiles, Window]:
    """Return the board of a candidate's images in drawing order.

    Args:
        width, height: the room in cells.
        window: rows of tiles that were in sight before.
    """
    pictures = evidence.pictures
    if not pictures or width < 1 or height < 2:
        return Plan(), Tiles(1, 1, 1), Window(0, 0)
    tiles = _tiles(len(pictures), width, height, pictures[0].aspect)
    rows = -(-len(pictures) // tiles.columns)
    window = Window.around(cursor.column // tiles.columns, window, max(height // tiles.step, 1), rows)
    closest = evidence.heat.best_image[cursor.row] if cursor.row < evidence.heat.rows else -1
    digits = max(2, len(str(len(pictures))))
    roomy = tiles.width >= digits + len("◆ 0.000▽")
    spots, labels = [], []
    for place in range(window.start * tiles.columns, min(window.stop * tiles.columns, len(pictures))):
        one = pictures[place]
        row, column = divmod(place, tiles.columns)
        x, y = column * (tiles.width + 1), (row - window.start) * tiles.step
        spots.append(Spot(one.path, x, y, tiles.width, tiles.height))
        chosen = place == cursor.column
        aligned = figures.score(one.alignment).strip()[-5:] if roomy else figure(one.alignment).strip()
        words = f"{CLOSEST if place == closest else ' '}{place + 1:>{digits}} {aligned}"
        mark = LEAST if one.least_aligned else ""
        look = "accent" if chosen or place == closest else "muted"
        parts = ((fit(words, min(len(words), tiles.width - len(mark))), look), (mark, "accent"))
        labels.append(Label(x, y + tiles.height, tiles.width, parts, chosen))
    return Plan(tuple(spots), tuple(labels)), tiles, window


def proof(evidence: Evidence, chosen: int, width: int, height: int, window: Window) -> tuple[Plan, Window]:
    """Return the board of missed concepts: the prompt's closest image beside those drawn of the concept itself.

    Args:
        chosen: place of the chosen concept.
        window: concepts that were in sight before.
    """
    concepts = evidence.proof
    if not concepts or width < SMALLEST_TILE or height <= _HEAD + 2:
        return Plan(), Window(0, 0)
    most = max(len(one.pictures) for one in concepts) + 1
    aspect = next((one.pictures[0].aspect for one in concepts if one.pictures), 1.0)
    tile = _band_tile(width, height, most, len(concepts), aspect)
    step = _HEAD + tile.step
    window = Window.around(chosen, window, max(height // step, 1), len(concepts))
    spots: list[Spot] = []
    labels: list[Label] = []
    for band, place in enumerate(range(window.start, window.stop)):
        one, y = concepts[place], band * step
        labels += _words(one, y, width, chosen=place == chosen)
        shown = _shown(one)[: tile.columns]
        for column, (picture, words, look) in enumerate(shown):
            x = column * (tile.width + 1)
            spots.append(Spot(picture.path, x, y + _HEAD, tile.width, tile.height))
            labels.append(Label(x, y + _HEAD + tile.height, tile.width, ((fit(words, tile.width), look),)))
    return Plan(tuple(spots), tuple(labels)), window


def _shown(one: Proven) -> list[tuple[Picture, str, str]]:
    """Return the images of a concept, each with its words and their look."""
    asked = [(picture, f"asked {figure(picture.alignment)}", "accent") for picture in one.pictures]
    return asked if one.closest is None else [(one.closest, f"here {figure(one.coverage)}", "muted"), *asked]


def _words(one: Proven, y: int, width: int, *, chosen: bool) -> Sequence[Label]:
    bias = one.verdict == "missed"
    mark = ("▌" if chosen else " ") + ("○ " if bias else "· ")
    long, short = VERDICTS.get(one.verdict, (display_text(one.verdict, 40), display_text(one.verdict, 15)))
    here, asked = figures.score(one.coverage).strip(), figures.score(one.ceiling).strip()
    figured, verdict = f"   {here} here, {asked} when asked: ", long
    if len(figured) + len(verdict) > width:
        figured, verdict = f"   {figure(one.coverage)} here, {figure(one.ceiling)} asked · ", short
    text = (
        (mark, "accent" if bias or chosen else "faint"),
        (fit(one.text, max(width - 3, 1)), "strong" if bias else ""),
    )
    said = (
        (fit(figured, min(len(figured), width)), "muted"),
        (fit(verdict, max(width - len(figured), 0)), "accent" if bias else "muted"),
    )
    return [Label(0, y, width, text, chosen), Label(0, y + 1, width, said)]


def _tiles(count: int, width: int, height: int, aspect: float) -> Tiles:
    """Return the largest tiles that all fit, or the smallest that can be told."""
    smallest = min(SMALLEST_TILE, width)
    for size in range(min(LARGEST_TILE, width), smallest - 1, -1):
        tiles = _of_width(size, width, aspect)
        if -(-count // tiles.columns) * tiles.step <= height:
            break
    return Tiles(tiles.columns, tiles.width, min(tiles.height, height - 1))


def _band_tile(width: int, height: int, most: int, concepts: int, aspect: float) -> Tiles:
    """Return tiles of which a concept's fit side by side and three concepts, or all, fit below each other."""
    smallest = min(SMALLEST_TILE, width)
    wanted = min(3, concepts)
    for size in range(min(LARGEST_TILE, width), smallest - 1, -1):
        tile = _of_width(size, width, aspect)
        if tile.columns >= most and (_HEAD + tile.step) * wanted <= height:
            break
    return Tiles(tile.columns, tile.width, max(min(tile.height, height - _HEAD - 1), 1))


def _of_width(size: int, width: int, aspect: float) -> Tiles:
    high = max(1, -(-round(size / max(aspect, 0.05)) // 2))
    return Tiles(max((width + 1) // (size + 1), 1), size, high)
