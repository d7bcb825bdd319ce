"""ASCII in place of everything else, cell by cell."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import minegap_tui
from minegap_tui.plain import AsciiFilter, ascii_text, needs_ascii
from minegap_tui.sanitise import display_text

NEVER_DRAWN = {*map(chr, range(0x2400, 0x2440)), "�"}
"""Pictures of controls have no likeness; the other is an editor's stand-in."""


@given(st.text())
def test_every_cell_keeps_its_place_and_is_ascii(text: str) -> None:
    shown = display_text(text)
    plain = ascii_text(shown)
    assert plain.isascii()
    assert plain.isprintable()
    assert len(plain) == cell_len(shown)


def test_likenesses() -> None:
    assert ascii_text("Café · 3 × “naïve” …") == 'Cafe | 3 x "naive" ~'
    assert ascii_text("你好 ▌○● ━╸─") == "???? >o# ==-"
    assert ascii_text("⠀⠉⣀⣿") == " '.:"


def test_characters_that_are_wider_together() -> None:
    assert [len(ascii_text(text)) for text in ("❤\ufe0f", "🇩🇪", "👍🏽")] == [2, 2, 2]


def test_half_blocks_become_coloured_cells() -> None:
    (cell,) = AsciiFilter().apply([Segment("▀", Style.parse("#ff0000 on #0000ff"))], Color(0, 0, 0))
    assert cell.text == " "
    assert cell.style is not None
    assert cell.style.bgcolor is not None
    assert cell.style.bgcolor.name == "#800080"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}, False),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, True),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1", "LC_ALL": "C.utf8"}, False),
        ({"TERM": "xterm", "LANG": "en_GB.UTF-8", "LC_ALL": "C"}, True),
        ({"TERM": "xterm", "LANG": "C"}, False),
        ({"TERM": "xterm"}, False),
        ({"TERM": "dumb", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "linux", "LANG": "en_GB.UTF-8"}, True),
    ],
)
def test_who_needs_it(environment: dict[str, str], wanted: bool) -> None:
    assert needs_ascii(environment) is wanted


def test_every_character_that_the_app_draws_has_a_likeness() -> None:
    marks: set[str] = set()
    for file in Path(minegap_tui.__path__[0]).rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        marks |= {
            character
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            for character in node.value
        }
    drawn = {mark for mark in marks if unicodedata.category(mark) not in {"Co", "Cs"}} - NEVER_DRAWN
    assert {mark for mark in drawn if "?" in ascii_text(mark) and mark != "?"} == set()
