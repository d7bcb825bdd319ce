"""Saved views: what is kept, and what a broken file or disk does to it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from engine.errors import InputError, MachineError
from minegap_tui.views_file import MOST_NAME, SavedView, ViewsFile


@pytest.fixture
def file(tmp_path: Path) -> ViewsFile:
    return ViewsFile(tmp_path / "deep" / "views.json")


def test_views_are_kept_by_name(file: ViewsFile) -> None:
    assert file.all() == []
    file.save(SavedView("Night", "gen:2"))
    file.save(SavedView("day \x1b[2J", 'score<.2 "é"', "newest"))
    file.save(SavedView("Night", "gen:3"))
    assert file.all() == [SavedView("day \x1b[2J", 'score<.2 "é"', "newest"), SavedView("Night", "gen:3")]
    assert file.find("Night").filter == "gen:3"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.remove("Night")
    file.remove("never there")
    assert [view.name for view in file.all()] == ["day \x1b[2J"]
    with pytest.raises(InputError, match=r"'Night'.*--views"):
        file.find("Night")


def test_the_file_is_among_the_users_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert ViewsFile().path == tmp_path / "minegap" / "views.json"


@pytest.mark.parametrize(
    "view",
    [SavedView("", ""), SavedView(" ", ""), SavedView("x" * (MOST_NAME + 1), ""), SavedView("a", "foo:x")],
)
def test_what_could_not_be_shown_again_is_not_saved(file: ViewsFile, view: SavedView) -> None:
    with pytest.raises(InputError):
        file.save(view)
    assert not file.path.exists()


@pytest.mark.parametrize("view", [SavedView("\udcff", ""), SavedView("a", "x\udcff")])
def test_half_a_character_is_refused(file: ViewsFile, view: SavedView) -> None:
    with pytest.raises(InputError, match="half a character"):
        file.save(view)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "views": []}',
        b'{"views": [{"name": "a"}]}',
        b'{"views": [{"name": "a", "filter": "", "order": "sideways"}]}',
        b"[" * 100_000,
        b" " * (1 << 20) + b"{}",
    ],
)
def test_a_file_that_is_no_list_of_views_is_named_and_left_alone(file: ViewsFile, content: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    for ask in (file.all, lambda: file.save(SavedView("a", "")), lambda: file.remove("a")):
        with pytest.raises(InputError, match=r"views\.json.*correct it or move it away"):
            ask()
    assert file.path.read_bytes() == content


def test_a_view_written_by_hand_is_read(file: ViewsFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"views": [{"name": "a", "filter": "gen:1"}]}))
    assert file.all() == [SavedView("a", "gen:1")]


def test_a_write_that_fails_half_way_leaves_the_views_as_they_were(
    file: ViewsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.save(SavedView("a", "gen:1"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(MachineError, match="No space left"):
                file.save(SavedView("b", "gen:2"))
        assert file.all() == [SavedView("a", "gen:1")]
        assert [one.name for one in file.path.parent.iterdir()] == ["views.json"]


def test_a_file_that_cannot_be_read_is_named(file: ViewsFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read"):
        file.all()
