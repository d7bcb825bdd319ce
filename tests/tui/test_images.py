"""Pictures on their way to the terminal: drawn as it can, within the budget, and dropped when nobody waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from imaging import GREY, KITTY, PLAIN, TMUX, XTERM, Line, images, noise

from minegap_tui.images import Images
from minegap_tui.kitty import CHUNK_BYTES, Key
from minegap_tui.probe import Terminal
from minegap_tui.settings import ImagesSection


def never() -> bool:
    return False


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_image_is_not_sent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    line = Line()
    assert images(line).picture(Key(tmp_path / "a.png", 10, 5, GREY), never) is None
    assert images(line).picture(Key(tmp_path / "none.png", 10, 5, GREY), never) is None
    assert line.written == []


def test_a_picture_is_sent_once(tmp_path: Path) -> None:
    line = Line()
    desk = images(line)
    key = Key(noise(tmp_path / "a.png", (64, 64)), 20, 11, GREY)
    assert desk.held(key) is None
    first = desk.picture(key, never)
    sent = len(line.written)
    assert first is not None
    assert desk.picture(key, never) == desk.held(key) == first
    assert len(line.written) == sent
    assert line.graphics.given == [0x0A0B0C]
    assert line.graphics.held[0x0A0B0C].decoded().size == (64, 70)


@pytest.mark.parametrize("kb", [1, 20, 300])
def test_the_budget_of_bytes_is_held(tmp_path: Path, kb: int) -> None:
    line = Line()
    desk = images(line, kb=kb)
    for number in range(3):
        desk.picture(Key(noise(tmp_path / f"{number}.png", (120, 120), number), 20, 10, GREY), never)
    assert len(line.graphics.given) == 3
    total = sum(size for _, size in line.written)
    assert total > 40_000
    for begin, (start, _) in enumerate(line.written):
        window = 0
        for moment, size in line.written[begin:]:
            window += size
            assert window <= kb * 1000 * (moment - start + 0.05) + CHUNK_BYTES
    assert line.clock.now == pytest.approx(total / (kb * 1000), rel=0.3)


def test_nothing_is_sent_while_frames_wait(tmp_path: Path) -> None:
    line = Line()
    line.busy.set()
    asked = iter([False] * 50 + [True])
    key = Key(noise(tmp_path / "a.png", (64, 64)), 20, 10, GREY)
    assert images(line).picture(key, lambda: next(asked)) is None
    assert line.written == []


def test_a_cancelled_picture_is_broken_off_and_forgotten(tmp_path: Path) -> None:
    line = Line()
    desk = images(line)
    key = Key(noise(tmp_path / "a.png", (200, 200)), 20, 10, GREY)
    assert desk.picture(key, lambda: len(line.written) >= 3) is None
    assert line.graphics.given == []
    assert line.graphics.forgotten == [0x0A0B0C]
    assert line.graphics.held == {}
    assert len(line.written) == 4
    assert desk.held(key) is None
    assert desk.picture(key, never) is not None
    assert len(line.graphics.given) == 1


def test_old_pictures_are_deleted_and_all_of_them_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minegap_tui.images._CAPACITY", 2)
    line = Line()
    desk = images(line)
    for number in range(4):
        desk.picture(Key(noise(tmp_path / f"{number}.png", (16, 16), number), 4, 2, GREY), never)
    assert line.graphics.forgotten == line.graphics.given[:2]
    desk.close()
    assert line.graphics.forgotten == line.graphics.given
    assert line.graphics.held == {}


def test_closing_breaks_off_what_is_being_sent(tmp_path: Path) -> None:
    line = Line()
    desk = images(line)
    half_way = threading.Event()
    line.after = lambda: half_way.set() if len(line.written) == 2 else None
    key = Key(noise(tmp_path / "a.png", (200, 200)), 20, 10, GREY)

    def cancelled() -> bool:
        if half_way.is_set() and not line.busy.is_set():
            line.busy.set()
        return False

    sender = threading.Thread(target=desk.picture, args=(key, cancelled))
    sender.start()
    assert half_way.wait(30)
    desk.close()
    sender.join(30)
    assert not sender.is_alive()
    assert line.graphics.held == {}


def test_two_galleries_never_mix_their_pieces(tmp_path: Path) -> None:
    line = Line()
    desk = images(line)
    keys = [Key(noise(tmp_path / f"{number}.png", (150, 150), number), 20, 10, GREY) for number in range(2)]
    begun, tried = threading.Event(), threading.Event()
    turns = iter(range(1000))

    def second_waits() -> bool:
        if next(turns) >= 3:
            tried.set()
        return False

    def after_a_piece() -> None:
        begun.set()
        if len(line.written) == 1:
            assert tried.wait(30)
        else:
            tried.set()

    line.after = after_a_piece
    first = threading.Thread(target=desk.picture, args=(keys[0], never))
    second = threading.Thread(target=desk.picture, args=(keys[1], second_waits))
    first.start()
    assert begun.wait(30)
    second.start()
    for thread in (first, second):
        thread.join(30)
    assert len(line.graphics.given) == 2  # Graphics refuses pieces of two at once


@pytest.mark.parametrize(
    ("terminal", "wanted", "colours", "drawn"),
    [
        (KITTY, "auto", True, "kitty"),
        (KITTY, "half", True, "half"),
        (KITTY, "off", True, "off"),
        (KITTY, "auto", False, "half"),
        (KITTY, "kitty", False, "half"),
        (KITTY, "sixel", True, "sixel"),
        (XTERM, "auto", True, "sixel"),
        (XTERM, "auto", False, "sixel"),
        (XTERM, "sixel", True, "sixel"),
        (XTERM, "kitty", True, "kitty"),
        (XTERM, "half", True, "half"),
        (PLAIN, "auto", True, "half"),
        (TMUX, "auto", True, "half"),
        (TMUX, "sixel", True, "sixel"),
        (Terminal(), "auto", True, "half"),
    ],
)
def test_how_pictures_are_drawn(terminal: Terminal, wanted: str, colours: bool, drawn: str) -> None:
    assert images(Line(), terminal, colours=colours, protocol=wanted).drawn == drawn


def test_the_ways_follow_each_other() -> None:
    desk = images(Line())
    assert [desk.cycle() for _ in range(3)] == [
        "Images are drawn in half-blocks.",
        "Images are not drawn.",
        "Images are drawn in full, by kitty graphics.",
    ]
    painter = images(Line(), XTERM)
    assert [painter.cycle() for _ in range(3)] == [
        "Images are drawn in half-blocks.",
        "Images are not drawn.",
        "Images are drawn in full by sixels where they stand still: in the gallery and its viewer.",
    ]
    plain = images(Line(), PLAIN)
    assert plain.cycle() == "Images are not drawn."
    assert (
        plain.cycle()
        == "Images are drawn in half-blocks: this terminal draws neither kitty graphics as text "
        "nor sixel."
    )
    assert "NO_COLOR" in images(Line(), colours=False).why_not("kitty")


@pytest.mark.parametrize(
    ("before", "terminal", "wanted", "drawn"),
    [
        ("half", KITTY, "auto", "half"),
        ("off", XTERM, "auto", "off"),
        ("kitty", XTERM, "auto", "sixel"),
        ("sixel", PLAIN, "auto", "half"),
        ("off", KITTY, "kitty", "kitty"),
        ("", KITTY, "auto", "kitty"),
    ],
)
def test_the_last_choice_counts_where_the_settings_leave_it_and_the_terminal_has_it(
    before: str, terminal: Terminal, wanted: str, drawn: str
) -> None:
    settings = ImagesSection(protocol=wanted)
    assert Images(settings, terminal, Line(), colours=True, before=before).drawn == drawn
