"""A file becomes a picture: in its proportions, in few bytes, and with a reason where it cannot."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging import GREY, noise
from PIL import Image

from minegap_tui.pictures import MAX_PIXELS, PictureError, picture, sharp


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


def test_equal_cells_are_written_together(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "a.png")
    flat = picture(tmp_path / "a.png", 10, 5)
    busy = picture(noise(tmp_path / "b.png", (40, 40)), 10, 5)
    assert [sum(part.cell_length for part in row) for row in flat.rows] == [10] * 5
    assert len(flat.rows[0]) < 4 < len(busy.rows[0])
    assert flat.written_bytes < busy.written_bytes / 2
