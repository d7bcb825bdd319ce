"""The terminal is asked, answers late, halfway or never, and nobody takes its answers for keys."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest
from answering import (
    AS_KITTY,
    AS_TMUX,
    AS_XTERM,
    CELL,
    KITTY,
    LAST,
    NAME,
    SILENT,
    Answers,
    Terminal,
    in_order,
)
from hypothesis import given
from hypothesis import strategies as st

from minegap_tui.probe import Terminal as Found
from minegap_tui.probe import sift, understand

PROBE = """
import sys, termios, tty
from minegap_tui.probe import probe
before = termios.tcgetattr(0)
found = probe(silence=float(sys.argv[1]), limit=20)
assert termios.tcgetattr(0) == before, "the terminal is left changed"
tty.setcbreak(0)
print("READY", flush=True)
heard = sys.stdin.read(1)
print("FOUND", found.answered, found.kitty, found.placeholders, found.truecolor, found.sixel, found.cell,
      found.multiplexer, "/", found.name, "/ HEARD", repr(heard), flush=True)
"""


def environment(**changes: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"TMUX", "STY", "COLORTERM", "NO_COLOR", "SSH_CONNECTION"}
        and not name.startswith("MINEGAP_")
    }
    return kept | {"TERM": "xterm-256color"} | changes


def probed(answers: Answers, *, delay: float = 0.0, silence: float = 20, **changes: str) -> tuple[str, bytes]:
    """Return what a program found out and heard afterwards, and all that it wrote."""
    terminal = Terminal(
        [sys.executable, "-c", PROBE, str(silence)],
        environment(**changes),
        answers,
        delay=delay,
        size=(200, 24),
    )
    terminal.until("READY")
    terminal.send("k")
    terminal.until("HEARD")
    line = next(line for line in terminal.screen.display if "FOUND" in line)
    assert terminal.until_end() == 0
    return " ".join(line.split()), terminal.taken


@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_a_terminal_that_answers_late_is_waited_for_and_leaks_no_key(delay: float) -> None:
    line, taken = probed(AS_KITTY, delay=delay)
    assert line == "FOUND True True True True False (10, 20) / kitty(0.35.2) / HEARD 'k'"
    assert in_order(taken, [NAME, KITTY, CELL, LAST, b"READY"])


def test_xterm_draws_sixel_but_no_kitty() -> None:
    line, _ = probed(AS_XTERM)
    assert line == "FOUND True False False False True (8, 17) / XTerm(390) / HEARD 'k'"


def test_tmux_is_not_asked_for_kitty_graphics() -> None:
    line, taken = probed(AS_TMUX, TERM="tmux-256color")
    assert line == "FOUND True False False False True None tmux / tmux 3.4 / HEARD 'k'"
    assert b"\x1b_G" not in taken


def test_tmux_is_known_by_its_own_answer() -> None:
    line, _ = probed(AS_TMUX | {KITTY: AS_KITTY[KITTY]})
    assert line == "FOUND True True False False True None tmux / tmux 3.4 / HEARD 'k'"


def test_a_terminal_that_never_answers_is_given_up() -> None:
    line, _ = probed(SILENT, silence=0.05)
    assert line == "FOUND False False False False False None / / HEARD 'k'"


def test_a_terminal_that_stops_halfway_is_given_up() -> None:
    terminal = Terminal(
        [sys.executable, "-c", PROBE.replace("limit=20", "limit=0.5"), "20"],
        environment(),
        {NAME: AS_KITTY[NAME], KITTY: AS_KITTY[KITTY][:5]},
        size=(200, 24),
    )
    terminal.until("READY")
    terminal.send("k")
    terminal.until("HEARD")
    assert any("FOUND False False False True" in line for line in terminal.screen.display)
    assert terminal.until_end() == 0


@pytest.mark.parametrize(
    "changes", [{"TERM": "dumb"}, {"TERM": "linux"}, {"TERM": ""}, {"TERM": "screen", "STY": "1.a"}]
)
def test_terminals_that_would_print_the_questions_are_not_asked(changes: dict[str, str]) -> None:
    line, taken = probed(SILENT, **changes)
    assert line.startswith("FOUND False")
    assert LAST not in taken


def test_without_a_terminal_nothing_is_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from minegap_tui.probe import probe; print(probe().asked, probe().reason)"],
        input=b"",
        capture_output=True,
        env=environment(),
        check=True,
    )
    assert done.stdout == b"False there is no terminal\n"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("name", "placeholders", "truecolor"),
    [
        ("kitty(0.28.0)", True, True),
        ("kitty(0.27.1)", False, True),
        ("kitty(1.0)", True, True),
        ("ghostty 1.1.0", True, True),
        ("WezTerm 20240203-110809-5046fc22", False, True),
        ("Konsole 24.12.0", False, True),
        ("tmux 3.4", False, False),
        ("", False, False),
        ("(((", False, False),
    ],
)
def test_who_draws_pictures_as_text(name: str, placeholders: bool, truecolor: bool) -> None:
    found = understand(f"\x1bP>|{name}\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62c".encode())
    assert (found.placeholders, found.truecolor) == (placeholders, truecolor)


def test_an_error_is_no_consent() -> None:
    assert not understand(b"\x1bP>|kitty(0.35.2)\x1b\\\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62c").placeholders


def test_keys_in_between_do_not_disturb() -> None:
    answers = b"j".join([AS_KITTY[NAME], AS_KITTY[KITTY], AS_KITTY[CELL], AS_KITTY[LAST]])
    assert understand(b"\x1b[A" + answers).placeholders


@given(st.binary(max_size=400))
def test_no_answer_is_a_fault(answers: bytes) -> None:
    found = understand(answers)
    assert found.asked
    with pytest.raises(FrozenInstanceError):
        found.kitty = True  # type: ignore[misc]


@given(
    st.lists(
        st.sampled_from([*AS_KITTY.values(), *AS_XTERM.values(), b"j", b"\x1b[A", b"\x1bOP", b"\x1b[<0;3;4M"])
    ),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_keys_are_told_from_answers_however_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(parts)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pressed, rest = b"", b""
    for begin, end in pairwise(places):
        keys, rest = sift(rest + whole[begin:end])
        pressed += keys
    answers = {*AS_KITTY.values(), *AS_XTERM.values()}
    assert pressed + rest == b"".join(part for part in parts if part not in answers)


def test_what_was_not_asked_is_nothing() -> None:
    found = Found()
    assert (found.asked, found.answered, found.placeholders, found.truecolor) == (False,) * 4
