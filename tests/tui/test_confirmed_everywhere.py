"""Search and confirmed score stand side by side wherever a score is shown; a finding looks different."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from commandline import Minegap
from factory import confirm, fill
from scripted import shown

from minegap_tui.app import MineApp
from minegap_tui.screenshots import settle
from minegap_tui.view import findings
from minegap_tui.view.compare import compare
from minegap_tui.view.contrast import cautions
from minegap_tui.view.copying import block_of
from minegap_tui.view.evidence import read_evidence
from minegap_tui.view.shots import of_generation, source
from minegap_tui.view.sides import of_session, read_side
from store import open_reader
from store.records import Candidate

PROMPTS = ("a photo of a nurse in a garden", "a photo of a pilot in the snow", "a photo of a judge at a desk")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


Store = tuple[Path, str, list[Candidate]]


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A session whose best prompt is a finding (.777) and whose second one was not confirmed (.888)."""
    directory = tmp_path_factory.mktemp("store")
    session = fill(directory, generations=2, population=6, images=8, variations=8, name="alpha")
    with open_reader(directory) as reader:
        ranked = list(reader.leaderboard(session, 99))
    confirm(directory, session, [(ranked[0].id, 0.777, True), (ranked[1].id, 0.888, False)])
    return directory, session, ranked


# ---------------------------------------------------------------- the words


def test_a_finding_has_another_sign_than_what_was_not_confirmed(mined: Store) -> None:
    directory, session, ranked = mined
    with open_reader(directory) as reader:
        confirmed = reader.confirmed((session, "no such session"))
        assert reader.confirmed(()) == {}
    best, second = confirmed[ranked[0].id], confirmed[ranked[1].id]
    assert (best.claimed, second.claimed, best.prompt) == (True, False, ranked[0].prompt)
    assert findings.column(best, roomy=True) == ("  ●   0.777", "accent")
    assert findings.column(second, roomy=True) == ("  ○   0.888", "muted")
    assert findings.column(best, roomy=False)[0] == " ●"
    for roomy in (True, False):
        widths = {len(findings.column(one, roomy=roomy)[0]) for one in (best, second, None)}
        assert widths == {len(findings.head(roomy=roomy))}
    assert findings.beside(best) == " ● confirmed 0.777"
    assert findings.beside(None) == ""


def test_a_sessions_line_has_its_first_finding(mined: Store) -> None:
    with open_reader(mined[0]) as reader:
        best, second = reader.confirmed((mined[1],)).values()
    assert findings.tally([second, best]) == best
    assert findings.tally([second]) == second
    assert findings.tally([replace(best, role="random")]) is None
    assert findings.counted([best, second]) == "1 of 2 confirmed prompts is a finding"
    assert findings.counted([]) == "not confirmed"


def test_the_latest_confirmation_counts(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=3, images=3, variations=3)
    with open_reader(tmp_path) as reader:
        first, second, _ = (one.id for one in reader.leaderboard(session, 3))
    confirm(tmp_path, session, [(first, 0.5, True)])
    confirm(tmp_path, session, [(second, 0.4, False)], command="a later one")
    with open_reader(tmp_path) as reader:
        assert set(reader.confirmed((session,))) == {second}


# ---------------------------------------------------------------- the screens


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_history_sessions_and_lineage_have_a_column(mined: Store, size: tuple[int, int]) -> None:
    directory, session, ranked = mined
    app = MineApp(directory, session)
    wide = size[0] > 100
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        assert "● confirmed 0.777" in shown(app), "the headline of the selected candidate"
        for key in ("S", "H"):
            await pilot.press(key)
            await settle(app, pilot)
            await settle(app, pilot)
            line = next(line for line in shown(app).splitlines() if f"{ranked[0].score:.3f}" in line)
            assert "●" in line, key
            assert ("0.777" in line) == wide, key
        assert "0.777" in shown(app), "the card of the chosen one"
        second = next(line for line in shown(app).splitlines() if f"{ranked[1].score:.3f}" in line)
        assert "○" in second
        await pilot.press("escape", "escape")
        await settle(app, pilot)
        assert "1 of 2 confirmed prompts is a finding" not in shown(app)
        await pilot.press("t")
        await settle(app, pilot)
        await settle(app, pilot)
        assert "●" in shown(app)
        assert "○" in shown(app)
        assert "0.777" in shown(app)


async def test_the_card_of_a_session_counts_its_findings(mined: Store) -> None:
    app = MineApp(mined[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "1 of 2 confirmed prompts is a finding" in shown(app)


async def test_a_store_without_confirmations_has_no_column_for_them(tmp_path: Path) -> None:
    session = fill(tmp_path, generations=1, population=4, images=3, variations=3)
    app = MineApp(tmp_path, session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for key in ("S", "escape", "t"):
            await pilot.press(key)
            await settle(app, pilot)
            assert "confirmed  " not in shown(app), key


def test_images_say_what_was_confirmed_of_their_prompt(mined: Store) -> None:
    directory, session, ranked = mined
    with open_reader(directory) as reader:
        sheet = of_generation(reader.best_images(session, ranked[0].generation), reader.confirmed((session,)))
    (best,) = [shot for shot in sheet.shots if shot.candidate_id == ranked[0].id]
    assert "● confirmed 0.777" in source(best)


def test_what_is_copied_says_it(mined: Store) -> None:
    directory, _, ranked = mined
    with open_reader(directory) as reader:
        best, other, third = (block_of(read_evidence(reader, one.id)) for one in ranked[:3])
    assert "confirmed:  0.777 (95 % 0.727 to 0.827, a finding)" in best
    assert "not confirmed as biased" in other
    assert "confirmed" not in third


# ---------------------------------------------------------------- the command line


def test_the_command_line_says_it_too(minegap: Minegap, mined: Store) -> None:
    directory, session, ranked = mined
    (line,) = [one for one in minegap("ls", store=directory).stdout.splitlines() if one.startswith(session)]
    assert f"{ranked[0].score:.3f}  ●   0.777" in line
    best, second = minegap("find", "--limit", "2", store=directory).stdout.splitlines()[1:]
    assert f"{ranked[0].score:.3f}  ●   0.777" in best
    assert f"{ranked[1].score:.3f}  ○   0.888" in second
    board = minegap("show", session, store=directory).stdout.split("all that the search saw")[1]
    assert f"{ranked[0].score:.3f}  ●   0.777" in board
    (listed,) = json.loads(minegap("ls", "--json", store=directory).stdout)
    assert listed["confirmed"]["findings"] == 1
    assert listed["confirmed"]["best"]["score"] == 0.777
    found = json.loads(minegap("find", "--json", "--limit", "3", store=directory).stdout)
    assert [one["confirmed"] and one["confirmed"]["claimed"] for one in found] == [True, False, None]


# ---------------------------------------------------------------- compare


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Two sessions with three prompts in common, two of them confirmed on both sides."""
    directory = tmp_path_factory.mktemp("pair")
    ids = []
    for name, images, confirmed in (("one", 3, (0.2, 0.3, 0.4)), ("other", 4, (0.6, 0.7))):
        session = fill(
            directory, generations=1, population=3, images=images, variations=3, prompts=PROMPTS, name=name
        )
        with open_reader(directory) as reader:
            by_prompt = {one.prompt: one.id for one in reader.leaderboard(session, 9)}
        scores = zip(PROMPTS, confirmed, strict=False)
        confirm(directory, session, [(by_prompt[prompt], score, True) for prompt, score in scores])
        ids.append(session)
    return directory, ids[0], ids[1]


def test_confirmed_scores_are_compared_where_both_sides_have_them(pair: tuple[Path, str, str]) -> None:
    directory, *ids = pair
    with open_reader(directory) as reader:
        one, other = (read_side(reader, of_session(reader.session(session))) for session in ids)
    found = compare(one, other)
    by_prompt = {pair.a.prompt: pair for pair in found.pairs}
    for prompt, a, b in zip(PROMPTS, (0.2, 0.3), (0.6, 0.7), strict=False):
        assert (by_prompt[prompt].score_a, by_prompt[prompt].score_b) == (a, b)
        assert by_prompt[prompt].confirmed
    last = by_prompt[PROMPTS[2]]
    assert not last.confirmed
    assert last.score_a == last.a.scores["information"]
    assert found.confirmed == 2
    said = [one.sentence for one in cautions(found)]
    assert any("2 of 3" in sentence and "Confirmed scores" in sentence for sentence in said)
    by_another = compare(one, other, "paper")
    assert by_another.confirmed == 0
    assert any("Search scores are compared" in one.sentence for one in cautions(by_another))
    nothing = compare(replace(one, confirmed={}), replace(other, confirmed={}))
    assert not any("scores are compared" in one.sentence for one in cautions(nothing))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_compare_screen_marks_them(pair: tuple[Path, str, str], size: tuple[int, int]) -> None:
    directory, one, _ = pair
    app = MineApp(directory, one)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("C")
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        await settle(app, pilot)
        lines = [line for line in shown(app).splitlines() if "0.200   0.600" in line]
        assert lines
        assert "●" in lines[0]
        assert "confirmed in 2 of 3 pairs" in shown(app)


def test_so_does_the_command(minegap: Minegap, pair: tuple[Path, str, str]) -> None:
    directory, one, other = pair
    done = minegap("compare", one, other, store=directory)
    (line,) = [line for line in done.stdout.splitlines() if PROMPTS[0] in line]
    assert line.split()[:4] == ["0.200", "0.600", "−0.400", "●"]
    assert "Confirmed scores are compared" in done.stderr
    assert json.loads(minegap("compare", one, other, "--json", store=directory).stdout)["confirmed"] == 2
