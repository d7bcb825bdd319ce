"""The command line from outside: what goes where, and which exit code follows which mistake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commandline import Minegap
from double import listening
from factory import fill, measure

from engine import protocol
from engine.commands import Delete
from engine.score import SCORES
from store import open_store
from store.incoming import NewCandidate

HOSTILE = "\x1b]0;pwned\x07\x9b31m a [red]cat[/red]\u202e"


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("store")
    session = fill(directory, generations=2, population=4, images=4, variations=4, name="nurses")
    return directory, session


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mine", "nowhere.toml"], "nowhere.toml"),
        (["mine", "--set", "search.images=0"], "search.images"),
        (["mine", "--set", "search.survivors=10", "--set", "search.mutations=10"], "exceeds population"),
        (["mine", "--set", "search.colour=1"], "search.colour"),
        (["mine", "--set", "images=3"], "SECTION.KEY=VALUE"),
        (["mine", "--set", "models.painter=/nowhere/sd15", "--plain"], "/nowhere/sd15"),
        (["mine", "--seed", "x"], "--seed"),
        (["mine", "--resume", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], "store"),
        (["mine", "--resume", "X", "--seed", "1"], "--resume"),
        (["resume", "nothing"], "store"),
        (["show", "1"], "store"),
        (["score"], "Give either a prompt or --matrix"),
        (["score", ""], "is empty"),
        (["score", "a\x1bcat"], "U+001B"),
        (["score", "x" * 100_000], "100000 characters"),
        (["score", "--matrix", "nowhere.npy"], "nowhere.npy"),
        (["dig"], "dig"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    minegap: Minegap, arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = minegap(*arguments, store=tmp_path / "new")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    complaint = done.stderr.splitlines()[-1]
    assert complaint.startswith("minegap: ")
    assert words in complaint
    assert complaint.endswith(".")
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00garbage"])
def test_a_bad_matrix_file(minegap: Minegap, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "S.npy").write_bytes(content)
    done = minegap("score", "--matrix", tmp_path / "S.npy")
    assert done.returncode == 2
    assert "S.npy" in done.stderr


@pytest.mark.parametrize(
    "matrix",
    [np.full((3, 3), np.nan), np.zeros((0, 4)), np.zeros(5), np.array([["a", "b"], ["c", "d"]])],
    ids=["nan", "empty", "flat", "text"],
)
def test_an_undefined_score_is_no_number(minegap: Minegap, matrix: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "S.npy", matrix)
    done = minegap("score", "--matrix", tmp_path / "S.npy", "--json")
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_pickled_matrix_is_never_loaded(minegap: Minegap, tmp_path: Path) -> None:
    np.save(tmp_path / "S.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert minegap("score", "--matrix", tmp_path / "S.npy").returncode == 2


def test_a_matrix_is_scored_for_others_to_check(minegap: Minegap, tmp_path: Path) -> None:
    np.save(tmp_path / "S.npy", np.random.default_rng(1).uniform(0.1, 0.4, (5, 7)))
    done = minegap("score", "--matrix", tmp_path / "S.npy", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert {*SCORES, "coverage", "alignment"} == found.keys()
    assert (len(found["coverage"]), len(found["alignment"])) == (5, 7)
    assert minegap("score", "--matrix", tmp_path / "S.npy").stdout.count("\n") == len(SCORES)


def test_listing_and_showing(minegap: Minegap, mined: tuple[Path, str]) -> None:
    store, session = mined
    listed = json.loads(minegap("ls", "--json", store=store).stdout)
    assert [one["id"] for one in listed] == [session]
    assert listed[0]["scored"] == 8
    assert "nurses" in minegap("ls", store=store).stdout
    for name in (session, session[:20].lower(), "last"):
        shown = minegap("show", name, "--limit", "3", store=store)
        assert shown.returncode == 0
        assert shown.stdout.count("a photo of a") == 3
    best = json.loads(minegap("show", session, "--json", store=store).stdout)["leaderboard"][0]
    evidence = json.loads(minegap("show", str(best["candidate_id"]), "--json", store=store).stdout)
    assert evidence["score"] == best["score"]
    coverage = [line["coverage"] for line in evidence["variations"] if line["missed"]]
    assert coverage == sorted(coverage)
    assert coverage
    assert all(Path(image["path"]).is_file() for image in evidence["images"])
    plain = minegap("show", str(best["candidate_id"]), store=store).stdout
    assert "missed" in plain
    assert best["prompt"] in plain


def test_ls_says_what_runs_now_and_what_waits(minegap: Minegap, tmp_path: Path) -> None:
    with listening(tmp_path) as engine:
        mining = engine.session("one", "mining")
        second, third = engine.session("two", "queued"), engine.session("three", "queued")
        done = minegap("ls", store=tmp_path)
        assert "an engine runs" in done.stderr
        states = {line.split()[1]: line.split()[2:4] for line in done.stdout.splitlines()[1:]}
        assert states["one"][0] == "mining"
        assert (states["two"], states["three"]) == (["queued", "1"], ["queued", "2"])
        rows = {row["id"]: row for row in json.loads(minegap("ls", "--json", store=tmp_path).stdout)}
        assert (rows[second]["queue_place"], rows[third]["queue_place"]) == (1, 2)
        assert rows[mining]["queue_place"] is None
        assert all(row["engine"] for row in rows.values())
    done = minegap("ls", store=tmp_path)
    assert "no engine runs" in done.stderr
    rows = {row["id"]: row for row in json.loads(minegap("ls", "--json", store=tmp_path).stdout)}
    assert rows[mining]["state"] == "interrupted"
    assert rows[second]["state"] == "queued"
    assert "interrupted" in minegap("show", mining, store=tmp_path).stdout
    with listening(tmp_path) as engine:
        paused = engine.session("four")
        engine.record(paused, protocol.StateChanged(state="paused", reason="paused by ann"))
        assert (
            minegap("show", paused, store=tmp_path).stdout.splitlines()[1].startswith("paused by ann · seed")
        )


def test_an_empty_store_is_no_error(minegap: Minegap, tmp_path: Path) -> None:
    done = minegap("ls", store=tmp_path / "new")
    assert done.returncode == 0
    assert done.stdout == ""
    assert "minegap mine" in done.stderr
    assert json.loads(minegap("ls", "--json", store=tmp_path / "new").stdout) == []
    assert not (tmp_path / "new").exists()


def test_what_is_not_a_store_is_said(minegap: Minegap, tmp_path: Path) -> None:
    (tmp_path / "minegap.db").write_bytes(b"hello, this is no database at all" * 100)
    done = minegap("ls", store=tmp_path)
    assert done.returncode == 2
    assert "minegap.db" in done.stderr or str(tmp_path) in done.stderr


def test_hostile_text_is_shown_and_never_acted_upon(minegap: Minegap, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name=HOSTILE, seed=1, config_json="{}", models_json="{}")
        (candidate,) = store.add_candidates(session, 1, [NewCandidate(0, HOSTILE, "initial")])
        measure(store, candidate, HOSTILE, (4, 4), 0.5, seed=1)
        store.set_session_state(session, "failed", HOSTILE)
    for arguments in (["ls"], ["show", "last"], ["show", str(candidate)]):
        for extra in ([], ["--json"]):
            done = minegap(*arguments, *extra, store=tmp_path)
            assert done.returncode == 0, done.stderr
            assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout)
            if extra:
                assert "\\u001b]0;pwned" in done.stdout
    assert "[red]cat[/red]" in minegap("show", str(candidate), store=tmp_path).stdout


def test_help_is_quick_and_names_every_command() -> None:
    probe = (
        "import sys; from minegap_tui.cli import run; run(['--help']);"
        "heavy = {'torch', 'diffusers', 'open_clip', 'llama_cpp', 'textual', 'transformers'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr.strip() == "[]"
    for command in COMMANDS:
        assert f"  {command} " in done.stdout


COMMANDS = (
    *(
        "mine",
        "attach",
        "resume",
        "stop",
        "fork",
        "pause",
        "step",
        "edit",
        "inject",
        "pin",
        "unpin",
        "ban",
        "lift",
    ),
    *(
        "rescore",
        "set",
        "undo",
        "ls",
        "sessions",
        "find",
        "show",
        "log",
        "score",
        "models",
        "doctor",
        "validate",
    ),
)


def test_the_readme_knows_every_command_and_no_other(minegap: Minegap) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    rows = [line.split("|")[1] for line in readme.splitlines() if line.startswith("| `minegap")]
    named = {word for row in rows for word in re.findall(r"`(?:minegap )?([a-z]+)", row)} - {"minegap"}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(minegap: Minegap, command: str) -> None:
    done = minegap(command, "--help")
    assert done.returncode == 0
    explanation = done.stdout.split("Options:")[0]
    assert len(explanation.split()) > 12, explanation


def test_the_app_imports_no_model_library() -> None:
    probe = (
        "import sys, minegap_tui.app, minegap_tui.cli;"
        "from minegap_tui.commands import browse, edit, find, fork, log, machine, mine, score, sessions;"
        "from minegap_tui.commands import steer, validate;"
        "print(sorted({'torch', 'torchvision', 'diffusers', 'transformers', 'open_clip', 'llama_cpp'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_doctor_and_models_answer(minegap: Minegap) -> None:
    checks = json.loads(minegap("doctor", "--json").stdout)
    assert {"python", "memory", "disk", "sqlite"} <= {check["name"] for check in checks}
    done = minegap("models", "--json")
    assert done.returncode == 0
    assert isinstance(json.loads(done.stdout), list)


def test_a_closed_pipe_is_no_error(mined: tuple[Path, str]) -> None:
    store, session = mined
    done = subprocess.run(
        f"{sys.executable} -m minegap_tui.cli show {session} --store {store} | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_deleting_wants_a_yes_where_nobody_can_be_asked(minegap: Minegap, mined: tuple[Path, str]) -> None:
    directory, session = mined
    done = minegap("rm", session, store=directory)
    assert done.returncode == 2
    assert "say --yes" in done.stderr
    assert minegap("rm", "nothing", "--yes", store=directory).returncode == 2
    assert session in minegap("ls", store=directory).stdout


def test_deleting_asks_the_engine(minegap: Minegap, tmp_path: Path) -> None:
    with listening(tmp_path, ()) as engine:
        session = engine.session()
        done = minegap("rm", session[:20], "last", "--yes", "--json", store=engine.folder)
        assert done.returncode == 0, done.stderr
        (answer,) = [json.loads(line) for line in done.stdout.splitlines()]
        assert answer["accepted"]
        assert [command.session_id for command in engine.asked if isinstance(command, Delete)] == [session]
