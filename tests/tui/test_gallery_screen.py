"""The gallery as its user meets it: scrubbing, following, one candidate's line, side by side, the viewer, a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill, measure
from PIL import Image
from scripted import ScriptedEngine, app_on, shown, snapshot
from test_terminal_bytes import PAYLOADS
from textual.pilot import Pilot

from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.screens.gallery import GalleryScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.viewer import ViewerScreen
from store import open_reader, open_store
from store.incoming import NewCandidate


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=14, population=4, images=5, variations=4)


async def opened(pilot: Pilot[int], app: MineApp, *keys: str) -> str:
    """Press keys one after the other and return what stands on the screen then."""
    await settle(app, pilot)
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)
    return shown(app)


def breed(directory: Path, session: str, generation: int, parent: int | None = None) -> int:
    """Store one more scored candidate."""
    with open_store(directory) as store:
        new = NewCandidate(0, f"a photo of a judge {generation}", "mutation" if parent else "random", parent)
        (candidate,) = store.add_candidates(session, generation, [new])
        measure(store, candidate, new.prompt, (3, 4), 0.5, seed=generation)
        return candidate


async def test_it_scrubs_over_generations(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(120, 40)) as pilot:
        text = await opened(pilot, app, "V")
        assert "generation 14 of 14" in text
        assert "follows the newest" in text
        assert "mutation, generation 14" in text
        text = await opened(pilot, app, "left")
        assert "generation 13 of 14" in text
        assert "held, 1 behind the newest" in text
        assert "generation 3 of 14" in await opened(pilot, app, "shift+left")
        assert "generation 1 of 14" in await opened(pilot, app, "pageup")
        assert "generation 11 of 14" in await opened(pilot, app, "pagedown")
        assert "generation 1 of 14" in await opened(pilot, app, "home")
        assert "follows the newest" in await opened(pilot, app, "end")
        await opened(pilot, app, "escape")
        assert isinstance(app.screen, LiveScreen)


async def test_a_new_generation_is_followed_but_not_by_who_stepped_back(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=2, population=3, images=3, variations=4)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app, "V")
        breed(tmp_path, session, 3)
        while "generation 3 of 3" not in shown(app):
            await pilot.pause()
        await opened(pilot, app, "left")
        breed(tmp_path, session, 4)
        while "2 behind" not in shown(app):
            await pilot.pause()
        assert "generation 2 of 4" in shown(app)


async def test_a_candidates_images_lead_along_its_line(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(120, 40)) as pilot:
        text = await opened(pilot, app, "V", "a")
        assert "All images of one candidate" in text
        with open_reader(mined[0]) as reader:
            best = reader.best_images(mined[1], 14)[0].candidate
            line = reader.candidate(best.id).parents
        assert f"lineage {len(line) + 1} of {len(line) + 1}" in text
        assert best.prompt in text
        text = await opened(pilot, app, "left")
        assert f"lineage {len(line)} of {len(line) + 1}" in text
        assert f"generation {line[0].generation}" in text
        assert f"lineage 1 of {len(line) + 1}" in await opened(pilot, app, "home")
        assert f"lineage {len(line) + 1} of" in await opened(pilot, app, "end")
        assert "generation 14 of 14" in await opened(pilot, app, "escape")


async def test_a_candidate_lies_beside_its_parent_or_the_marked_one(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(120, 40)) as pilot:
        text = await opened(pilot, app, "V", "s")
        with open_reader(mined[0]) as reader:
            shots = [one.candidate for one in reader.best_images(mined[1], 14)]
            parent = reader.candidate(shots[0].parent_id or 0).candidate
        assert f"above {parent.score:.3f}" in text
        assert f"below {shots[0].score:.3f}" in text
        assert "seeds differ, as each is derived from its prompt" in text
        assert "draw 2: above seed" in await opened(pilot, app, "right")
        await opened(pilot, app, "escape", "space", "l", "l")
        text = await opened(pilot, app, "s")
        assert f"above {shots[0].score:.3f}" in text
        assert f"below {shots[2].score:.3f}" in text


async def test_without_a_parent_it_says_what_to_do(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=3, images=3, variations=4)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(120, 40)) as pilot:
        assert "It has no parent: mark another one with space" in await opened(pilot, app, "V", "s")
        assert "without ancestors" in await opened(pilot, app, "a")


async def test_the_viewer_turns_pages_and_the_cursor_goes_with_it(mined: tuple[Path, str]) -> None:
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(120, 40)) as pilot:
        text = await opened(pilot, app, "V", "a", "enter")
        assert isinstance(app.screen, ViewerScreen)
        assert "1 of 5" in text
        assert "closest to “" in text
        text = await opened(pilot, app, "l", "right")
        assert "draw 3 of 5" in text
        assert "draw 5 of 5" in await opened(pilot, app, "end", "l")
        text = await opened(pilot, app, "escape")
        assert isinstance(app.screen, GalleryScreen)
        assert "draw 5 of 5" in text


async def test_what_cannot_be_shown_says_why(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=3, images=3, variations=4)
    with open_reader(tmp_path) as reader:
        images = [one.image.path for one in reader.best_images(session, 1)]
    images[0].unlink()
    images[1].write_bytes(images[1].read_bytes()[:150])
    Image.new("1", (64_000, 1001)).save(images[2])
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=(160, 40)) as pilot:
        text = await opened(pilot, app, "V")
        for why in ("the file is missing", "the file is broken", "it has 64 million"):
            assert f"cannot be shown: {why}" in text
        assert "cannot be shown: the file is missing" in await opened(pilot, app, "enter")


async def test_an_empty_session_says_what_will_come(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="fresh", seed=1, config_json="{}", models_json="{}")
    app = app_on(tmp_path, ScriptedEngine(snapshot(session)))
    async with app.run_test(size=(80, 24)) as pilot:
        text = await opened(pilot, app, "V", "enter", "a", "s", "w", "l", "left", "end", "space")
        assert "No candidate of this session has a score yet" in text
        breed(tmp_path, session, 1)
        while "generation 1 of 1" not in shown(app):
            await pilot.pause()
        await opened(pilot, app, "escape")
        assert isinstance(app.screen, LiveScreen)


async def test_a_sheet_is_written_where_the_app_was_started(
    mined: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = MineApp(mined[0], session_id=mined[1])
    async with app.run_test(size=(200, 50)) as pilot:
        text = await opened(pilot, app, "V", "w")
        (path,) = tmp_path.glob("*.png")
        assert path.name == "minegap-demo-generation-14-of-14.png"
        assert path.name in text

        def full(*_: object) -> Path:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("minegap_tui.screens.gallery.save_sheet", full)
        assert "The sheet was not written (No space left on device)" in await opened(pilot, app, "w")


async def test_it_shows_the_session_chosen_among_all_and_the_candidate_that_is_inspected(
    mined: tuple[Path, str],
) -> None:
    app = MineApp(mined[0])
    async with app.run_test(size=(120, 40)) as pilot:
        assert "generation 14 of 14" in await opened(pilot, app, "V")
        await opened(pilot, app, "escape", "enter", "enter")
        assert "All images of one candidate" in await opened(pilot, app, "V")
        assert "generation 14 of 14" in await opened(pilot, app, "a")


async def test_no_key_steers_from_here(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = app_on(mined[0], engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app, "V", "p", "b", "e", "u", "enter", "p", "asterisk")
        assert engine.asked == []


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 60), (20, 6)])
async def test_hostile_prompts_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    prompts = [f"{payload} {number}" for number, payload in enumerate(PAYLOADS)]
    session = fill(tmp_path, generations=2, population=len(prompts), images=3, variations=4, prompts=prompts)
    app = MineApp(tmp_path, session_id=session)
    async with app.run_test(size=size) as pilot:
        for keys in (("V", "left"), ("a",), ("enter",), ("escape", "escape", "space", "l", "s")):
            text = await opened(pilot, app, *keys)
            assert not any(ord(character) < 32 and character != "\n" for character in text)
        await pilot.resize_terminal(60, 15)
        await settle(app, pilot)
