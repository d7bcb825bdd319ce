"""What the app costs its user: ``python -m benchmarks.terminal [--write] [PART …]``; without a part, all of them.

Everything goes through a real pty, as a terminal would see it. Figures in seconds depend on the machine; beside each
stands what it is to be compared with, an aim or another figure of the same machine. ``--write`` puts each part into
docs/performance.md, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.machine import head
from benchmarks.terminal import keys, memory, startup
from benchmarks.terminal.line import Line
from benchmarks.terminal.scripted import mining
from benchmarks.terminal.traffic import per_second
from engine import protocol
from engine.client import EngineClient, command_id
from engine.commands import Open, Pause, Stop
from engine.config_sources import load_config
from engine.validation.document import replace_section
from minegap_tui import terminal
from tests.tui.factory import fill
from tests.tui.many import many

DOCUMENT = Path("docs/performance.md")
ROUNDS = 9
MANY = 20_000
KEYS = 80
SECONDS = 20.0
FAST = 20.0
"""Candidates a second of the scripted engine, 180 events in all: ten times what one GPU gives."""
HOUR_MINUTES = 4.0
SMALL = {
    "population": 12,
    "images": 16,
    "variations": 12,
    "generations": 1000,
    "survivors": 4,
    "mutations": 2,
}

_START = "at most 0.7 s"

Row = tuple[str, str, str]


def begun(store: Path) -> str:
    """Begin a session that mines for longer than it is looked at; returns its id once it paints."""

    async def begin() -> str:
        client = await EngineClient.connect_or_start(store, "benchmark")
        sections = {"search": SMALL, "store": {"path": str(store)}, "session": {"name": "live"}}
        config = load_config(None, sections).model_dump_json()
        session = (await client.ask(Open(id=command_id(), config=config))).session_id
        await client.attach(session)
        async for event in client.events():
            if isinstance(event, protocol.CandidateScored):
                break
        await client.close()
        return session

    return asyncio.run(begin())


def told(store: Path, command: Pause | Stop) -> None:
    """Ask the engine for something."""

    async def ask() -> None:
        client = await EngineClient.connect(store, "benchmark")
        await client.ask(command)
        await client.close()

    asyncio.run(ask())


def starts(store: Path, session: str, large: Path) -> list[Row]:
    """From the command to data."""
    rows = []
    candidates = many(large, MANY)
    for name, aim, measure in (
        ("an interpreter that writes a word", "", startup.interpreter),
        ("a Textual app of one word", "", startup.floor),
        ("`minegap sessions`: the list", _START, lambda: startup.home(store, "past")),
        ("`minegap attach`: the leaderboard", _START, lambda: startup.attached(store, session)),
        (
            f"`minegap attach`: the leaderboard of {MANY:,} candidates",
            _START,
            lambda: startup.attached(large, candidates),
        ),
        (
            "`minegap sessions`, the terminal never answers",
            _START,
            lambda: startup.home(store, "past", "silent"),
        ),
        (
            "the same, and COLORTERM does not say its colours",
            f"{_START}, {terminal.PATIENCE_SECONDS:.1f} s of them patience",
            lambda: startup.home(store, "past", "silent", COLORTERM=""),
        ),
    ):
        measure()  # Python compiles what it has not yet
        found = [measure() for _ in range(ROUNDS)]
        wall, used = sorted(one for one, _ in found), sorted(one for _, one in found)
        figure = f"{_ms(median(wall))} (best {_ms(wall[0])})"
        rows.append((name, figure, ", ".join(filter(None, (aim, f"{_ms(used[0])} of processor time")))))
    return rows


def idle(store: Path, session: str) -> list[Row]:
    """Bytes of screens that nobody touches."""
    rows = []
    for name, program, words in (
        ("a past session", [startup.SHOW, str(store), session], keys.FOLLOWING),
        ("the list of sessions", [startup.COMMAND, "sessions", "--store", str(store)], b"past"),
    ):
        line = Line(["-c", *program], MINEGAP_UI_IMAGES_PROTOCOL="off")
        try:
            line.until(words)
            rows.append((f"bytes a second, {name}", _kb(per_second(line, SECONDS)), "at most 5 kB/s"))
        finally:
            line.close()
    return rows


def live(store: Path) -> list[Row]:
    """Keys and bytes beside the real engine."""
    session = begun(store)
    line = keys.followed(store, session, MINEGAP_UI_IMAGES_PROTOCOL="off")
    try:
        traffic = per_second(line, SECONDS)
        found = keys.toggled(line, KEYS)
        told(store, Pause(id=command_id(), session_id=session))
        line.until(b"p goes on")
        paused = per_second(line, SECONDS)
    finally:
        line.close()
        told(store, Stop(id=command_id(), session_id=session, at_once=True))
    return [
        ("bytes a second while the real engine mines, no images", _kb(traffic), "at most 20 kB/s"),
        ("bytes a second while it is paused", _kb(paused), "at most 5 kB/s"),
        ("key to paint while the real engine mines", *_spread(found)),
    ]


def scripted(store: Path, session: str) -> list[Row]:
    """Keys beside an engine that tells more than any would."""
    with mining(store, session, FAST):
        line = keys.followed(store, session, MINEGAP_UI_IMAGES_PROTOCOL="half")
        try:
            time.sleep(2)
            held, moved = keys.toggled(line, KEYS), keys.moved(line, KEYS)
        finally:
            line.close()
    name = f"key to paint beside {FAST * 9:.0f} events a second, half-blocks"
    return [(f"{name}: hold and follow", *_spread(held)), (f"{name}: move", *_spread(moved))]


def pictures(store: Path, session: str) -> list[Row]:
    """Keys while pictures come over 1 Mbit/s."""
    rows = []
    for protocol_name in ("off", "half", "kitty"):
        found, taken = keys.beside_pictures(store, session, protocol_name, 20)
        what, aim = _spread(found, "worst at most 100 ms")
        rows.append(
            (f"key to paint over 1 Mbit/s, images {protocol_name}", what, f"{aim}; {taken // 1000} kB came")
        )
    return rows


def soak(directory: Path) -> list[Row]:
    """Memory over an hour's events."""
    session = many(directory, memory.CANDIDATES)
    found = memory.hour(directory, session, HOUR_MINUTES)
    quarter = found[memory.SAMPLES // 4]
    return [
        (
            f"memory over an hour's events in {HOUR_MINUTES:.0f} minutes",
            " ".join(f"{one:.0f}" for one in found) + " MiB",
            f"{found[-1] - quarter:+.1f} MiB since the first quarter",
        )
    ]


def _spread(found: Sequence[float], aim: str = "p95 at most 50 ms") -> tuple[str, str]:
    cut = quantiles(found, n=20)
    return f"p50 {_ms(median(found))}, p95 {_ms(cut[-1])}, worst {_ms(max(found))}", aim


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _kb(rate: float) -> str:
    return f"{rate / 1000:.2f} kB/s"


PARTS = ("starts", "idle", "live", "scripted", "pictures", "soak")


def _head(part: str) -> str:
    return f"{head(f'benchmarks.terminal {part}')}:\n\n| measure | figure | beside it |\n|---|--:|--:|\n"


def main() -> None:
    """Measure and print Markdown."""
    write = "--write" in sys.argv[1:]
    wanted = [one for one in sys.argv[1:] if one != "--write"] or PARTS
    if unknown := set(wanted) - set(PARTS):
        raise SystemExit(f"There is no part {sorted(unknown)[0]!r}: name some of {', '.join(PARTS)}.")
    with (
        tempfile.TemporaryDirectory(prefix="minegap-") as name,
        tempfile.TemporaryDirectory(prefix="mg-") as runtime,
    ):
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = name
        os.environ["XDG_RUNTIME_DIR"] = runtime
        store = Path(name, "store")
        session = fill(store, name="past")
        parts: dict[str, Callable[[], list[Row]]] = {
            "starts": lambda: starts(store, session, Path(name, "large")),
            "idle": lambda: idle(store, session),
            "live": lambda: live(Path(name, "live")),
            "scripted": lambda: scripted(store, session),
            "pictures": lambda: pictures(store, session),
            "soak": lambda: soak(Path(name, "soak")),
        }
        for part in wanted:
            text = _head(part)
            print(text, end="", flush=True)
            for row in parts[part]():
                line = "| " + " | ".join(row) + " |\n"
                print(line, end="", flush=True)
                text += line
            print(flush=True)
            if write:
                replace_section(DOCUMENT, part, text)


if __name__ == "__main__":
    main()
