"""Plain terminals and pipes: data on standard output, narration on standard error, all of it safe."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from minegap_tui.sanitise import display_text


def data(line: str) -> None:
    """Write one line of data; ``line`` is already free of foreign controls or is made so here."""
    click.echo(display_text(line, limit=None))


def narrate(line: str) -> None:
    """Tell the user something on standard error."""
    click.echo(display_text(line, limit=None), err=True)


def complain(sentence: str) -> None:
    """Say on standard error why a command cannot be done."""
    click.echo(f"minegap: {display_text(sentence)}", err=True)


def json_line(value: Any) -> str:
    """Return ``value`` as one line of pure ASCII JSON: exact for programs, inert for terminals."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")


def data_json(value: Any) -> None:
    """Write one JSON document as a line and let a reader see it at once."""
    click.echo(json_line(value))
    sys.stdout.flush()


def forget_output() -> None:
    """Let go of an output that nobody reads any more; the interpreter would flush into it again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def on_terminal() -> bool:
    """Whether a person sits at both ends: the app can be drawn and keys can be read."""
    return sys.stdin.isatty() and sys.stdout.isatty()
