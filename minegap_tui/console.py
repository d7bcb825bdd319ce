"""Plain terminals and pipes: data on standard output, narration on standard error, all of it safe."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import Any

import click

from minegap_tui.sanitise import display_text

PRINTERS = frozenset({"dumb", "unknown"})
"""Values of TERM for a terminal that only prints line after line."""


def print_everything() -> None:
    """From now on an output whose encoding lacks a character gets what ASCII has like it, instead of an error."""
    codecs.register_error("likeness", _likeness)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="likeness")


def _likeness(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from minegap_tui.plain import ascii_text  # imports Textual, which few outputs need

    return ascii_text(error.object[error.start : error.end]), error.end


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
    """Whether a person sits at both ends, who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def can_draw() -> bool:
    """Whether the app can be drawn there and keys can be read: the terminal can place its cursor, too."""
    return on_terminal() and os.environ.get("TERM") not in PRINTERS
