"""``minegap compare`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import Minegap
from factory import fill

from engine.config import MiningConfig
from minegap_tui.commands import compare as command
from minegap_tui.headless import Outcome
from minegap_tui.view.session import SessionView
from store import open_reader, open_store

HOSTILE = "a \x1b]0;pwned\x07\u202e nurse"


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """Two sessions that share all prompts, and one with prompts of its own."""
    directory = tmp_path_factory.mktemp("store")
    one = fill(directory, generations=1, population=8, images=8, variations=6, prompts=[HOSTILE], name="one")
    other = fill(
        directory, generations=2, population=8, images=6, variations=6, prompts=[HOSTILE], name="other"
    )
    own = [f"own prompt {number}" for number in range(4)]
    lonely = fill(directory, generations=1, population=4, images=4, variations=4, prompts=own, name="lonely")
    return directory, one, other, lonely


def test_shared_prompts_are_compared_one_by_one(minegap: Minegap, mined: tuple[Path, str, str, str]) -> None:
    directory, one, other, _ = mined
    done = minegap("compare", one, other, "--limit", "3", store=directory)
    assert done.returncode == 0
    assert "shared prompts: " in done.stdout
    lines = done.stdout.splitlines()
    head = lines.index("     A       B     A-B     prompt")
    rows = [line.split() for line in lines[head + 1 :]]
    assert len(rows) == 3
    for a, b, difference, *_ in rows:
        assert float(a) - float(b) == pytest.approx(float(difference.replace("−", "-")), abs=0.0011)
    assert "3 of" in done.stderr
    assert "rest on different numbers of images" in done.stderr
    assert not any(each in done.stdout + done.stderr for each in ("\x1b", "\u202e", "\x07"))


def test_json_holds_all_pairs_and_the_figures(minegap: Minegap, mined: tuple[Path, str, str, str]) -> None:
    directory, one, other, _ = mined
    done = minegap("compare", one, other, "--json", "--sort", "prompt", store=directory)
    found = json.loads(done.stdout)
    assert (found["score_name"], found["a"]["sessions"], found["b"]["name"]) == (
        "information",
        [one],
        "other",
    )
    assert found["shared"] == len(found["pairs"]) > 3
    assert [pair["prompt"] for pair in found["pairs"]] == sorted(pair["prompt"] for pair in found["pairs"])
    assert HOSTILE in [pair["prompt"] for pair in found["pairs"]]
    mean = sum(pair["difference"] for pair in found["pairs"]) / found["shared"]
    assert found["summary"]["mean"]["value"] == pytest.approx(mean)
    assert found["summary"]["n"] == found["shared"]
    assert found["only_a"] == []
    assert {each["generation"] for each in found["only_b"]} == {2}


def test_another_score_and_the_other_way_round(minegap: Minegap, mined: tuple[Path, str, str, str]) -> None:
    directory, one, other, _ = mined
    told = [
        json.loads(minegap("compare", *sides, "--score", "paper", "--json", store=directory).stdout)
        for sides in ((one, other), (other, one))
    ]
    assert told[0]["score_name"] == "paper"
    assert told[0]["summary"]["mean"]["value"] == pytest.approx(-told[1]["summary"]["mean"]["value"])
    done = minegap("compare", one, other, "--score", "beauty", store=directory)
    assert done.returncode == 2
    assert "choose of information" in done.stderr


def test_sides_that_share_nothing_are_told_what_helps(
    minegap: Minegap, mined: tuple[Path, str, str, str]
) -> None:
    directory, one, _, lonely = mined
    done = minegap("compare", one, lonely, store=directory)
    assert done.returncode == 0
    assert "No prompt was measured on both sides" in done.stdout
    assert f"minegap compare {one} {lonely} --remeasure 10" in " ".join(done.stderr.split())


def test_a_side_that_is_none_is_refused(minegap: Minegap, mined: tuple[Path, str, str, str]) -> None:
    directory, one, _, _ = mined
    for sides, says in (
        ((one, one), "the same"),
        ((one, "nope"), "see 'minegap ls'"),
        ((one, "painter:nope"), "No session was painted"),
    ):
        done = minegap("compare", *sides, store=directory)
        assert done.returncode == 2
        assert says in done.stderr


def test_remeasuring_takes_both_sides_most_biased_prompts_on_fresh_draws(
    minegap: Minegap, mined: tuple[Path, str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, one, _, lonely = mined
    begun: list[MiningConfig] = []

    async def run_engine(store: Path, sink: object, tell: object, *, config: MiningConfig) -> Outcome:
        begun.append(config)
        prompts = config.search.prompts
        session = fill(
            store,
            generations=1,
            population=len(prompts),
            images=4 + len(begun),
            variations=4,
            prompts=prompts,
        )
        return Outcome(SessionView(session_id=session), 0)

    monkeypatch.setattr(command, "run_engine", run_engine)
    done = minegap("compare", one, lonely, "--remeasure", "3", "--json", store=directory)
    found = json.loads(done.stdout)
    with open_reader(directory) as reader:
        best = [[each.prompt for each in reader.leaderboard(number, 3)] for number in (one, lonely)]
    assert [config.search.prompts for config in begun] == [(*best[0], *best[1])] * 2
    assert begun[0].session.seed == begun[1].session.seed != 7
    assert [config.search.generations for config in begun] == [1, 1]
    assert sorted(pair["prompt"] for pair in found["pairs"]) == sorted(best[0] + best[1])
    assert found["a"]["sessions"] != [one]


def test_an_empty_store_has_nothing_to_compare(minegap: Minegap, tmp_path: Path) -> None:
    open_store(tmp_path).close()
    done = minegap("compare", "last", "last", store=tmp_path)
    assert done.returncode == 2
