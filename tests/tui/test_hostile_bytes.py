"""Foreign text in every field, in all that the command line prints: nothing acts on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import Minegap
from hostile import FOLDER, PIECES, fill_hostile, foreign, hostile

from store import open_reader


@pytest.mark.parametrize("as_json", [False, True])
def test_no_byte_of_foreign_text_leaves_the_command_line(
    tmp_path: Path, minegap: Minegap, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    store = tmp_path / FOLDER
    session, texts = fill_hostile(store, state="interrupted")
    with open_reader(store) as reader:
        (other,) = (one.id for one in reader.sessions() if one.id != session)
    flags = ["--json"] if as_json else []
    calls: list[list[str]] = [
        ["ls", *flags],
        ["show", session, "--limit", "100", *flags],
        *(["show", str(number), *flags] for number in list(texts)[1:-1:2]),
        ["find", "--limit", "100", *flags],
        ["find", *flags, hostile(5)],
        ["log", session, *flags],
        ["show", hostile(6), *flags],
        ["mine", str(tmp_path / hostile(7)[:60].replace("/", "")), *flags],
        ["pause", "--session", hostile(8), *flags],
        ["compare", session, other, *flags],
        ["compare", hostile(9), other, *flags],
        ["confirm", hostile(10), *flags],
        ["confirm", "--at-end", hostile(10), *flags],
        ["rm", session, *flags],  # it says what it would delete, and that nobody confirms it
        ["rm", hostile(11), "--yes", *flags],
        ["fork", hostile(12), *flags],
        ["find", "--view", hostile(0), *flags],
        ["score", hostile(1), "--set", hostile(2), *flags],
        ["score", "--matrix", str(tmp_path / FOLDER), *flags],
        ["validate", "colours", "--set", hostile(3), *flags],
        ["validate", hostile(4)],
        ["set", hostile(5), *flags],
        ["models", "--set", f"models.painter={hostile(6)}", *flags],
        [hostile(9)],
    ]
    everything = ""
    for call in calls:
        done = minegap(*(argument.replace("\0", "") for argument in call), store=store)
        assert foreign(done.stdout.encode()) == set(), call[0]
        assert foreign(done.stderr.encode()) == set(), call[0]
        everything += done.stdout + done.stderr
        if as_json and done.returncode == 0:
            for line in done.stdout.splitlines():
                json.loads(line)
    assert ("\\u001b" if as_json else "␛") in everything
    if as_json:
        (line,) = minegap("show", str(max(texts) - 1), "--json", store=store).stdout.splitlines()
        assert json.loads(line)["prompt"] == texts[max(texts) - 1], "programs get the exact text"


@pytest.mark.parametrize(
    "line", ['keys."{0}" = "f"', 'keys."live.follow" = "{0}"', '"{0}" = 1', 'theme = "{0}"', "{1}"]
)
def test_a_foreign_line_in_the_settings_is_named_and_not_acted_upon(
    tmp_path: Path, minegap: Minegap, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    text = hostile(3)
    quoted = json.dumps(text.replace("\x7f", ""))[1:-1]
    (tmp_path / "minegap").mkdir()
    (tmp_path / "minegap" / "ui.toml").write_text(line.format(quoted, text), "utf-8")
    done = minegap("keys")
    assert done.returncode == 2
    assert foreign(done.stderr.encode()) == set()
    assert "ui.toml" in done.stderr


def test_the_judge_sees_every_piece() -> None:
    for piece in PIECES[:-1]:  # markup acts on no terminal
        assert foreign(piece.encode()), repr(piece)
    assert not foreign(b"\x1b[1;1H\x1b[38;2;1;2;3;48;2;0;0;0mA\x1b[0m\r\n\x1b[?25l")
