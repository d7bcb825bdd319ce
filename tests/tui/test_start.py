"""What a start imports: every module here is paid for before the first paint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from factory import fill
from scripted import shown

from minegap_tui.app import MineApp

MODELS = {"torch", "torchvision", "diffusers", "transformers", "open_clip", "llama_cpp"}
LATER = {
    "numpy",
    "scipy",
    "pydantic",
    "pydantic_settings",
    "sqlite_utils",
    "PIL",
    "textual.widgets._text_area",
    "minegap_tui.screens.inspect",
    "minegap_tui.screens.history",
    "minegap_tui.screens.new",
}
"""Imported by the screen, dialog or thread that needs them."""


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        (
            "minegap_tui.terminal",
            MODELS | LATER | {"textual"},
        ),  # what it sets is read when Textual is imported
        ("minegap_tui.app", MODELS | LATER),
        ("minegap_tui.launch", MODELS | LATER),
        ("minegap_tui.commands.sessions", MODELS | LATER | {"textual"}),
        ("minegap_tui.commands.mine", MODELS | LATER | {"textual"}),  # and 'attach'
    ],
)
def test_a_start_imports_nothing_that_it_does_not_draw_with(module: str, banned: set[str]) -> None:
    program = f"import sys, {module}; print(*sorted({banned!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


async def test_a_session_is_drawn_as_soon_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minegap_tui.app.REDRAW_SECONDS", 3600)  # the timer of bursts is not what draws it
    app = MineApp(tmp_path, session_id=fill(tmp_path, generations=1, population=3, images=2, variations=2))
    async with app.run_test() as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.view.leaderboard(1)[0].prompt[:20] in shown(app)


def test_garbage_is_looked_for_as_usual_once_the_app_has_started() -> None:
    program = """
import gc
from minegap_tui import garbage
usual = gc.get_threshold()
garbage.started()
assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, 0), "nothing was spared"
garbage.spare_start()
garbage.spare_start()
assert gc.get_threshold()[0] > 100 * usual[0]
garbage.started()
assert gc.get_threshold() == usual and gc.get_freeze_count() > 0
"""
    subprocess.run([sys.executable, "-c", program], check=True)
