"""Search and confirmed score stand side by side on the live screen; a finding looks different from a candidate."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from factory import confirm, fill
from scripted import ScriptedEngine, app_on, shown, snapshot

from engine import protocol
from minegap_tui.app import MineApp
from minegap_tui.screenshots import settle
from minegap_tui.view.session import SessionView
from store.records import Confirmation, Finding


def found(app: MineApp) -> Confirmation:
    """The best prompt is a finding, the second one was not confirmed."""
    first, second = app.view.leaderboard(2)
    finding = Finding(
        confirmation_id=1,
        candidate_id=first.candidate_id,
        prompt=first.prompt,
        role="mined",
        rank=1,
        score_name="spread",
        search_score=first.score,
        rank_score=0.3,
        score=0.777,
        low=0.7,
        high=0.8,
        shrunk=0.75,
        shrinkage=0.2,
        p=0.01,
        q=0.02,
        claimed=True,
        images=32,
        missed=(),
    )
    other = replace(finding, candidate_id=second.candidate_id, rank=2, score=0.888, claimed=False, q=0.4)
    return Confirmation(
        id=1,
        session_id=app.view.session_id,
        command_id="automatic",
        images=32,
        created_at="",
        members=((first.candidate_id, "mined"), (second.candidate_id, "mined")),
        finished_at="now",
        score_name="spread",
        reliability=0.82,
        reliability_low=0.7,
        reliability_high=0.9,
        noise_floor=0.05,
        mined_p=0.01,
        inflation=0.2,
        random_score=0.6,
        findings=(finding, other),
        randoms=(),
    )


def test_survivors_measured_again_for_the_first_time_are_compared_with_what_selected_them() -> None:
    view = SessionView()
    for number, score in ((1, 0.1), (2, 0.3), (3, 0.8), (9, math.inf)):
        view.apply(scored(number, 1, "initial", score))
    view.apply(scored(4, 2, "elite", 0.2, parent=1))
    view.apply(scored(5, 2, "mutation", 0.4, parent=1))
    view.apply(scored(6, 2, "elite", math.inf, parent=2))
    view.apply(scored(7, 2, "elite", 0.2, parent=9))
    view.apply(scored(8, 3, "elite", 0.3, parent=4))
    assert view.measured_again() == [(0.1, 0.2, pytest.approx(0.4))]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@pytest.mark.parametrize("twice", [0, 2, 3])
async def test_the_trend_says_how_reliable_one_score_is_so_far(
    tmp_path: Path, size: tuple[int, int], twice: int
) -> None:
    session = fill(tmp_path, generations=1, population=8, images=3, variations=3)
    engine = ScriptedEngine(snapshot(session))
    app = app_on(tmp_path, engine)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        rows = app.view.leaderboard(8)
        mean = sum(row.score for row in rows) / 8
        for number, row in enumerate(rows[:twice]):
            halfway = (row.score + mean) / 2
            engine.say(scored(100 + number, 2, "elite", halfway, parent=row.candidate_id))
        engine.say(protocol.GenerationFinished(generation=2, scored=twice, failed=0, best=0.1, median=0.2))
        await settle(app, pilot)
        assert ("reliability so far 0.50" in shown(app).lower()) == (twice == 3), (
            "of fewer than 3 nothing is said"
        )
        app.view.take_confirmation(found(app))
        await settle(app, pilot)
        assert "reliability 0.82" in shown(app).lower()
        assert "so far" not in shown(app)


def scored(
    number: int, generation: int, origin: str, score: float, parent: int | None = None
) -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=number,
        generation=generation,
        position=number,
        prompt=f"prompt {number}",
        origin=origin,
        parent_id=parent,
        score=score,
        score_name="spread",
        missed=(),
    )


@pytest.mark.parametrize(("size", "column"), [((80, 24), False), ((200, 50), True)])
async def test_what_is_confirmed_stands_beside_the_search_score(
    tmp_path: Path, size: tuple[int, int], column: bool
) -> None:
    app = MineApp(tmp_path, session_id=fill(tmp_path, generations=2, population=8, images=3, variations=3))
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        assert "●" not in shown(app).split("Variations")[0]
        app.view.take_confirmation(found(app))
        await settle(app, pilot)
        first, second = (
            next(line for line in shown(app).splitlines() if f" {rank}   {row.score:.3f}" in line)
            for rank, row in enumerate(app.view.leaderboard(2), 1)
        )
        assert "●" in first
        assert "○" in second
        assert ("0.777" in first) == ("0.888" in second) == ("confirmed" in shown(app)) == column
        assert "reliability 0.82" in shown(app)


async def test_the_evidence_on_the_screen_knows_at_once_what_was_confirmed(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=3, variations=3)
    engine = ScriptedEngine(snapshot(session))
    app = app_on(tmp_path, engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        best = app.view.leaderboard(1)[0]
        assert "confirmed" not in shown(app)
        confirm(tmp_path, session, [(best.candidate_id, 0.777, True)])
        engine.say(protocol.Confirmed(command_id="c", confirmation_id=1, confirmed=1, claimed=1))
        await settle(app, pilot)
        await settle(app, pilot)
        assert "● confirmed 0.777" in shown(app)
