"""``minegap find`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import Minegap
from factory import fill
from scripted import stored

HOSTILE = "a \x1b]0;pwned\x07\u202e nurse"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    return directory, fill(directory, generations=2, population=6, images=4, variations=4, prompts=[HOSTILE])


def test_the_most_biased_come_first(minegap: Minegap, mined: tuple[Path, str]) -> None:
    directory, session = mined
    done = minegap("find", "--limit", "5", store=directory)
    assert done.returncode == 0
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["candidate", "score", "gen", "origin", "session", "prompt"]
    best = sorted(stored(directory, session), key=lambda one: (one.score or 0, one.id))[:5]
    assert [int(line.split()[0]) for line in lines] == [one.id for one in best]
    assert "5 of 12, most biased first" in done.stderr


def test_json_is_exact(minegap: Minegap, mined: tuple[Path, str]) -> None:
    directory, session = mined
    done = minegap("find", 'pwned "nurse"', "--json", "--order", "newest", store=directory)
    (found,) = json.loads(done.stdout)
    assert found["prompt"] == HOSTILE
    assert (found["session_id"], found["generation"], found["state"]) == (session, 1, "scored")
    assert done.stderr == ""


def test_no_prompt_means_anything_to_a_terminal(minegap: Minegap, mined: tuple[Path, str]) -> None:
    done = minegap("find", "pwned", store=mined[0])
    assert "␛]0;pwned␇" in done.stdout
    assert "\u202e" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_words_may_be_given_one_by_one(minegap: Minegap, mined: tuple[Path, str]) -> None:
    directory, session = mined
    done = minegap("find", "--json", "--limit", "100", "--", "-gen:1", f"session:{session}", store=directory)
    assert {one["candidate_id"] for one in json.loads(done.stdout)} == {
        one.id for one in stored(directory, session) if one.generation == 2
    }


@pytest.mark.parametrize("text", ["foo:x", "score<", '"open', "origin:\x1b[2J"])
def test_what_is_no_filter_is_refused(minegap: Minegap, mined: tuple[Path, str], text: str) -> None:
    done = minegap("find", text, store=mined[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("minegap: Place ")
    assert "\x1b" not in done.stderr


def test_nothing_found_is_no_fault(minegap: Minegap, mined: tuple[Path, str]) -> None:
    done = minegap("find", "zebra", store=mined[0])
    assert (done.returncode, done.stdout) == (0, "")
    assert "no candidate is like this: zebra" in done.stderr
    assert minegap("find", "zebra", "--json", store=mined[0]).stdout == "[]\n"


def test_without_a_store_the_remedy_is_said(minegap: Minegap, tmp_path: Path) -> None:
    done = minegap("find", store=tmp_path / "none")
    assert done.returncode == 2
    assert "mine something first" in done.stderr


def test_views_are_saved_listed_and_narrowed(minegap: Minegap, mined: tuple[Path, str]) -> None:
    directory, _ = mined
    assert "no view is saved" in minegap("find", "--views", store=directory).stderr
    done = minegap(
        "find", "gen:2", "--order", "newest", "--save", "late \x1b[2J", "--limit", "1", store=directory
    )
    assert "saved as" in done.stderr
    assert "\x1b" not in done.stderr
    listed = minegap("find", "--views", store=directory).stdout
    assert "gen:2  (newest first)" in listed
    assert "\x1b" not in listed
    (view,) = json.loads(minegap("find", "--views", "--json", store=directory).stdout)
    assert view == {"name": "late \x1b[2J", "filter": "gen:2", "order": "newest"}
    found = json.loads(
        minegap("find", "--view", "late \x1b[2J", "origin:mutation", "--json", store=directory).stdout
    )
    assert found
    assert {(one["generation"], one["origin"]) for one in found} == {(2, "mutation")}
    assert [one["candidate_id"] for one in found] == sorted(
        (one["candidate_id"] for one in found), reverse=True
    )
    assert minegap("find", "--view", "never", store=directory).returncode == 2


def test_sessions_needs_a_terminal(minegap: Minegap, mined: tuple[Path, str]) -> None:
    done = minegap("sessions", store=mined[0])
    assert done.returncode == 2
    assert "minegap ls" in done.stderr
