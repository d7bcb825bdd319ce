"""How a sheet of images fills a part of the screen: the largest tiles that show all of them, each with a caption."""

from __future__ import annotations

from dataclasses import dataclass

from minegap_tui.sanitise import fit
from minegap_tui.view import figures, findings, matrix
from minegap_tui.view.gallery import SMALLEST_TILE, Label, Plan, Spot, cells_high
from minegap_tui.view.shots import Sheet, Shot

_ROOM_FOR_GAPS = 16
"""Lines from which on one may be left empty below each row of images."""
_ROOM_FOR_PROMPT = 18
"""Cells of a caption from which on a prompt's beginning says something."""


@dataclass(frozen=True)
class Layout:
    """Bands of ``columns`` tiles; each tile, or each two of a pair above each other, with its captions.

    Attributes:
        gap: empty lines between bands.
        first: the column of the sheet that the first tile shows; more than fit are scrolled by whole bands.
        bands: how many bands are seen.
    """

    columns: int
    bands: int
    width: int
    height: int
    stack: int
    gap: int
    first: int

    @property
    def places(self) -> range:
        """Which columns of the sheet are seen."""
        return range(self.first, self.first + self.columns * self.bands)


def lay_out(
    count: int, columns: int, rows: int, aspect: float = 1.0, *, stack: int = 1, chosen: int = 0
) -> Layout:
    """Return the layout with the largest tiles that shows all, or else the band of the chosen one and its neighbours.

    Args:
        count: images beside each other.
        columns, rows: the room in cells.
        aspect: an image's width over its height. A cell is half as wide as high.
        stack: images above each other that must not be parted.
    """
    if count <= 0 or columns < 1 or rows < stack * 2:
        return Layout(0, 0, 0, 0, stack, 0, 0)
    gap = int(rows >= _ROOM_FOR_GAPS)
    smallest = min(SMALLEST_TILE, columns)
    for width in range(columns, smallest - 1, -1):
        height = cells_high(width, aspect)
        across = (columns + 1) // (width + 1)
        bands = -(-count // across)
        if bands * (stack * (height + 1) + gap) - gap <= rows:
            return Layout(min(across, count), bands, width, height, stack, gap, 0)
    height = min(cells_high(smallest, aspect), rows // stack - 1)
    across = (columns + 1) // (smallest + 1)
    bands = max(1, (rows + gap) // (stack * (height + 1) + gap))
    last = max(0, -(-count // across) - bands)
    first = min(max(0, chosen // across - bands // 2), last)
    return Layout(across, bands, smallest, height, stack, gap, first * across)


def planned(sheet: Sheet, layout: Layout, chosen: int, marked: int | None = None) -> Plan:
    """Return where a sheet's images and their captions go.

    Args:
        chosen: place of the shot under the cursor.
        marked: the candidate that another one is to be laid beside.
    """
    spots: list[Spot] = []
    labels: list[Label] = []
    for place, shot in enumerate(sheet.shots):
        lower = sheet.kind == "pair" and place >= sheet.upper
        column = place - sheet.upper if lower else place
        if column not in layout.places:
            continue
        band, across = divmod(column - layout.first, layout.columns)
        left = across * (layout.width + 1)
        top = band * (layout.stack * (layout.height + 1) + layout.gap) + lower * (layout.height + 1)
        spots.append(Spot(shot.path, left, top, layout.width, layout.height, whole=True))
        caption = _caption(sheet, shot, place, layout.width - 1, marked=shot.candidate_id == marked)
        here = place == chosen or place == sheet.beside(chosen)
        cursor = ("▌" if place == chosen else " ", "accent")
        labels.append(Label(left, top + layout.height, layout.width, (cursor, *caption), chosen=here))
    return Plan(tuple(spots), tuple(labels))


def _caption(sheet: Sheet, shot: Shot, place: int, room: int, *, marked: bool) -> tuple[tuple[str, str], ...]:
    mark = "*" if marked else ""
    if sheet.kind == "generation":
        confirmed = findings.mark(shot.confirmed) if shot.confirmed is not None else ""
        figure = f"{figures.score(shot.score).strip()}{confirmed}"
        if room < _ROOM_FOR_PROMPT:
            return ((fit(f"{mark}{figure}", room), "strong" if place == 0 else ""),)
        rest = room - len(figure) - len(mark) - 1
        return ((f"{mark}{figure} ", "strong" if place == 0 else ""), (fit(shot.prompt, rest), "muted"))
    number = f"{shot.draw}".rjust(len(str(shot.draws)))
    aligned = f"{shot.alignment:.3f}"
    if len(aligned) > room - len(number) - 1:
        aligned = matrix.figure(shot.alignment).strip()
    return (
        (fit(f"{number} ", min(len(number) + 1, room)), "faint"),
        (fit(aligned, room - len(number) - 1), "muted"),
    )
