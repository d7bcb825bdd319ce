"""View-models: what a screen shows, without a screen."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import protocol
from minegap_tui.view import figures
from minegap_tui.view.evidence import split_added, word_set
from minegap_tui.view.gallery import SMALLEST_TILE, arrange
from minegap_tui.view.narration import leaderboard, narrate
from minegap_tui.view.plot import Series, plot
from minegap_tui.view.session import SessionView

SCORES = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=60)


def scored(number: int, score: float, generation: int = 1, prompt: str = "a cat") -> protocol.CandidateScored:
    return protocol.CandidateScored(
        candidate_id=number,
        generation=generation,
        position=0,
        prompt=prompt,
        origin="random",
        parent_id=None,
        score=score,
        score_name="information",
    )


@given(SCORES)
def test_the_leaderboard_is_sorted_whatever_the_order_of_arrival(scores: list[float]) -> None:
    view = SessionView()
    order = list(enumerate(scores))
    random.Random(1).shuffle(order)
    for number, score in order:
        view.apply(scored(number, score))
    rows = view.leaderboard(1000)
    assert [(row.score, row.candidate_id) for row in rows] == sorted(
        (score, n) for n, score in enumerate(scores)
    )
    assert [view.rank(row.candidate_id) for row in rows] == list(range(len(rows)))


@given(SCORES)
def test_an_event_seen_twice_changes_nothing(scores: list[float]) -> None:
    once, twice = SessionView(), SessionView()
    for number, score in enumerate(scores):
        once.apply(scored(number, score))
        twice.apply(scored(number, score))
        twice.apply(scored(number, score))
    assert once.leaderboard(1000) == twice.leaderboard(1000)
    assert once.trend() == twice.trend()


def test_a_new_score_moves_its_row() -> None:
    view = SessionView()
    for number, score in enumerate((0.1, 0.2, 0.3)):
        view.apply(scored(number, score))
    view.apply(scored(2, 0.05))
    assert [row.candidate_id for row in view.leaderboard(10)] == [2, 0, 1]
    assert view.scored == 3


def test_trend_holds_best_and_median_of_each_generation() -> None:
    view = SessionView()
    for number, (generation, score) in enumerate(((1, 0.5), (1, 0.3), (1, 0.9), (2, 0.2))):
        view.apply(scored(number, score, generation))
    assert [(point.generation, point.best, point.median) for point in view.trend()] == [
        (1, 0.3, 0.5),
        (2, 0.2, 0.2),
    ]


def test_states_follow_the_engine_and_nothing_else() -> None:
    view = SessionView()
    assert view.state == "starting"
    assert view.running
    view.apply(protocol.StateChanged(state="mining"))
    view.apply(protocol.Progress(stage="painting", generation=1, done=3, total=16, eta_seconds=9))
    assert view.stages["painting"].done == 3
    view.apply(protocol.StateChanged(state="stopping"))
    assert view.running
    view.apply(protocol.Finished(session_id="x", state="interrupted", generations=1, scored=0, best=None))
    assert not view.running
    assert not view.stages
    assert view.eta_seconds is None


def test_failure_ends_it() -> None:
    view = SessionView()
    view.apply(protocol.Failed(sentence="No.", exit_code=2))
    assert not view.running
    assert view.state == "failed"


def test_a_narrated_prompt_is_harmless() -> None:
    view = SessionView()
    event = scored(1, 0.5, prompt="\x1b]0;pwned\x07 [red]\u202e")
    view.apply(event)
    line = narrate(event, view)
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert "[red]" in line
    assert "\x1b" not in "".join(leaderboard(view.leaderboard(5)))


@pytest.mark.parametrize(
    ("event", "part"),
    [
        (protocol.GenerationStarted(generation=2, candidates=16), "generation 2/?: 16 prompts"),
        (protocol.Notice(message="a\nb"), "note: a␊b"),
        (protocol.StateChanged(state="stopping", reason="asked"), "stopping: asked"),
        (protocol.Progress(stage="painting", generation=1, done=1, total=2), ""),
    ],
)
def test_narration(event: protocol.Event, part: str) -> None:
    assert narrate(event, SessionView()) == part


def test_figures_have_a_fixed_width() -> None:
    assert [figures.score(value) for value in (0.5, 12.25, -0.125, None)] == [
        " 0.500",
        "12.250",
        "-0.125",
        "     –",
    ]
    assert [figures.duration(value) for value in (0, 61, 3599.6, None)] == ["0:00", "1:01", "1:00:00", "–"]
    assert figures.rate(12.34) == "12.3 images/s"
    assert figures.rate(123.4) == "123 images/s"
    noon = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    assert figures.when("2026-01-01T00:00:00+00:00", noon).startswith(("2025-12-31", "2026-01-01"))


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(0, 80))
def test_a_bar_fills_its_cells(done: float, total: float, cells: int) -> None:
    filled, still = figures.bar(done, total, cells)
    assert len(filled) + len(still) == cells


@given(
    st.lists(st.floats(-1e6, 1e6, allow_nan=False), max_size=40),
    st.integers(1, 60),
    st.integers(1, 20),
    st.booleans(),
)
def test_a_plot_stays_in_its_rectangle(values: list[float], width: int, height: int, dotted: bool) -> None:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    line = Series(list(enumerate(values)), dotted)
    rows = plot([line], (0, max(len(values) - 1, 1)), (low, high), width, height)
    assert len(rows) == height
    assert all(len(row) == width for row in rows)
    assert any(cell.series == 0 for row in rows for cell in row) == bool(values)


def test_a_plot_rises_to_the_right() -> None:
    (row,) = plot([Series([(0, 0), (1, 1)])], (0, 1), (0, 1), 2, 1)
    assert [cell.character for cell in row] == ["⡠", "⠊"]


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 80), st.floats(0.25, 4))
def test_a_gallery_fits_its_room(count: int, columns: int, rows: int, aspect: float) -> None:
    grid = arrange(count, columns, rows, aspect)
    assert grid.columns * (grid.width + 1) - 1 <= columns
    assert grid.rows * grid.height <= rows
    assert grid.places >= 1
    if grid.width > SMALLEST_TILE:
        assert grid.places >= count


def test_a_gallery_shows_all_where_there_is_room() -> None:
    grid = arrange(16, 60, 16)
    assert grid.places >= 16
    assert math.isclose(grid.width / 2, grid.height, abs_tol=1)


def test_added_words_stand_out() -> None:
    pieces = split_added("a photo of a tall nurse, at night", word_set("A photo of a nurse"))
    assert pieces == [("a photo of a", False), (" tall", True), (" nurse,", False), (" at night", True)]


@given(st.text(max_size=80), st.text(max_size=40))
def test_cutting_a_line_loses_nothing(line: str, prompt: str) -> None:
    assert "".join(piece for piece, _ in split_added(line, word_set(prompt))) == line


@pytest.mark.parametrize(
    "later",
    [
        protocol.StateChanged(state="paused", reason="The painter died too often.", exit_code=3),
        protocol.GenerationFinished(generation=1, scored=2, failed=0, best=0.1, median=0.2),
    ],
)
def test_a_notice_is_overtaken_by_what_comes_after(later: protocol.Event) -> None:
    view = SessionView()
    view.apply(protocol.Notice(message="The painter worker is restarted in 16 s."))
    assert view.notice
    view.apply(later)
    assert view.notice == ""
