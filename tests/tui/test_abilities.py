"""What ``doctor`` says about images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from answering import AS_KITTY, SILENT, Answers, Terminal
from commandline import Minegap
from test_probe import environment

from minegap_tui.probe import Terminal as Found
from minegap_tui.settings import ImagesSection
from minegap_tui.view.abilities import image_report

KITTY = Found(True, "", True, "kitty(0.35.2)", True, False, (10, 20), "", 0.0031)
XTERM = Found(True, "", True, "XTerm(390)", False, True, None, "", 0.25)
VT340 = Found(True, "", True, "XTerm(330)", False, True, (8, 17), "", 0.02, 16)
VTE = Found(True, "", True, "VTE(7600)", False, False, None, "", 0.02)
TMUX = Found(True, "", True, "tmux 3.4", False, False, None, "tmux", 0.001)


@pytest.mark.parametrize(
    ("wanted", "terminal", "fine", "words"),
    [
        (
            "auto",
            KITTY,
            True,
            "in full, by kitty graphics (kitty(0.35.2), kitty graphics yes, sixel no, 10×20 pixels",
        ),
        (
            "auto",
            VTE,
            True,
            "half-blocks: this terminal draws neither kitty graphics as text nor sixel (VTE(7600)",
        ),
        ("auto", XTERM, True, "by sixels in the gallery and its viewer, else in half-blocks (XTerm(390), "),
        (
            "auto",
            XTERM,
            True,
            "sixel yes, cells of unknown size, 24-bit colours unknown, answered in 250 ms",
        ),
        ("sixel", VT340, True, "sixel yes, 16 colours, 8×17 pixels a cell"),
        ("sixel", KITTY, False, "sixels, though this terminal did not say that it draws them"),
        ("sixel", TMUX, True, "sixels, through a multiplexer that must pass them on"),
        ("auto", TMUX, True, "'tmux set -g allow-passthrough on'"),
        ("kitty", TMUX, True, "through tmux, which must 'set -g allow-passthrough on'"),
        ("kitty", XTERM, False, "though this terminal did not say that it draws them as text"),
        ("auto", Found(asked=True, seconds=2.0), False, "did not answer within 2.0 s"),
        (
            "auto",
            Found(reason="there is no terminal"),
            True,
            "was not asked what it draws (there is no terminal)",
        ),
        ("auto", Found(), True, "was not asked what it draws: images are"),
        ("half", Found(), True, "half-blocks: images.protocol is 'half'"),
        ("off", Found(), True, "not drawn: images.protocol is 'off'"),
    ],
)
def test_what_was_found_is_said_in_a_sentence(wanted: Any, terminal: Found, fine: bool, words: str) -> None:
    as_wanted, sentence = image_report(ImagesSection(protocol=wanted), terminal)
    assert words in sentence
    assert as_wanted is fine
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (AS_KITTY, "drawn in full, by kitty graphics"),
        ({**AS_KITTY, b"\x1b[>q": b"\x1bP>|evil\x9b31m\x07\x1b\\"}, "evil"),
        (SILENT, "did not answer within"),
    ],
)
def test_doctor_asks_the_terminal(tmp_path: Path, answers: Answers, words: str) -> None:
    doctor = [sys.executable, "-m", "minegap_tui.cli", "doctor", "--store", str(tmp_path)]
    terminal = Terminal(doctor, environment(XDG_CONFIG_HOME=str(tmp_path)), answers, size=(250, 40))
    terminal.until_end()
    assert words in " ".join(terminal.screen.display)
    assert b"\x07" not in terminal.taken
    assert "\x9b".encode() not in terminal.taken


def test_doctor_asks_nothing_of_a_pipe(minegap: Minegap, tmp_path: Path) -> None:
    done = minegap("doctor", "--json", store=tmp_path)
    (found,) = [check for check in json.loads(done.stdout) if check["name"] == "images"]
    assert found["status"] == "ok"
    assert "was not asked" in found["sentence"]
    assert "\x1b" not in done.stdout + done.stderr
