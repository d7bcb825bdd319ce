"""Whether this system ends a user's processes at log-out, and what to do about it: systemd-logind's files, read.

A process in the session's scope is ended at log-out where ``KillUserProcesses=yes``; one below the user's own
service manager is ended with that manager, after the last log-out, unless the user lingers.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

LOGIND = tuple(Path(place, "systemd/logind.conf") for place in ("/usr/lib", "/usr/local/lib", "/run", "/etc"))
LINGER = Path("/var/lib/systemd/linger")
CGROUP = Path("/proc/self/cgroup")

_TRUE = frozenset({"1", "yes", "y", "true", "t", "on"})
_SESSION = re.compile(r"/session-[^/]+\.scope(/|$)")
_MANAGER = re.compile(r"/user@\d+\.service(/|$)")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        return str(os.getuid())


@dataclass(frozen=True)
class Places:
    """Where to look; the defaults are this system's.

    Attributes:
        logind: main files of the configuration, the weakest first; drop-ins lie beside each in ``NAME.d``.
        linger: the directory that holds an empty file per lingering user.
        cgroup: the control groups of the process in question.
        user: login name.
    """

    logind: tuple[Path, ...] = LOGIND
    linger: Path = LINGER
    cgroup: Path = CGROUP
    user: str = field(default_factory=_user)


def advice(places: Places | None = None) -> str:
    """Return one sentence with the remedy where log-out would end the engine; empty where it would not."""
    places = places or Places()
    group = _text(places.cgroup)
    lingers = os.path.exists(places.linger / places.user)
    if _MANAGER.search(group):
        if lingers:
            return ""
        return (
            f"This system ends the processes of {places.user} after the last log-out: run "
            "'loginctl enable-linger' once, and mining goes on."
        )
    if not _SESSION.search(group) or not _kills(places.logind, places.user):
        return ""
    once = "" if lingers else "run 'loginctl enable-linger' once and "
    return (
        f"This system ends the processes of {places.user} at log-out (KillUserProcesses=yes): {once}start the "
        "engine with 'systemd-run --user --scope minegap mine'."
    )


def _kills(files: Iterable[Path], user: str) -> bool:
    settings = _login_section(files)
    if settings.get("KillUserProcesses", "no").lower() not in _TRUE:
        return False
    if user in settings.get("KillExcludeUsers", "root").split():
        return False
    only = settings.get("KillOnlyUsers", "").split()
    return not only or user in only


def _login_section(files: Iterable[Path]) -> dict[str, str]:
    """Read ``[Login]``: the last main file counts, then all drop-ins by name; a later value replaces an earlier."""
    main = ""
    drop_ins: dict[str, Path] = {}
    for file in files:
        main = _text(file) or main
        drop_ins |= {found.name: found for found in file.with_name(file.name + ".d").glob("*.conf")}
    settings: dict[str, str] = {}
    for text in (main, *(_text(drop_ins[name]) for name in sorted(drop_ins))):
        section = ""
        for line in map(str.strip, text.splitlines()):
            if line.startswith("["):
                section = line
            elif section == "[Login]" and "=" in line and line[0] not in "#;":
                key, _, value = line.partition("=")
                settings[key.strip()] = value.strip()
    return settings


def _text(path: Path) -> str:
    """What a file says; nothing where it is missing or not for this user."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
