"""The live screen's parts: rhythm, panes, machine, events, spread, and the first hint."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from factory import fill
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from scripted import ScriptedEngine, scored, shown, snapshot, stored
from textual.geometry import Region

from engine import protocol
from minegap_tui.app import MineApp
from minegap_tui.camera import settle
from minegap_tui.memory import Memory
from minegap_tui.port import Frame
from minegap_tui.sanitise import display_text, fit_middle
from minegap_tui.terminal import Prepared
from minegap_tui.view.machine import gauges, spark
from minegap_tui.view.plot import Series, plot
from minegap_tui.view.rhythm import Rhythm
from minegap_tui.view.session import SessionView
from minegap_tui.widgets.leaderboard import Leaderboard
from minegap_tui.widgets.trend import Trend


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=8, images=6, variations=8)


def machine(busy: float | None = 97, celsius: float | None = 64) -> protocol.MachineVitals:
    gpu = protocol.GpuVitals(
        name="GPU\x1b]0;x", busy_percent=busy, memory_mib=21811, memory_total_mib=81920, celsius=celsius
    )
    return protocol.MachineVitals(
        cpu_percent=31, memory_mib=9318, memory_total_mib=31950, celsius=None, gpus=(gpu,)
    )


# ---------------------------------------------------------------- rhythm


def test_a_revision_is_drawn_once_per_beat_and_the_last_one_always() -> None:
    rhythm = Rhythm(0.5)
    drawn = [(tick, rhythm.due(tick, tick / 10)) for tick in range(11)]
    assert [tick for tick, due in drawn if due] == [0, 5, 10]
    assert not rhythm.due(10, 99.0)
    assert not rhythm.due(11, 1.2)
    assert rhythm.due(11, 1.5)
    assert rhythm.due(12, 1.51, at_once=True)


async def test_a_flood_of_scores_is_drawn_four_times_a_second_and_plotted_twice(
    mined: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    counts = {"table": 0, "plot": 0}
    show_rows, show_trend = Leaderboard.show_rows, Trend.show_trend

    def table(self: Leaderboard, *arguments: object) -> None:
        counts["table"] += 1
        show_rows(self, *arguments)  # type: ignore[arg-type]

    def drawing(self: Trend, *arguments: object, **named: object) -> None:
        counts["plot"] += 1
        show_trend(self, *arguments, **named)  # type: ignore[arg-type]

    app = MineApp(mined[0], mined[1], ScriptedEngine(snapshot(mined[1])), clock=lambda: now[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        monkeypatch.setattr(Leaderboard, "show_rows", table)
        monkeypatch.setattr(Trend, "show_trend", drawing)
        one = stored(*mined)[0]
        for step in range(160):
            now[0] += 1 / 16
            app.view.apply(scored(one, score=step / 1000))
            app.redraw()
        assert counts == {"table": pytest.approx(40, abs=1), "plot": pytest.approx(20, abs=1)}, "of 160"
        now[0] += 1
        app.redraw()
        assert app._live._tables._drawn == app._live._plots._drawn == app.view.revision


async def test_a_score_below_all_others_writes_its_own_line_and_the_count_of_the_leaderboard(
    mined: tuple[Path, str],
) -> None:
    app = MineApp(mined[0], mined[1], ScriptedEngine(snapshot(mined[1])))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, pilot)
        board, lines = app._live.leaderboard, set[int]()

        def note(frame: Frame) -> None:
            assert frame.spans is not None, "the whole screen"
            spans = [Region(begin, y, end - begin, 1) for y, begin, end in frame.spans]
            lines.update(span.y - board.region.y for span in spans if span.overlaps(board.region))

        last = stored(*mined)[-1]
        rows = app.view.scored
        assert rows < board.size.height - 2, "the new row has to be in sight"
        app.frames.subscribe(app, note)
        app.view.apply(scored(replace(last, id=last.id + 1), score=0.99))
        app.redraw(at_once=True)
        await settle(app, pilot)
        assert lines == {0, 2 + rows}


# ---------------------------------------------------------------- what is seen


def test_spread_is_the_middle_half_and_numbers_that_are_none_do_not_count() -> None:
    view = SessionView()
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, math.nan, math.inf]
    for number, score in enumerate(scores):
        view.apply(
            protocol.CandidateScored(
                candidate_id=number,
                generation=1,
                position=number,
                prompt="a cat",
                origin="random",
                parent_id=None,
                score=score,
                score_name="information",
            )
        )
    (point,) = view.trend()
    assert (point.best, point.lower, point.median, point.upper) == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert view.scored == 6
    assert view.leaderboard(10)[-1].score == math.inf
    view.apply(
        protocol.CandidateRescored(
            candidate_id=0, evaluation_id=1, images=8, score=0.9, score_name="information", counts_from=2
        )
    )
    assert view.trend()[0].best == 0.2


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12),
    st.integers(1, 30),
    st.integers(1, 8),
)
def test_a_band_stays_below_the_lines(edges: list[tuple[float, float]], width: int, height: int) -> None:
    band = [(float(x), min(edge), max(edge)) for x, edge in enumerate(edges)]
    line = Series([(x, low) for x, low, _ in band])
    cells = plot([line], (0, max(len(band) - 1, 1)), (0, 1), width, height, band)
    alone = plot([line], (0, max(len(band) - 1, 1)), (0, 1), width, height)
    for row, other in zip(cells, alone, strict=True):
        for cell, bare in zip(row, other, strict=True):
            assert cell == bare if bare.series == 0 else cell.series in {-1, 1}


@given(st.lists(st.none() | st.floats(), max_size=40), st.integers(0, 30))
def test_a_spark_fills_its_cells_whatever_the_values(values: list[float | None], cells: int) -> None:
    assert cell_len(spark(values, cells)) == cells


def test_gauges_say_what_is_known() -> None:
    assert gauges([]) == []
    gpu, processor = gauges([machine(50), machine(None, None)])
    assert (gpu.label, gpu.percent, gpu.history, gpu.memory, gpu.celsius) == (
        "GPU",
        None,
        (50, None),
        "21.3 / 80.0 GiB",
        "",
    )
    assert (processor.label, processor.percent, processor.celsius) == ("CPU", 31, "")


@given(st.text(max_size=80), st.integers(0, 60))
def test_a_cut_in_the_middle_fits(text: str, cells: int) -> None:
    assert cell_len(fit_middle(text, cells)) == cells
    if cell_len(display_text(text)) <= cells:
        assert fit_middle(text, cells).startswith(display_text(text))


def test_a_cut_in_the_middle_keeps_the_last_words() -> None:
    cut = fit_middle("a photo of a nurse who works in a hospital, seen at night", 36)
    assert cut.rstrip().endswith("…at night")
    assert cut.startswith("a photo of a nurse")


async def test_machine_and_events_are_on_the_screen(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        engine.say(protocol.Heartbeat(machine=machine()))
        engine.say(protocol.Notice(message="The disk is nearly full.\x1b[2J"))
        await settle(app, pilot)
        text = shown(app)
        for words in ("GPU  97 %", "21.3 / 80.0 GiB", "64 °C", "CPU  31 %", "GPU␛]0;x", "note: The disk is"):
            assert words in text, words
        assert "\x1b" not in text


async def test_a_list_that_is_held_says_what_came_in_above(mined: tuple[Path, str]) -> None:
    engine = ScriptedEngine(snapshot(mined[1]))
    app = MineApp(mined[0], mined[1], engine)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("down")
        await settle(app, pilot)
        assert "holding · space follows" in shown(app)
        for number in (1001, 1002):
            event = scored(stored(*mined)[0], score=-number)
            app.view.apply(
                protocol.CandidateScored(
                    **{
                        **{name: getattr(event, name) for name in event.__struct_fields__},
                        "candidate_id": number,
                    }
                )
            )
        await settle(app, pilot)
        assert "holding, 2 new above · space follows" in shown(app)


# ---------------------------------------------------------------- panes and the hint


async def test_panes_come_and_go_by_their_digits_and_are_remembered(mined: tuple[Path, str]) -> None:
    memory = Memory()
    app = MineApp(*mined, prepared=Prepared(memory=memory))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        titles = {"1": "Trend", "2": "Images", "3": "Variations", "4": "Machine", "5": "Events"}
        assert all(title in shown(app) for title in titles.values())
        for key, title in titles.items():
            await pilot.press(key)
            await settle(app, pilot)
            assert title not in shown(app), key
        assert "Leaderboard" in shown(app)
        await pilot.press("5")
    app = MineApp(*mined, prepared=Prepared(memory=memory))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "Events" in shown(app)
        assert "Machine" not in shown(app)
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        assert "Images" in shown(app)
        await pilot.resize_terminal(40, 12)
        await settle(app, pilot)
        await pilot.press("2")
        await settle(app, pilot)
        assert "There is no room for panes" in shown(app)


async def test_the_first_hint_goes_for_ever(mined: tuple[Path, str], tmp_path: Path) -> None:
    path = tmp_path / "ui.json"
    for there in (True, False):
        app = MineApp(*mined, prepared=Prepared(memory=Memory(path)))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            assert ("hides this line" in shown(app)) is there
            assert ("q leaves it mining   " in shown(app)) is there, (
                "whole, also in the smallest usual window"
            )
            await pilot.press("escape")
            await settle(app, pilot)
            assert "hides this line" not in shown(app)
