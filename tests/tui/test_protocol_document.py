"""docs/protocol.md says what is so: its example lines are messages, its client works, its rules are the code's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from double import finished, listening

from engine import protocol
from engine.commands import VERSION, Attach
from engine.wire import MAX_LINE_BYTES, decode_command, decode_event, encode

DOCUMENT = (Path(__file__).parents[2] / "docs/protocol.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def conversation() -> list[tuple[str, str]]:
    (block,) = blocks("text")
    return [(line[0], line[2:]) for line in block.splitlines()]


@pytest.mark.parametrize(("side", "line"), conversation())
def test_every_line_of_the_conversation_is_a_whole_message(side: str, line: str) -> None:
    read = decode_command if side == ">" else decode_event
    message = read(line.encode())
    assert json.loads(encode(message)) == json.loads(line)  # no field is missing, none is made up


def test_the_conversation_goes_by_the_rules() -> None:
    lines = [(side, json.loads(line)) for side, line in conversation()]
    assert [message["type"] for _, message in lines[:4]] == ["hello", "welcome", "attach", "acknowledged"]
    asked = [message["id"] for side, message in lines if side == ">" and "id" in message]
    answered = [message["id"] for _, message in lines if message["type"] == "acknowledged"]
    assert asked == answered
    numbers = [message["seq"] for side, message in lines if side == "<" and message["seq"]]
    assert numbers == sorted(set(numbers))


def test_the_example_client_follows_a_session(tmp_path: Path) -> None:
    (client,) = blocks("python")
    script = tmp_path / "client.py"
    script.write_text(client)
    with listening(tmp_path / "store", (protocol.Notice(message="hello"), finished())) as engine:
        session = engine.session()
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(engine.folder), session],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert engine.greeted == ["my script"]
    assert done.stderr == ""
    assert [line.split()[-1] for line in done.stdout.splitlines()] == [
        *("welcome", "acknowledged", "snapshot", "notice", "finished"),
    ]


def test_the_schemas_are_printed() -> None:
    (commands, *_) = blocks("sh")
    for command, name in zip(commands.splitlines(), ("candidate_scored", "set_knobs"), strict=True):
        code = command.removeprefix('python -c "').removesuffix('"')
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        assert name in json.dumps(json.loads(done.stdout))


def test_figures_in_the_text_are_the_codes() -> None:
    assert f'"v": {VERSION}' in DOCUMENT
    assert MAX_LINE_BYTES == 1 << 20
    assert "at most 1 MiB" in DOCUMENT
    for module in ("protocol", "commands"):
        assert f"[engine/{module}.py](../engine/{module}.py)" in DOCUMENT
    assert Attach.__struct_config__.forbid_unknown_fields
    assert not protocol.Notice.__struct_config__.forbid_unknown_fields
