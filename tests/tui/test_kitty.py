"""Kitty's protocol: a picture in small pieces, the cells that name it, and the shelf of those that a terminal holds."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from answering import Graphics
from hypothesis import example, given
from hypothesis import strategies as st
from imaging import GREY

from minegap_tui import kitty
from minegap_tui.kitty import CHUNK_BYTES, MARKS, PLACEHOLDER, Key, Shelf, placeholders, transmission


@given(png=st.binary(min_size=1, max_size=9000), tmux=st.booleans())
@example(png=bytes(20_000), tmux=False)
@example(png=bytes(20_000), tmux=True)
def test_a_picture_arrives_whole_in_small_pieces(png: bytes, tmux: bool) -> None:
    pieces = list(transmission(77, png, 20, 10, tmux=tmux))
    assert max(map(len, pieces)) <= CHUNK_BYTES
    graphics = Graphics()
    for piece in pieces:
        if tmux:
            assert piece.startswith("\x1bPtmux;")
            piece = piece[len("\x1bPtmux;") : -2].replace("\x1b\x1b", "\x1b")
        (body,) = re.findall(r"\x1b_G(.*?)\x1b\\", piece)
        graphics.take(body.encode())
    held = graphics.held[77]
    assert held.complete
    assert (held.columns, held.rows) == (20, 10)
    assert base64.b64decode(held.payload) == png


def test_cells_name_their_picture_row_and_column() -> None:
    tile = placeholders(0x123456, 3, 2, GREY)
    assert [row[0].text for row in tile.rows] == [
        "".join(PLACEHOLDER + MARKS[row] + MARKS[column] for column in range(3)) for row in range(2)
    ]
    style = tile.rows[0][0].style
    assert style is not None
    assert style.color is not None
    assert tuple(style.color.get_truecolor()) == (0x12, 0x34, 0x56)
    assert all(row[0].cell_length == 3 for row in tile.rows)


def test_the_first_marks_are_the_protocols() -> None:
    assert [ord(mark) for mark in MARKS[:12]] == [
        *(0x305, 0x30D, 0x30E, 0x310, 0x312, 0x33D, 0x33E, 0x33F, 0x346, 0x34A, 0x34B, 0x34C)
    ]
    assert len(set(MARKS)) == len(MARKS) > 250


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 5))
def test_the_shelf_keeps_the_last_used_ones(asked: list[int], capacity: int) -> None:
    shelf = Shelf(capacity, first=kitty.NUMBERS - 2)
    terminal: dict[int, Key] = {}
    used: list[Key] = []
    for one in asked:
        key = Key(Path(str(one)), 1, 1, GREY)
        number = shelf.find(key)
        if number is None:
            number = shelf.number()
            assert number not in terminal
            assert 0 < number < kitty.NUMBERS
            terminal[number] = key
            for gone in shelf.put(key, number):
                del terminal[gone]
        assert terminal[number] == key
        used = [*(other for other in used if other != key), key][-capacity:]
    assert sorted(map(str, terminal.values())) == sorted(map(str, used))
    assert sorted(shelf.clear()) == sorted(terminal)
