"""The comparison as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from factory import fill
from many import many
from scripted import shown
from textual.pilot import Pilot

from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.library import NOT_OPEN
from minegap_tui.screens.compare import CompareScreen
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.sessions import SessionsScreen
from minegap_tui.screens.versus import VersusScreen
from store import open_store
from store.incoming import NewCandidate

HOSTILE = "\x1b]0;pwned\x07 \x9b31m \u202egnp [@click=app.quit]x[/] [/] [bold \U0010eeee"
SIZES = [(80, 24), (120, 40), (200, 50)]


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A session ``alpha`` and a newer one ``omega``, which share their first generation's prompts."""
    directory = tmp_path_factory.mktemp("store")
    alpha = fill(directory, generations=2, population=8, images=4, variations=4, name="alpha")
    omega = fill(directory, generations=1, population=8, images=6, variations=4, name="omega")
    return directory, alpha, omega


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot.app, pilot)  # type: ignore[arg-type]
    await settle(pilot.app, pilot)  # type: ignore[arg-type]


def screen(app: MineApp) -> CompareScreen:
    assert isinstance(app.screen, CompareScreen)
    return app.screen


Opened = Callable[[MineApp, Pilot[int]], object]


async def opened(app: MineApp, pilot: Pilot[int]) -> CompareScreen:
    await settle(app, pilot)
    await pressed(pilot, "C")
    assert isinstance(app.screen, VersusScreen)
    await pressed(pilot, "enter")
    return screen(app)


async def test_the_prompt_under_the_cursor_is_copied(mined: tuple[Path, str, str]) -> None:
    directory, alpha, _ = mined
    app = MineApp(directory, alpha)
    async with app.run_test(size=(120, 40)) as pilot:
        page = await opened(app, pilot)
        await pressed(pilot, "y")
        line = page._rows.chosen
        assert line is not None
        assert app.clipboard == line.prompt


@pytest.mark.parametrize("size", SIZES)
async def test_two_sessions_are_compared(mined: tuple[Path, str, str], size: tuple[int, int]) -> None:
    directory, alpha, _ = mined
    app = MineApp(directory, alpha)
    async with app.run_test(size=size) as pilot:
        page = await opened(app, pilot)
        found = page.comparison
        assert found is not None
        text = shown(app)
        assert [side.name for side in (found.a, found.b)] == ["alpha", "omega"]
        for word in (
            "alpha",
            "omega",
            f"{len(found.pairs)} shared prompts",
            "A−B",
            "What the images leave out",
        ):
            assert word in text, word
        first = found.pairs[0]
        row = next(line for line in text.splitlines() if line.lstrip().startswith("▌"))
        assert f"{first.score_a:.3f}" in row
        assert f"{first.score_b:.3f}" in row
        assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]
        await pressed(pilot, "d")
        details = shown(app)
        for word in ("mean A−B", "Wilcoxon p", "different numbers of images"):
            assert word in details, word
        await pressed(pilot, "d")
        assert "Each shared prompt" in shown(app)
        await pressed(pilot, "d")
        assert "A−B" in shown(app)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, LiveScreen)


async def test_lists_orders_scores_and_sides_are_changed_by_keys(mined: tuple[Path, str, str]) -> None:
    directory, alpha, _ = mined
    app = MineApp(directory, alpha)
    async with app.run_test(size=(120, 40)) as pilot:
        page = await opened(app, pilot)
        found = page.comparison
        assert found is not None
        await pressed(pilot, "G")
        assert f"{found.pairs[-1].difference:+.3f}".replace("-", "−") in shown(app)
        last = page._rows.chosen
        await pressed(pilot, "v")
        assert page._rows.chosen == last  # the cursor stays on its prompt
        assert page._rows.cursor == 0
        for title in ("Only in A", "Only in B", "Shared prompts"):
            await pressed(pilot, "tab")
            assert title in shown(app)
        await pressed(pilot, "shift+tab")
        assert "Every prompt of this side" in shown(app)
        await pressed(pilot, "tab", "s", "s", "s", "v")
        assert "by prompt ↓" in shown(app)
        before = found.metric
        await pressed(pilot, "m")
        assert page.comparison is not None
        assert page.comparison.metric != before
        assert page.comparison.metric in shown(app)
        differences = page.comparison.differences
        await pressed(pilot, "x")
        assert page.comparison.a.name == "omega"
        assert page.comparison.differences == pytest.approx([-one for one in reversed(differences)])
        await pressed(pilot, "escape")
        again = await opened(app, pilot)
        assert again is not page
        assert "by prompt ↓" in shown(app)  # the order is kept, for the next start, too
        assert (
            app.memory.text("compare.column", ["prompt"], ""),
            app.memory.flag("compare.descending", False),
        ) == (
            "prompt",
            True,
        )


async def test_evidence_of_either_side_is_a_key_away_and_its_neighbours_too(
    mined: tuple[Path, str, str],
) -> None:
    directory, alpha, _ = mined
    app = MineApp(directory, alpha)
    async with app.run_test(size=(120, 40)) as pilot:
        page = await opened(app, pilot)
        assert page.comparison is not None
        first, second = page.comparison.pairs[:2]
        for key, one, other in (("enter", first.a, second.a), ("b", first.b, second.b)):
            await pressed(pilot, "g", key)
            assert isinstance(app.screen, FoundScreen)
            assert app.screen._evidence.candidate_id == one.candidate_id
            assert app.helm.why_not("pin") == NOT_OPEN
            await pressed(pilot, "n")
            assert app.screen._evidence.candidate_id == other.candidate_id
            await pressed(pilot, "escape")
            assert screen(app) is page


async def test_it_is_opened_from_home_for_the_session_under_the_cursor(mined: tuple[Path, str, str]) -> None:
    directory, _, _ = mined
    app = MineApp(directory)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, SessionsScreen)
        await pressed(pilot, "C")
        assert "Compare “omega” with" in shown(app)
        await pressed(pilot, "escape")
        assert isinstance(app.screen, SessionsScreen)  # nothing to compare it with was chosen
        await pressed(pilot, "C", "enter", "c", "escape")
        assert screen(app).comparison is not None  # one that is there stays


async def test_sides_that_share_nothing_and_lonely_sessions_say_what_to_do(tmp_path: Path) -> None:
    alone = fill(
        tmp_path, generations=1, population=2, images=4, variations=4, prompts=["a b", "a c"], name="alone"
    )
    app = MineApp(tmp_path, alone)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "C")
        assert "There is no other session yet" in shown(app)
    fill(tmp_path, generations=1, population=2, images=4, variations=4, prompts=["x y", "x z"], name="other")
    app = MineApp(tmp_path, alone)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        text = " ".join(shown(app).split())
        assert "No prompt was measured on both sides" in text
        assert "--remeasure 10" in text
        for key in ("enter", "b", "s", "v", "m", "j", "G", "d"):
            await pressed(pilot, key)
        await pressed(pilot, "d", "d", "tab")
        assert "a b" in shown(app)


async def test_a_session_without_a_score_is_survived(tmp_path: Path) -> None:
    fill(tmp_path, generations=1, population=2, images=4, variations=4)
    with open_store(tmp_path) as store:
        empty = store.create_session(name="empty", seed=1, config_json="{", models_json="")
        store.add_candidates(empty, 1, [NewCandidate(0, "waits", "random")])
    app = MineApp(tmp_path, empty)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        assert "A has no scored prompt yet" in shown(app)
        for key in ("tab", "tab", "x", "m", "r", "enter"):
            await pressed(pilot, key)
    app = MineApp(tmp_path / "none")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "C")
        assert "no session to compare" in shown(app)


async def test_hostile_text_is_shown_and_never_meant(tmp_path: Path) -> None:
    for images in (4, 6):
        fill(
            tmp_path,
            generations=1,
            population=3,
            images=images,
            variations=4,
            prompts=[HOSTILE],
            name=HOSTILE,
        )
    app = MineApp(tmp_path)
    seen = ""
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for keys in (("C",), ("enter",), ("j",), ("tab",), ("d",), ("enter",)):
            await pressed(pilot, *keys)
            seen += shown(app)
    assert "[@click=app.quit]" in seen
    assert not any(c in seen for c in "\x1b\x07\x9b\u202e\U0010eeee")


async def test_no_size_is_too_small(mined: tuple[Path, str, str]) -> None:
    app = MineApp(mined[0], mined[1])
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        for _ in range(3):
            for size in ((40, 12), (10, 3), (1, 1), (300, 90), (80, 24)):
                await pilot.resize_terminal(*size)
                await settle(app, pilot)
            await pressed(pilot, "d")
        assert "shared prompts" in shown(app)


async def test_five_thousand_prompts_are_compared(tmp_path: Path) -> None:
    one = many(tmp_path, 5000)
    with open_store(tmp_path) as store:
        copy = store.fork_session(one, 25, name="copy", seed=1, config_json="{}")
        store.set_session_state(copy, "finished")
    app = MineApp(tmp_path, one)
    async with app.run_test(size=(120, 40)) as pilot:
        page = await opened(app, pilot)
        assert page.comparison is not None
        assert (len(page.comparison.pairs), page.comparison.same) == (2500, 2500)
        assert "none of them measured twice" in shown(app)
        await pressed(pilot, "tab", "G")
        assert "prompt number 5000" in shown(app)
