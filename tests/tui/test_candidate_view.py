"""A candidate's screen without a screen: where its parts go, and what they say."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.objectives import COLOURS
from engine.score import SCORES
from minegap_tui.view import boards
from minegap_tui.view.evidence import Evidence, Picture, Proven, VariationLine
from minegap_tui.view.flow import flow
from minegap_tui.view.gallery import Plan
from minegap_tui.view.heat import Cursor, HeatMap, Window
from minegap_tui.view.matrix import LEAD, columns, figure
from minegap_tui.view.scores import MEANINGS, score_lines
from minegap_tui.view.sections import SECTIONS, Section, arranged
from store.records import Finding

FINDING = Finding(
    *(1, 7, "a cat", "mined", 1, "information", 0.1, 0.2, 0.25, 0.2, 0.3, 0.28, 0.1, 0.01, 0.02, True, 32, ())
)


def picture(number: int, alignment: float = 0.5) -> Picture:
    return Picture(Path(f"/{number}.png"), number, alignment, False)


def evidence(variations: int = 4, images: int = 4, concepts: int = 0, drawn: int = 2) -> Evidence:
    proof = tuple(
        Proven(
            f"a cat {n}", 0.2, 0.4, ("missed", "unreachable", "contradictory")[n % 3], picture(n), pictures
        )  # type: ignore[arg-type]
        for n in range(concepts)
        for pictures in [tuple(picture(100 + i) for i in range(drawn))]
    )
    return Evidence(
        candidate_id=7,
        prompt="a cat",
        generation=3,
        origin="mutation",
        score=0.1,
        score_name="information",
        variations=tuple(VariationLine(f"a red cat {n}", n / 10, n < 2) for n in range(variations)),
        pictures=tuple(picture(n, n / 10) for n in range(images)),
        scores=(("centred", 0.2), ("information", 0.1)),
        heat=HeatMap([[(row + column) / 20 for column in range(images)] for row in range(variations)]),
        measurements=1,
        session_id="run",
        proof=proof,
    )


@given(st.integers(1, 260), st.integers(1, 80), st.sampled_from(SECTIONS), st.integers(0, 80))
def test_parts_stay_in_the_room_and_apart_and_the_wanted_one_is_there(
    width: int, height: int, focus: Section, variations: int
) -> None:
    boxes = arranged(width, height, focus, variations)
    assert focus in boxes
    cells: set[tuple[int, int]] = set()
    for box in boxes.values():
        assert box.width > 0
        assert box.height > 0
        assert 0 <= box.x <= box.x + box.width <= width
        assert 0 <= box.y <= box.y + box.height <= height
        own = {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}
        assert not own & cells
        cells |= own


def test_where_there_is_room_everything_is_seen_at_once() -> None:
    assert set(arranged(198, 44, "map", 16)) == {*SECTIONS, "card"}
    assert set(arranged(118, 34, "map", 16)) == {"map", "card", "images", "scores"}
    assert set(arranged(118, 34, "proof", 16)) == {"map", "card", "proof", "scores"}
    assert set(arranged(78, 18, "map", 16)) == {"map", "card"}
    assert set(arranged(38, 7, "scores", 16)) == {"scores"}


@given(st.integers(0, 260), st.integers(0, 200))
def test_a_row_of_the_map_fits_its_width(width: int, images: int) -> None:
    found = columns(width, images)
    assert min(found.text, found.cell - 1, found.count) >= 0
    assert found.count <= images
    assert LEAD + found.text + 1 + found.cell * found.count <= max(width, LEAD + 1)


@given(st.floats(-1, 1) | st.sampled_from([math.nan, math.inf, -math.inf, 1.004, -1.004]))
def test_figures_of_the_map_have_three_cells(value: float) -> None:
    assert len(figure(value)) == 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.314, ".31"),
        (1.0, "1.0"),
        (-0.12, "-.1"),
        (-1.0, "-1."),
        (0.0, ".00"),
        (-0.001, ".00"),
        (math.nan, " ? "),
    ],
)
def test_figures_of_the_map(value: float, shown: str) -> None:
    assert figure(value) == shown


def in_its_room(plan: Plan, width: int, height: int) -> None:
    taken: set[tuple[int, int]] = set()
    for spot in plan.spots:
        own = {
            (x, y)
            for x in range(spot.column, spot.column + spot.width)
            for y in range(spot.row, spot.row + spot.height)
        }
        assert not own & taken
        taken |= own
    lines = {y for _, y in taken}
    for label in plan.labels:
        assert label.row not in lines
        assert label.column + label.width <= width
        assert sum(cell_len(text) for text, _ in label.parts) <= label.width
        assert 0 <= label.row < height
    assert all(x < width and y < height for x, y in taken)


@given(st.integers(1, 40), st.integers(1, 120), st.integers(1, 50), st.integers(0, 60), st.integers(0, 9))
def test_the_images_fit_and_the_chosen_one_is_in_sight(
    count: int, width: int, height: int, column: int, row: int
) -> None:
    found = evidence(images=count)
    cursor = Cursor(row, min(column, count - 1))
    plan, tiles, window = boards.images(found, cursor, width, height, Window(0, 0))
    in_its_room(plan, width, height)
    if height >= 2:
        assert [label.chosen for label in plan.labels].count(True) == 1
        assert window.start * tiles.columns <= cursor.column < window.stop * tiles.columns


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 120), st.integers(1, 50), st.integers(0, 8))
def test_the_proof_fits_and_the_chosen_concept_is_in_sight(
    concepts: int, drawn: int, width: int, height: int, chosen: int
) -> None:
    found = evidence(concepts=concepts, drawn=drawn)
    chosen = min(chosen, max(concepts - 1, 0))
    plan, window = boards.proof(found, chosen, width, height, Window(0, 0))
    in_its_room(plan, width, height)
    if plan.spots:
        assert window.start <= chosen < window.stop
        assert [label.chosen for label in plan.labels].count(True) == 1


@pytest.mark.parametrize("width", [40, 60, 100])
def test_what_cannot_be_drawn_is_not_called_bias(width: int) -> None:
    plan, _ = boards.proof(evidence(concepts=3), 0, width, 60, Window(0, 0))
    said = ["".join(text for text, _ in label.parts) for label in plan.labels]
    (missed,) = (line for line in said if "missing" in line)
    assert "no bias" not in missed
    if width == 100:
        assert sum("no bias" in line for line in said) == 2
    assert sum(line.strip().startswith(("○", "▌○")) for line in said) == 1


def test_every_score_has_a_meaning() -> None:
    assert set(MEANINGS) == {*SCORES, *COLOURS}


def text(found: Evidence, width: int = 80) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in score_lines(found, width)]


def test_ancestors_are_named_below_each_other() -> None:
    nearest, oldest = text(replace(evidence(), parents=((2, "a blue cat"), (1, "a dog"))))[-2:]
    assert nearest.split() == ["from", "a", "blue", "cat", "generation", "2"]
    assert oldest.split() == ["before", "a", "dog", "generation", "1"]
    assert nearest.index("a blue cat") == oldest.index("a dog")


def test_the_ranking_score_comes_first_and_the_confirmed_one_is_a_finding() -> None:
    found = evidence()
    assert "information" in text(found)[0]
    assert "ranks" in text(found)[0]
    assert any("not confirmed: the search saw this score once" in line for line in text(found, 120))
    confirmed = " ".join(" ".join(text(replace(found, finding=FINDING))).split())
    assert "0.250 confirmed biased, on fresh images" in confirmed
    assert "95 % interval 0.200 to 0.300" in confirmed
    refused = " ".join(text(replace(found, finding=replace(FINDING, claimed=False)), 120))
    assert "not confirmed as more biased" in refused


@given(
    st.lists(st.tuples(st.text("ab \u4e2d", max_size=30), st.sampled_from(["", "added"])), max_size=6),
    st.integers(2, 40),
    st.integers(1, 5),
)
def test_flowing_pieces_fit_and_keep_their_words(
    pieces: list[tuple[str, str]], cells: int, most: int
) -> None:
    lines = flow(pieces, cells, most=1000)
    assert all(sum(cell_len(text) for text, _ in line) <= cells for line in lines)
    words = "".join("".join(text for text, _ in line) for line in lines).replace(" ", "")
    assert words == "".join(text for text, _ in pieces).replace(" ", "")
    assert len(flow(pieces, cells, most=most)) <= most


@given(st.integers(1, 200), st.integers(9, 120), st.integers(4, 60))
def test_what_stands_below_an_image_is_whole(images: int, width: int, height: int) -> None:
    """Its number, its alignment and its marks, however small the tiles."""
    found = evidence(images=images)
    found = replace(found, pictures=tuple(replace(one, least_aligned=True) for one in found.pictures))
    plan, tiles, _ = boards.images(found, Cursor(), width, height, Window(0, 0))
    for label in plan.labels:
        words = "".join(text for text, _ in label.parts)
        assert "…" not in words
        assert words.endswith(boards.LEAST)
        assert len(words) <= tiles.width
