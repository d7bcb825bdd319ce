"""Pictures on their way to the terminal: whole, in order, within the budget, and dropped when nobody waits."""

from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answering import Graphics
from factory import fill
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from scripted import shown

from minegap_tui import kitty
from minegap_tui.app import MineApp
from minegap_tui.images import Images, Pace
from minegap_tui.kitty import CHUNK_BYTES, MARKS, PLACEHOLDER, Key, Shelf, placeholders, transmission
from minegap_tui.pictures import MAX_PIXELS, PictureError, picture, sharp
from minegap_tui.probe import Terminal
from minegap_tui.screenshots import settle
from minegap_tui.settings import ImagesSection
from minegap_tui.widgets.evidence import Gallery

GREY = (21, 23, 28)
KITTY = Terminal(asked=True, answered=True, name="kitty(0.35.2)", kitty=True, cell=(10, 20))
XTERM = Terminal(asked=True, answered=True, name="XTerm(390)", sixel=True, cell=(8, 17), registers=256)
PLAIN = Terminal(asked=True, answered=True, name="VTE(7600)")
TMUX = Terminal(asked=True, answered=True, name="tmux 3.4", sixel=True, multiplexer="tmux")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        time.sleep(0)  # lets other threads go on


class Line:
    """A port that hands all to a terminal, and notes when."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.graphics = Graphics()
        self.written: list[tuple[float, int]] = []
        self.after: Callable[[], None] = lambda: None
        self.busy = threading.Event()

    def ready(self) -> bool:
        return True

    def idle(self) -> bool:
        return not self.busy.is_set()

    def cell(self) -> tuple[int, int] | None:
        return None

    def write(self, text: str) -> None:
        self.written.append((self.clock.now, len(text)))
        for body in re.findall(r"\x1b_G(.*?)\x1b\\", text):
            self.graphics.take(body.encode())
        self.after()


def images(
    line: Line, terminal: Terminal = KITTY, *, colours: bool = True, kb: int = 1000, **wanted: Any
) -> Images:
    settings = ImagesSection(**wanted)
    pace = Pace(kb * 1000, line.clock, line.clock.sleep)
    return Images(settings, terminal, line, colours=colours, pace=pace, first=0x0A0B0C)


def noise(path: Path, size: tuple[int, int], seed: int = 1) -> Path:
    """An image that hardly compresses."""
    values = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(values).save(path, "PNG")
    return path


def never() -> bool:
    return False


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


@pytest.mark.parametrize("size", [(64, 64), (900, 300), (30, 400)])
def test_proportions_are_kept_and_nothing_is_enlarged(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", size, (200, 10, 10)).save(path)
    png = sharp(path, 200, 220, GREY)
    drawn = Image.open(io.BytesIO(png)).convert("RGB")
    red = drawn.point(lambda value: 255 if value > 100 else 0).getbbox()
    assert red is not None
    left, top, right, bottom = red
    assert top == 0
    assert abs(left - (drawn.width - right)) <= 1
    assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1], rel=0.06)
    assert drawn.width / drawn.height == pytest.approx(200 / 220, rel=0.05)
    assert right - left <= size[0]


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_image_is_not_sent(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    line = Line()
    assert images(line).picture(Key(tmp_path / "a.png", 10, 5, GREY), never) is None
    assert images(line).picture(Key(tmp_path / "none.png", 10, 5, GREY), never) is None
    assert line.written == []


def test_a_bomb_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (MAX_PIXELS // 1000, 1001)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(PictureError, match="it has 64 million pixels, and 64 are allowed"):
        sharp(tmp_path / "a.png", 10, 10, GREY)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@given(data=st.data())
def test_a_broken_file_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    grain = np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(grain).save(buffer, kind)
    raw = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"broken-{kind}"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with suppress(PictureError):  # any other exception fails
        assert picture(path, 10, 5).width == 10


def test_what_cannot_be_shown_is_told_apart(tmp_path: Path) -> None:
    path = noise(tmp_path / "a.png", (64, 64))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(PictureError, match="the file is broken or cut short"):
        picture(path, 10, 5)
    path.write_bytes(b"<svg>")
    with pytest.raises(PictureError, match="the file is no PNG, JPEG or WebP image"):
        picture(path, 10, 5)
    path.unlink()
    with pytest.raises(PictureError, match="the file is missing"):
        picture(path, 10, 5)


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


# ---------------------------------------------------------------- in the app


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=1, population=4, images=6, variations=4)


def illustrated(mined: tuple[Path, str], line: Line) -> MineApp:
    app = MineApp(mined[0], session_id=mined[1])
    app.images = images(line)
    return app


async def test_the_cursor_leaves_its_pictures_behind(mined: tuple[Path, str]) -> None:
    line = Line()
    app = illustrated(mined, line)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert len(line.graphics.given) == 6
        line.busy.set()
        for place in (1, 2):
            await pilot.press("j")
            wanted = app.view.leaderboard(9)[place].candidate_id
            while app.evidence is None or app.evidence.candidate_id != wanted:
                await pilot.pause()
        line.busy.clear()
        await settle(app, pilot)
        assert len(line.graphics.given) == 12  # the first candidate's and the third's
        assert line.graphics.forgotten == []
        await pilot.press("k", "k")
        await settle(app, pilot)
        held = len(line.graphics.given)
        assert held in {12, 18}  # the second's may have come by; the first's are not sent again
    assert line.graphics.held == {}


async def test_under_a_dialog_and_by_the_key_there_are_half_blocks(mined: tuple[Path, str]) -> None:
    app = illustrated(mined, Line())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert PLACEHOLDER in shown(app)
        await pilot.press("question_mark")
        await settle(app, pilot)
        assert PLACEHOLDER not in shown(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert PLACEHOLDER in shown(app)
        await pilot.press("I")
        await settle(app, pilot)
        assert PLACEHOLDER not in shown(app)
        assert "▀" in shown(app)
        assert "Images are drawn in half-blocks." in shown(app)
        await pilot.press("I")
        await settle(app, pilot)
        assert "▀" not in shown(app)
        assert "6, not drawn" in shown(app)
        await pilot.press("I")
        await settle(app, pilot)
        assert PLACEHOLDER in shown(app)


async def test_over_a_slow_link_each_picture_comes_once_in_the_best_way(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    line = Line()
    app.images = images(line, max_kb_per_second=50)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert len(line.graphics.given) == 6
        assert PLACEHOLDER in shown(app)
        assert "▀" not in shown(app)


async def test_over_a_slow_link_half_blocks_keep_to_the_budget(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    line = Line()
    app.images = images(line, PLAIN, kb=50, max_kb_per_second=50)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "·" not in gallery_text(app)
        cells = gallery_text(app).count("▀")
        assert cells > 300
        assert line.clock.now * 50_000 > cells * 3
        line.busy.set()
        await pilot.press("j")
        wanted = app.view.leaderboard(9)[1].candidate_id
        while app.evidence is None or app.evidence.candidate_id != wanted or "▀" in gallery_text(app):
            await pilot.pause()
        assert "·" in gallery_text(app)
        line.busy.clear()
        await settle(app, pilot)
        assert gallery_text(app).count("▀") > 300


def gallery_text(app: MineApp) -> str:
    gallery = app.screen.query_one(Gallery)
    return "\n".join(gallery.render_line(y).text for y in range(1, gallery.size.height))


def test_equal_cells_are_written_together(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "a.png")
    flat = picture(tmp_path / "a.png", 10, 5)
    busy = picture(noise(tmp_path / "b.png", (40, 40)), 10, 5)
    assert [sum(part.cell_length for part in row) for row in flat.rows] == [10] * 5
    assert len(flat.rows[0]) < 4 < len(busy.rows[0])
    assert flat.written_bytes < busy.written_bytes / 2
