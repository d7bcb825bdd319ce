"""A replay as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill
from many import many
from pressing import pressed
from scripted import shown, stored

from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.screens.found import FoundScreen
from minegap_tui.screens.history import HistoryScreen
from minegap_tui.screens.live import LiveScreen
from minegap_tui.screens.replay import ReplayScreen
from minegap_tui.screens.sessions import SessionsScreen
from store import open_store

HOSTILE = "\x1b]0;pwned\x07 \x9b31m \u202egnp [@click=app.quit]x[/] [/] [bold \U0010eeee"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=4, population=6, images=4, variations=4)


def page(app: MineApp) -> ReplayScreen:
    assert isinstance(app.screen, ReplayScreen)
    return app.screen


def board(app: MineApp) -> list[int]:
    return [row.candidate_id for row in page(app)._view.leaderboard(1000)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_generations_are_stepped_through(mined: tuple[Path, str], size: tuple[int, int]) -> None:
    directory, session = mined
    every = sorted(stored(directory, session), key=lambda one: (one.score or 0, one.id))
    app = MineApp(directory, session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        for key, generation in (
            ("right", 2),
            ("l", 3),
            ("left", 2),
            ("end", 4),
            ("right", 4),
            ("h", 3),
            ("home", 1),
            ("left", 1),
            ("full_stop", 4),
            ("comma", 1),
        ):
            await pressed(pilot, key)
            text = shown(app)
            assert f"replay: generation {generation} of 4" in text, key
            assert f"generation {generation}/4" in text
            expected = [one for one in every if one.generation <= generation]
            assert board(app) == [one.id for one in expected]
            assert expected[0].prompt[:15] in text
            assert max(len(line.rstrip()) for line in text.splitlines()) <= size[0]
        await pressed(pilot, "escape")
        assert type(app.screen) is LiveScreen
        assert f"{len(every)} scored" in shown(app)
        assert app.view.scored == len(every)


class Stopped:
    """A timer that never rings by itself."""

    def stop(self) -> None:
        """Nothing to stop."""


async def test_the_trends_axis_holds_the_whole_session_and_the_candidate_can_be_copied(
    mined: tuple[Path, str],
) -> None:
    directory, session = mined
    app = MineApp(directory, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        points = app.view.trend()
        await pressed(pilot, "less_than_sign")
        axes = set()
        for key in ("home", "right", "right", "right"):
            await pressed(pilot, key)
            axes.add(page(app)._trend._limits())
        (axis,) = axes
        assert axis == pytest.approx((min(one.best for one in points), max(one.upper for one in points)))
        await pressed(pilot, "y")
        row = app.view.row(page(app).candidate_id or 0)
        assert row is not None
        assert app.clipboard == row.prompt


async def test_it_plays_by_itself_at_a_pace_that_can_be_changed(
    mined: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = MineApp(*mined)
    paces: list[float] = []

    def set_interval(_: ReplayScreen, seconds: float, tick: object) -> Stopped:
        paces.append(seconds)
        return Stopped()

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        assert "space plays" in shown(app)
        monkeypatch.setattr(ReplayScreen, "set_interval", set_interval)  # only the test's own ticks count
        await pressed(pilot, "minus", "minus", "minus", "space")
        assert page(app).playing
        assert "playing, 4 s a generation" in shown(app)
        await pressed(pilot, "plus", "minus")
        assert paces == [4.0, 2.0, 4.0]
        for generation in (2, 3):
            page(app).tick()
            await settle(app, pilot)
            assert page(app).generation == generation
            assert page(app).playing
        page(app).tick()
        await settle(app, pilot)
        assert page(app).generation == 4
        assert not page(app).playing  # the end is reached
        await pressed(pilot, "space")
        assert (page(app).generation, page(app).playing) == (1, True)
        await pressed(pilot, "right")
        assert (page(app).generation, page(app).playing) == (2, False)  # a step by hand ends it
        await pressed(pilot, "space", "space")
        assert not page(app).playing


async def test_the_past_cannot_be_steered(mined: tuple[Path, str]) -> None:
    app = MineApp(*mined)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        for key in ("p", "e", "i", "asterisk", "u", "K", "Q", "R"):
            await pressed(pilot, key)
            assert "the past cannot be steered" in shown(app), key
            assert page(app) is app.screen
            app.helm.messages.say("")
            app.redraw()


async def test_the_evidence_is_that_of_the_selected_candidate_as_it_was_then(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=2, population=4, images=4, variations=4)
    first = min(
        (one for one in stored(tmp_path, session) if one.generation == 1),
        key=lambda one: (one.score or 0, one.id),
    )
    from test_replay_view import opened, record, remeasured

    from engine import protocol
    from store import open_reader

    with open_store(tmp_path) as store:
        record(store, session, opened(session))
        record(store, session, protocol.GenerationStarted(generation=2, candidates=4))
        with open_reader(tmp_path) as reader:
            before = reader.candidate(first.id).evaluation
        number = store.save_evaluation(first.id, remeasured(before, 0.9))  # type: ignore[arg-type]
        again = protocol.CandidateRescored(
            candidate_id=first.id,
            evaluation_id=number,
            images=8,
            score=0.9,
            score_name="information",
            counts_from=3,
        )
        record(store, session, again)
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        live = app.evidence
        await pressed(pilot, "less_than_sign")
        assert page(app)._evidence is not None
        assert page(app)._evidence.candidate_id == first.id
        assert page(app)._evidence.score == first.score
        await pressed(pilot, "f", "right")  # held: the same candidate, measured again by now
        assert page(app)._evidence.candidate_id == first.id
        assert page(app)._evidence.score == 0.9
        await pressed(pilot, "left", "enter")
        assert isinstance(app.screen, FoundScreen)
        assert app.screen._evidence.score == first.score
        await pressed(pilot, "n")
        assert app.screen._evidence.candidate_id != first.id
        await pressed(pilot, "escape", "escape")
        assert app.evidence == live


async def test_it_is_reached_from_home_and_at_a_candidate_s_generation_from_the_history(
    mined: tuple[Path, str],
) -> None:
    app = MineApp(mined[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, SessionsScreen)
        await pressed(pilot, "less_than_sign")
        assert page(app).generation == 1
        await pressed(pilot, "escape", "H")
        assert isinstance(app.screen, HistoryScreen)
        await pressed(pilot, "slash", *"gen", "colon", "3", "enter", "j")
        chosen = app.screen.chosen
        assert chosen is not None
        await pressed(pilot, "less_than_sign")
        assert page(app).generation == 3
        assert page(app).leaderboard.selected == chosen.id
        assert page(app)._evidence is not None
        assert page(app)._evidence.candidate_id == chosen.id
        await pressed(pilot, "escape", "o")  # the session itself, from below
        assert type(app.screen) is LiveScreen


async def test_nothing_to_replay_is_said(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="empty", seed=1, config_json="{}", models_json="{}")
        store.set_session_state(session, "finished")
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        assert "nothing to replay" in shown(app)
        for key in ("right", "left", "end", "space", "plus", "enter", "f", "G", "j"):
            await pressed(pilot, key)
        await pressed(pilot, "escape")
        assert type(app.screen) is LiveScreen
    app = MineApp(tmp_path / "none")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        assert "no session to replay" in shown(app)


async def test_hostile_text_and_odd_sizes_are_survived(tmp_path: Path) -> None:
    session = fill(
        tmp_path, generations=2, population=3, images=4, variations=4, prompts=[HOSTILE], name=HOSTILE
    )
    with open_store(tmp_path) as store:
        store.append_event(session, "notice", {"message": HOSTILE})
    app = MineApp(tmp_path, session)
    seen = ""
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign")
        for size in ((40, 12), (10, 3), (1, 1), (300, 90), (120, 40)):
            await pilot.resize_terminal(*size)
            await pressed(pilot, "right")
            seen += shown(app)
            await pressed(pilot, "home")
            seen += shown(app)
    assert "[@click=app.quit]" in seen
    assert not any(c in seen for c in "\x1b\x07\x9b\u202e\U0010eeee")


async def test_five_thousand_candidates_are_replayed(tmp_path: Path) -> None:
    app = MineApp(tmp_path, many(tmp_path, 5000))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pressed(pilot, "less_than_sign", "end")
        assert "replay: generation 50 of 50" in shown(app)
        await pressed(pilot, *["left"] * 20)
        assert page(app).generation == 30
        assert len(board(app)) == 1000  # of 3,000, as asked for
        assert "of 3000" in shown(app).replace(",", "")
