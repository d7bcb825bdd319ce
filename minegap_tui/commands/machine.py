"""``minegap models`` and ``minegap doctor``: what is on this machine, without loading any of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from minegap_tui import console, linger, terminal
from minegap_tui.commands.options import json_option, store_directory, store_option
from minegap_tui.sanitise import fit
from minegap_tui.terminal import Prepared
from minegap_tui.view.abilities import image_report

if TYPE_CHECKING:
    from engine.doctor import Check

MIB = 1 << 20
GIB = 1 << 30
_MARKS = {"ok": "✓", "warning": "!", "failure": "✗"}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@json_option
def models(paths: tuple[Path, ...], as_json: bool) -> None:
    """List the models in PATHS, in the local Hugging Face cache and the embedded ones, and whether they fit."""
    from engine.models.discovery import discover
    from engine.packs import EMBEDDED_DIRECTORY

    found = discover([EMBEDDED_DIRECTORY, *paths])
    if as_json:
        console.data_json(
            [
                {
                    "role": model.role,
                    "kind": model.kind,
                    "source": model.source,
                    "path": str(model.path),
                    "disk_bytes": model.disk_bytes,
                    "memory_bytes": model.memory_bytes,
                    "device": model.device,
                    "fits": model.fits,
                    "problem": model.problem,
                }
                for model in found
            ]
        )
        return
    if not found:
        console.narrate("no models found: name the directories that hold some")
        return
    console.data(f"{'role':<8}  {'kind':<20}  {'disk':>9}  {'memory':>9}  fits  source")
    for model in found:
        fits = "–" if model.problem else "yes" if model.fits else "no"
        console.data(
            f"{model.role:<8}  {fit(model.kind, 20)}  {_size(model.disk_bytes)}  {_size(model.memory_bytes)}  "
            f"{fits:<4}  {model.source}"
        )
        if model.problem:
            console.data(f"          {model.problem}")


@click.command()
@json_option
@store_option
def doctor(as_json: bool, store: Path | None) -> int:
    """Check this machine; exit code 3 where something keeps the mine from working."""
    from engine.doctor import examine
    from engine.packs import EMBEDDED_DIRECTORY

    prepared = terminal.ask().settled()
    checks = []
    for check in chain(examine(store_directory(store), EMBEDDED_DIRECTORY), _surroundings(prepared)):
        checks.append(check)
        if not as_json:  # as they come: who waits for the driver's answer sees the others already
            console.data(f"{_MARKS[check.status]} {fit(check.name, 16)}  {check.sentence}")
            sys.stdout.flush()
    if as_json:
        console.data_json(
            [{"name": check.name, "status": check.status, "sentence": check.sentence} for check in checks]
        )
    return 3 if any(check.status == "failure" for check in checks) else 0


def _surroundings(prepared: Prepared) -> Iterator[Check]:
    """Check what only the user interface knows of."""
    from engine.doctor import Check

    warning = linger.advice()
    yield Check(
        "log-out", "warning" if warning else "ok", warning or "The engine goes on mining after you log out."
    )
    as_wanted, images = image_report(prepared.settings.images, prepared.terminal)
    yield Check("images", "ok" if as_wanted else "warning", images)


def _size(size: int) -> str:
    return f"{size / GIB:5.1f} GiB" if size >= GIB else f"{size / MIB:5.1f} MiB"
