"""The candidate's screen as a user meets it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factory import fill
from scripted import shown

from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.screens.inspect import InspectScreen
from minegap_tui.view.heat import Cursor, HeatMap
from minegap_tui.widgets.proof import ImageBoard
from minegap_tui.widgets.similarity import Similarities
from store import open_store
from store.incoming import NewCandidate, NewCeiling, NewConfirmationResult, NewConfirmedScore, NewEvaluation

NASTY = "\x1b]0;pwned\x07 [red]\u202e \x9b31m <lora:x:1>"


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=6, images=6, variations=9)


def confirm(directory: Path, session: str) -> str:
    """Confirm the best candidate: three of its missed concepts were drawn outright; returns the first one's text."""
    with open_store(directory) as store:
        best = store.leaderboard(session, 1)[0]
        measured = store.candidate(best.id).evaluation
        assert measured is not None
        texts = [line.text for line in measured.variations]
        images = [image.id for image in measured.images]
        same = {"scores": dict(measured.scores), "score_name": measured.score_name, "missed": []}

        def save(purpose: str, rows: list[str], similarity: np.ndarray, ids: list[int]) -> int:
            return store.save_evaluation(
                best.id,
                NewEvaluation(
                    images=ids,
                    variations=rows,
                    similarity=similarity,
                    coverage=similarity.max(1),
                    alignment=similarity.max(0),
                    purpose=purpose,  # type: ignore[arg-type]
                    **same,  # type: ignore[arg-type]
                ),
            )

        again = save("confirm", texts, measured.similarity + 0.001, images)
        drawn = save("ceiling", texts[:3], np.full((3, 6), 0.4, np.float32), images)
        verdicts = ("missed", "unreachable", "contradictory")
        ceilings = [
            NewCeiling(texts[n], 0.2, 0.4, verdict, 2 * n, 2)  # type: ignore[arg-type]
            for n, verdict in enumerate(verdicts)
        ]
        number = store.freeze_shortlist(session, "a command", 6, [(best.id, "mined")])
        assert best.score is not None
        store.save_confirmation(
            number,
            NewConfirmationResult(
                score_name=measured.score_name,
                scores=[
                    NewConfirmedScore(
                        candidate_id=best.id,
                        role="mined",
                        evaluation_id=again,
                        search_score=best.score,
                        rank_score=0.2,
                        score=0.25,
                        low=0.2,
                        high=0.3,
                        shrunk=0.27,
                        p=0.01,
                        q=0.02,
                        claimed=True,
                        ceiling_evaluation_id=drawn,
                        ceilings=ceilings,
                    )
                ],
                reliability=0.8,
                reliability_low=0.7,
                reliability_high=0.9,
                noise_floor=0.03,
                mined_p=0.01,
                inflation=0.1,
                random_score=0.6,
            ),
        )
    return texts[0]


def inspected(app: MineApp) -> InspectScreen:
    assert isinstance(app.screen, InspectScreen)
    return app.screen


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (80, 24), (40, 12)])
async def test_every_part_is_a_key_away(mined: tuple[Path, str], size: tuple[int, int]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        for key, words in (("1", "1 Variations"), ("2", "2 Images"), ("3", "3 Could it"), ("4", "4 Scores")):
            await pilot.press(key)
            await settle(app, pilot)
            assert words in shown(app), key
        if size == (200, 50):
            for words in ("1 Variations", "2 Images", "3 Could it", "4 Scores", "similarity", "ranks"):
                assert words in shown(app), words
        await pilot.press("tab")
        await settle(app, pilot)
        assert "1 Variations" in shown(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.screen is app.get_default_screen()


async def test_a_cell_is_one_variation_and_one_image_everywhere(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "g", *["left"] * 9, "down", "down", "right")
        await settle(app, pilot)
        found = inspected(app).evidence
        text = shown(app)
        assert "Variation 3 and image 2" in text
        assert f"similarity {found.heat.value(2, 1):.3f}" in text
        assert f"seed {found.pictures[1].seed}" in text
        assert f"coverage {found.variations[2].coverage:.3f}, by image {found.heat.best_image[2] + 1}" in text
        await pilot.press("2", "right", "right")
        await settle(app, pilot)
        assert "Variation 3 and image 4" in shown(app)
        await pilot.press("c")
        await settle(app, pilot)
        assert f"image {found.heat.best_image[2] + 1} ─" in shown(app)
        await pilot.click(Similarities, offset=(20, 6))
        await settle(app, pilot)
        assert "Variation 5 and image" in shown(app)
        await pilot.click(ImageBoard, offset=(2, 3))
        await settle(app, pilot)
        assert "Variation 5 and image 1 " in shown(app)


async def test_the_neighbour_begins_at_its_own_most_missed_concept(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        order = [row.candidate_id for row in app.view.leaderboard(100)]
        await pilot.press("enter", "j", "j", "n")
        await settle(app, pilot)
        screen = inspected(app)
        assert screen.evidence.candidate_id == order[1]
        assert screen._cursor == Cursor(0, screen.evidence.heat.best_image[0])
        await pilot.press("N")
        await settle(app, pilot)
        assert screen.evidence.candidate_id == order[0]


async def test_without_a_confirmation_it_says_how_to_get_the_proof(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "3", "j", "k", "G")
        await settle(app, pilot)
        assert f"minegap confirm {mined[1]}" in shown(app)
        await pilot.press("4")
        await settle(app, pilot)
        assert "not confirmed" in shown(app)


async def test_the_proof_stands_beside_the_closest_image(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=3, images=6, variations=6)
    concept = confirm(tmp_path, session)
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "3")
        await settle(app, pilot)
        text = shown(app)
        assert "1 of 3 missing though they can be drawn" in text
        assert concept in text
        assert "0.200 here, 0.400 when asked: it can be drawn, and is missing" in text
        assert "here .20" in text
        assert "asked .40" in text
        assert "0.250  confirmed" in text
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        await pilot.press("G")
        await settle(app, pilot)
        assert "contradicts the prompt" in shown(app)
        await pilot.press("k")
        await settle(app, pilot)
        assert "no bias: not drawable" in shown(app)


@pytest.mark.parametrize("theme", ["minegap", "light", "safe", "ansi"])
async def test_shades_need_no_colour(mined: tuple[Path, str], theme: str) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 40)) as pilot:
        app.theme = theme
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        text = shown(app)
        assert ("▒" in text or "░" in text) == (theme == "ansi")
        assert "○" in text


async def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=2, images=4, variations=4)
    for file in (tmp_path / "images").rglob("*.png"):
        file.unlink()
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "2")
        await settle(app, pilot)
        text = " ".join(shown(app).split())
        assert text.count("missing") >= 4
        assert "1 0." in text


async def test_hostile_and_odd_candidates(tmp_path: Path) -> None:
    """Hostile text, a matrix with holes, one that failed, one that waits."""
    with open_store(tmp_path) as store:
        session = store.create_session(name=NASTY, seed=7, config_json="{}", models_json="{}")
    fill_with = NASTY + " a nurse " * 400
    other = fill(tmp_path, generations=1, population=1, images=3, variations=3, prompts=[fill_with])
    with open_store(tmp_path) as store:
        one = store.leaderboard(other, 1)[0]
        measured = store.candidate(one.id).evaluation
        assert measured is not None
        images = [image.id for image in measured.images]
        ids = store.add_candidates(
            session, 1, [NewCandidate(0, NASTY, "initial"), NewCandidate(1, "b", "random")]
        )
        store.save_evaluation(
            ids[0],
            NewEvaluation(
                images=images,
                variations=[NASTY, NASTY + "2", fill_with],
                similarity=measured.similarity,
                scores={"information": 0.5, NASTY: 0.1},
                score_name="information",
                coverage=np.array([0.1, 0.2, 0.3], np.float32),
                alignment=np.array([0.1, 0.2, 0.3], np.float32),
                missed=[0],
            ),
        )
    holes = measured.similarity.astype(float)
    holes[0], holes[:, 1] = np.nan, np.inf
    for number in (session, other):
        app = MineApp(tmp_path, number)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            await pilot.press("enter")
            await settle(app, pilot)
            screen = inspected(app)
            aligned = tuple(replace(one, alignment=math.nan) for one in screen.evidence.pictures)
            screen.show_evidence(replace(screen.evidence, heat=HeatMap(holes), pictures=aligned))
            for size in ((40, 12), (200, 50), (10, 3)):
                await pilot.resize_terminal(*size)
                await pilot.press("1", "j", "l", "c", "2", "G", "3", "j", "4", "pagedown")
                await settle(app, pilot)
                text = shown(app)
                assert not any(ord(c) < 32 and c != "\n" for c in text)
                assert "\u202e" not in text
            assert isinstance(app.screen, InspectScreen)


async def test_many_variations_and_images_scroll_with_the_cursor(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=1, images=70, variations=40)
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        inspected(app)._put(Cursor(99, 99))
        await settle(app, pilot)
        assert "Variation 40 and image 70" in shown(app)
        await pilot.press("2", "g")
        await settle(app, pilot)
        assert "1 .3" in shown(app)
        await pilot.press("G")
        await settle(app, pilot)
        assert "70 .3" in shown(app)
