"""Advice on log-out: only where this system would end the engine, and with a remedy that helps there."""

from __future__ import annotations

from pathlib import Path

import pytest

from minegap_tui.linger import Places, advice

SSH = "0::/user.slice/user-1000.slice/session-7.scope\n"
DESKTOP = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-1.scope\n"
CONTAINER = "0::/\n"
SCOPE = "systemd-run --user --scope"
LINGER = "loginctl enable-linger"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A system whose shipped file says nothing."""
    shipped, local = tmp_path / "usr/logind.conf", tmp_path / "etc/logind.conf"
    for file in (shipped, local):
        (file.parent / "logind.conf.d").mkdir(parents=True)
    shipped.write_text("[Login]\n#KillUserProcesses=yes\n")
    (tmp_path / "linger").mkdir()
    (tmp_path / "cgroup").write_text(SSH)
    return Places((shipped, local), tmp_path / "linger", tmp_path / "cgroup", "ann")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("[Login]\nKillUserProcesses=yes\n", True),
        ("[Login]\nKillUserProcesses = TRUE\n", True),
        ("[Login]\nKillUserProcesses=no\n", False),
        ("[Login]\n#KillUserProcesses=yes\n", False),
        ("[Sleep]\nKillUserProcesses=yes\n", False),
        ("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root ann\n", False),
        ("[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bob\n", False),
        ("[Login]\nKillUserProcesses=yes\nKillOnlyUsers=bob ann\n", True),
        ("\udcff garbage [Login", False),
        ("", False),
    ],
)
def test_what_logind_is_told(places: Places, text: str, warned: bool) -> None:
    places.logind[1].write_bytes(text.encode(errors="surrogateescape"))
    sentence = advice(places)
    assert bool(sentence) == warned
    if warned:
        assert SCOPE in sentence
        assert LINGER in sentence
        assert sentence.endswith(".")


def test_a_drop_in_is_stronger_than_any_main_file(places: Places) -> None:
    places.logind[1].write_text("[Login]\nKillUserProcesses=no\n")
    (places.logind[0].parent / "logind.conf.d/50-kill.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    assert SCOPE in advice(places)
    (places.logind[1].parent / "logind.conf.d/90-mild.conf").write_text("[Login]\nKillUserProcesses=no\n")
    assert advice(places) == ""


def test_a_file_of_the_same_name_in_etc_replaces_the_shipped_one(places: Places) -> None:
    (places.logind[0].parent / "logind.conf.d/50-kill.conf").write_text("[Login]\nKillUserProcesses=yes\n")
    (places.logind[1].parent / "logind.conf.d/50-kill.conf").write_text("")
    assert advice(places) == ""


def test_lingering_alone_does_not_save_what_is_in_the_sessions_scope(places: Places) -> None:
    places.logind[1].write_text("[Login]\nKillUserProcesses=yes\n")
    (places.linger / "ann").touch()
    sentence = advice(places)
    assert SCOPE in sentence
    assert LINGER not in sentence


def test_below_the_users_manager_lingering_is_what_counts(places: Places) -> None:
    places.cgroup.write_text(DESKTOP)
    assert LINGER in advice(places)
    assert SCOPE not in advice(places)
    (places.linger / "ann").touch()
    assert advice(places) == ""


def test_where_there_is_no_logind_nothing_is_said(places: Places, tmp_path: Path) -> None:
    places.cgroup.write_text(CONTAINER)
    places.logind[1].write_text("[Login]\nKillUserProcesses=yes\n")
    assert advice(places) == ""
    nowhere = tmp_path / "nowhere"
    assert advice(Places((nowhere,), nowhere, nowhere, "ann")) == ""
    places.logind[1].unlink()
    places.logind[1].mkdir()
    places.cgroup.write_text(SSH)
    assert advice(places) == ""


def test_this_system_can_be_asked() -> None:
    assert isinstance(advice(), str)
