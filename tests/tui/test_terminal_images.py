"""Pictures in the app on a real pty, through the whole way: probe, Textual's writer, chunks, placeholders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from answering import AS_KITTY, AS_PLAIN, AS_TMUX, KITTY, LAST, Answers, Terminal
from factory import fill
from test_terminal_bytes import PAYLOADS

from minegap_tui.kitty import CHUNK_BYTES, MARKS, PLACEHOLDER
from minegap_tui.pictures import picture
from store import open_reader

SHOW = (
    "import sys; from pathlib import Path; from minegap_tui import terminal; asking = terminal.ask();"
    "from minegap_tui.app import MineApp;"
    "MineApp(Path(sys.argv[1]), session_id=sys.argv[2], prepared=asking.prepared()).run()"
)
pytestmark = pytest.mark.timeout(300)  # an interpreter with Textual takes its time on a busy machine


def opened(store: Path, session: str, answers: Answers, *, delay: float = 0.0, **changes: str) -> Terminal:
    """Open the app as over SSH: nothing in the environment tells what the terminal can do."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"TMUX", "STY", "COLORTERM", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "SSH_CONNECTION"}
        and not name.startswith("MINEGAP_")
    }
    environment = kept | {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(store), **changes}
    return Terminal([sys.executable, "-c", SHOW, str(store), session], environment, answers, delay=delay)


def best_images(store: Path, session: str) -> list[Path]:
    with open_reader(store) as reader:
        found = reader.candidate(reader.leaderboard(session, 1)[0].id).evaluation
        assert found is not None
        return [image.path for image in found.images]


@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_a_terminal_that_proves_kitty_graphics_gets_whole_pictures(tmp_path: Path, delay: float) -> None:
    session = fill(tmp_path, generations=1, population=3, images=6, variations=4)
    terminal = opened(tmp_path, session, AS_KITTY, delay=delay)
    terminal.until_sharp(6)
    assert b"\x1b[38;5;" not in terminal.taken, "256 colours would change the pictures' numbers"
    assert max(terminal.graphics.sizes) <= CHUNK_BYTES
    placed = sorted((top, left, number) for number, (left, top, _, _) in terminal.pictures().items())
    for path, (_, _, number) in zip(best_images(tmp_path, session), placed, strict=True):
        held = terminal.graphics.held[number]
        half = picture(path, held.columns, held.rows)
        sharp = held.decoded().resize((held.columns, held.rows * 2))
        for line in (0, held.rows // 2):
            styles = [part.style for part in half.rows[line] for _ in part.text]
            for column in range(0, held.columns, 3):
                style = styles[column]
                assert style is not None
                assert style.color is not None
                assert style.color.triplet is not None
                seen = sharp.getpixel((column, line * 2))
                assert isinstance(seen, tuple)
                assert max(abs(a - b) for a, b in zip(seen, style.color.triplet, strict=True)) < 90
    assert "Leaderboard" in "\n".join(terminal.screen.display)
    terminal.send("q")
    assert terminal.until_end() == 0
    assert terminal.graphics.held == {}
    assert sorted(terminal.graphics.forgotten) == sorted(terminal.graphics.given)


@pytest.mark.parametrize(("answers", "kind"), [(AS_PLAIN, "xterm-256color"), (AS_TMUX, "tmux-256color")])
def test_other_terminals_get_half_blocks_and_not_one_byte_of_graphics(
    tmp_path: Path, answers: Answers, kind: str
) -> None:
    session = fill(tmp_path, generations=1, population=2, images=4, variations=4)
    terminal = opened(tmp_path, session, answers, TERM=kind)
    terminal.until("▀")
    terminal.send("I")
    terminal.until("Images are not drawn")
    terminal.send("q")
    assert terminal.until_end() == 0
    assert terminal.graphics.sizes == []
    assert PLACEHOLDER.encode() not in terminal.taken
    assert b"\x1bP" not in terminal.taken
    if kind.startswith("tmux"):
        assert b"\x1b_G" not in terminal.taken


def test_late_answers_press_no_keys(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=2, variations=4)
    terminal = opened(tmp_path, session, AS_KITTY | {LAST: b"\x1b[?62;22;52c"}, delay=0.3)
    terminal.until_sharp(2)
    display = "\n".join(terminal.screen.display)
    assert "❯" not in display.splitlines()[-1]
    assert "q quit" in display, "no dialog was opened and nothing was typed"
    terminal.send("q")
    assert terminal.until_end() == 0


def test_the_cursor_moves_on_and_only_what_is_seen_is_sent(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=8, images=6, variations=4)
    terminal = opened(tmp_path, session, AS_KITTY, MINEGAP_UI_IMAGES_MAX_KB_PER_SECOND="20")
    terminal.until_sharp(1)
    terminal.send("jjjjj")
    before = len(terminal.graphics.given)
    terminal.until_sharp(6)
    assert len(terminal.graphics.given) - before < 5 * 6, "five candidates were passed"
    terminal.send("q")
    assert terminal.until_end() == 0
    assert terminal.graphics.held == {}


def test_tmux_passes_pictures_on_where_the_user_wants_it(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=2, images=2, variations=4)
    terminal = opened(tmp_path, session, AS_TMUX, TERM="tmux-256color", MINEGAP_UI_IMAGES_PROTOCOL="kitty")
    terminal.until(PLACEHOLDER)
    terminal.send("q")
    assert terminal.until_end() == 0
    assert b"\x1bPtmux;\x1b\x1b_Ga=T,U=1,q=2," in terminal.taken
    assert b"\x1b[38;5;" not in terminal.taken


def test_the_placeholder_of_a_prompt_never_names_a_picture(tmp_path: Path) -> None:
    forged = "".join(PLACEHOLDER + MARKS[0] + MARKS[column] for column in range(4))
    hostile = f"wicked {forged} " + " ".join(PAYLOADS)
    session = fill(
        tmp_path, generations=1, population=2, images=2, variations=4, prompts=[hostile, f"{hostile} 2"]
    )
    terminal = opened(tmp_path, session, AS_KITTY)
    terminal.until_sharp(2)
    terminal.send("\r")
    terminal.until("previous")
    terminal.send("\x1b[6~")
    while len(terminal.graphics.given) < 4:
        terminal.step()
    terminal.send("\x1b")
    terminal.until("inspect")
    terminal.send("q")
    assert terminal.until_end() == 0
    text = terminal.taken.decode()
    assert "‹U+10EEEE›" in text
    assert KITTY.decode() in text
    cells = text.count(PLACEHOLDER)
    ours = sum(
        1
        for piece in text.split(PLACEHOLDER)[1:]
        if len(piece) >= 2 and piece[0] in MARKS and piece[1] in MARKS
    )
    assert cells == ours > 0
    assert "\x1b_Gi=31;AAAA" not in text


def test_a_line_that_is_cut_ends_the_app(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=3, images=6, variations=4)
    terminal = opened(tmp_path, session, AS_KITTY)
    terminal.until_sharp(6)
    child = terminal.child
    os.close(child.child_fd)  # the kernel hangs up, as when an SSH link is cut
    _, status = os.waitpid(child.pid, 0)
    child.ptyproc.fd = child.child_fd = -1
    child.ptyproc.closed = child.closed = True
    child.ptyproc.terminated = child.terminated = True
    assert os.waitstatus_to_exitcode(status) == 0
