"""How images of one size are laid out in a rectangle of cells."""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST_TILE = 9
"""Cells across below which a picture cannot be told; fewer are shown instead."""
LARGEST_TILE = 48


@dataclass(frozen=True)
class Grid:
    """Tiles of ``width`` x ``height`` cells, each followed by one empty column; ``rows`` of ``columns``."""

    columns: int
    rows: int
    width: int
    height: int

    @property
    def places(self) -> int:
        """How many tiles there is room for."""
        return self.columns * self.rows


def arrange(count: int, columns: int, rows: int, aspect: float = 1.0) -> Grid:
    """Return the grid with the largest tiles that shows all of ``count`` images, or as many as can be told.

    Args:
        columns, rows: the room in cells.
        aspect: an image's width over its height. A cell is half as wide as high.
    """
    if count <= 0 or columns < 1 or rows < 1:
        return Grid(0, 0, 0, 0)
    smallest = min(SMALLEST_TILE, columns)
    for width in range(min(LARGEST_TILE, columns), smallest - 1, -1):
        grid = _grid(width, columns, rows, aspect)
        if grid.places >= count:
            return Grid(min(grid.columns, count), -(-count // grid.columns), grid.width, grid.height)
    grid = _grid(smallest, columns, rows, aspect)
    return grid if grid.places else Grid(1, 1, smallest, rows)


def _grid(width: int, columns: int, rows: int, aspect: float) -> Grid:
    # One half-cell of the tile's height stays empty, as a gap to the row below.
    height = max(1, -(-(round(width / aspect) + 1) // 2))
    return Grid((columns + 1) // (width + 1), rows // height, width, height)
