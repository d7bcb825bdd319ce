"""The commands that read what was done to a session before: undo takes one back, log tells all, fork goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import Minegap
from double import EngineDouble

from engine import commands, protocol
from engine.config import MiningConfig
from engine.config_sources import load_config
from store import open_store
from store.incoming import NewCandidate


def steer(engine: EngineDouble, session: str, command: dict[str, object], name: str, generation: int) -> None:
    engine.record(
        session,
        protocol.Steered(
            command_id=name,
            author="ann (app)",
            generation=generation,
            command=command | {"id": name, "session_id": session},
            sentence=f"{command['type']} \x1b]0;x\x07 from generation {generation} on.",
        ),
    )


def test_undo_takes_the_last_command_or_the_one_named(minegap: Minegap, engine: EngineDouble) -> None:
    session = engine.session()
    steer(engine, session, {"type": "pin", "candidate_id": 1}, "aaaa1111", 2)
    steer(engine, session, {"type": "ban", "what": "word", "text": "x"}, "aabb2222", 2)
    steer(engine, session, {"type": "pin", "candidate_id": 2}, "cccc3333", 2)
    steer(engine, session, {"type": "undo", "command_id": "cccc3333"}, "dddd4444", 2)
    for words, meant in (([], "aabb2222"), (["aaaa"], "aaaa1111"), (["aaaa1111"], "aaaa1111")):
        assert minegap("undo", *words, store=engine.folder).returncode == 0
        command = engine.asked[-1]
        assert isinstance(command, commands.Undo)
        assert command.command_id == meant
    done = minegap("undo", "aa", store=engine.folder)
    assert done.returncode == 2
    assert "2 commands begin with 'aa'" in done.stderr


def test_the_record_is_read_by_people_and_by_programs(minegap: Minegap, engine: EngineDouble) -> None:
    session = engine.session()
    engine.record(session, protocol.StateChanged(state="mining"))
    steer(engine, session, {"type": "pin", "candidate_id": 1}, "0123456789abcdef", 3)
    engine.record(session, protocol.StateChanged(state="paused", reason="paused by ann (app)"))
    engine.session(state="queued")
    done = minegap("log", store=engine.folder)
    assert done.returncode == 0
    head, mining, pin, paused = done.stdout.splitlines()
    assert head.split() == ["when", "author", "from", "id", "what"]
    assert "  ann (app)  gen 3    01234567  pin ␛]0;x␇ from generation 3 on." in pin
    assert "\x1b" not in done.stdout
    assert mining.endswith("mining")
    assert paused.endswith("  paused by ann (app)")
    lines = [
        json.loads(line)
        for line in minegap("log", session, "--json", store=engine.folder).stdout.splitlines()
    ]
    assert [line["kind"] for line in lines] == ["state_changed", "steered", "state_changed"]
    assert (lines[1]["author"], lines[1]["generation"]) == ("ann (app)", 3)
    assert lines[1]["command_id"] == "0123456789abcdef"


# ---------------------------------------------------------------- fork


@pytest.fixture
def old(engine: EngineDouble) -> str:
    config = load_config(None, {"search": {"images": 4}, "session": {"name": "nurses"}})
    session = engine.session("nurses", "finished", config.model_dump_json())
    for generation in (1, 2):
        engine._store.add_candidates(
            session, generation, [NewCandidate(0, f"a nurse {generation}", "initial")]
        )
    return session


def test_a_fork_keeps_the_configuration_but_for_what_is_set(
    minegap: Minegap, engine: EngineDouble, old: str
) -> None:
    done = minegap(
        *("fork", old, "--generation", "2", "--detach", "--seed", "9"),
        *("--set", "search.theme=at sea", "--set", "session.name=sailors"),
        store=engine.folder,
    )
    assert done.returncode == 0, done.stderr
    (command,) = engine.asked
    assert isinstance(command, commands.Fork)
    assert (command.session_id, command.generation) == (old, 2)
    config = MiningConfig.model_validate_json(command.config)
    assert (config.session.seed, config.session.name) == (9, "sailors")
    assert (config.search.theme, config.search.images) == ("at sea", 4)
    assert done.stdout.strip() != old


def test_a_fork_goes_on_with_the_knobs_as_they_stood(
    minegap: Minegap, engine: EngineDouble, old: str
) -> None:
    steer(engine, old, {"type": "set_knobs", "knobs": {"images": 6, "theme": "at sea"}}, "a1", 2)
    steer(engine, old, {"type": "set_knobs", "knobs": {"alpha": 0.25}}, "b2", 2)
    steer(engine, old, {"type": "undo", "command_id": "b2"}, "c3", 2)
    steer(engine, old, {"type": "set_knobs", "knobs": {"images": 8}}, "d4", 3)
    line = ("fork", old, "--generation", "2", "--detach", "--set", "search.theme=ashore")
    assert minegap(*line, store=engine.folder).returncode == 0
    command = engine.asked[-1]
    assert isinstance(command, commands.Fork)
    search = MiningConfig.model_validate_json(command.config).search
    assert (search.images, search.theme, search.alpha) == (6, "ashore", load_config().search.alpha)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--generation", "3"], "has 2 generations"),
        (["--generation", "0"], "--generation"),
        (["--generation", "1", "--set", "models.painter=/other"], "models.painter cannot change"),
        (["--generation", "1", "--set", "painter.steps=9"], "painter.steps cannot change"),
        (["--generation", "1", "--set", "writer.temperature=2.0"], "only writer.prompts"),
        (["--generation", "1", "--set", "search.images=0"], "search.images"),
        (["--generation", "1", "--set", "search.colour=red"], "search.colour"),
    ],
)
def test_a_fork_that_cannot_be(
    minegap: Minegap, engine: EngineDouble, old: str, line: list[str], words: str
) -> None:
    done = minegap("fork", old, *line, store=engine.folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert engine.asked == []


def test_a_session_of_a_version_that_is_gone_is_named(minegap: Minegap, tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="", seed=1, config_json='{"x": 1}', models_json="{}")
        store.add_candidates(session, 1, [NewCandidate(0, "a nurse", "initial")])
        store.set_session_state(session, "finished")
    done = minegap("fork", session, "--generation", "1", store=tmp_path)
    assert done.returncode == 2
    assert session in done.stderr
