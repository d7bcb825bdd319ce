"""``minegap edit``: rewrite a candidate's prompt; nobody else can while the editor is open."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from engine import protocol
from engine.client import EngineClient, command_id
from engine.commands import EditBegin, EditCancel, EditCommit
from engine.errors import InputError, MineGapError
from minegap_tui import console
from minegap_tui.commands.options import json_option, store_directory, store_option
from minegap_tui.commands.talk import candidate_argument, live_session, report, session_option, usable_prompt
from minegap_tui.headless import CLIENT
from minegap_tui.sanitise import display_text
from store import open_reader

MAX_FILE_BYTES = 1 << 16


@click.command()
@candidate_argument
@click.option("--prompt", help="The new prompt  [default: $VISUAL or $EDITOR opens the old one].")
@session_option
@json_option
@store_option
def edit(candidate: int, prompt: str | None, session: str | None, as_json: bool, store: Path | None) -> None:
    """Rewrite the prompt of CANDIDATE (its id, as 'minegap show last' lists it) by hand.

    The new prompt is a candidate of its own, with origin 'human' and the old one as its parent; it enters the
    next population that is not bred yet. What is in the editor is the prompt, exactly; unchanged or empty text
    cancels. Until the editor is closed, nobody else can edit the candidate.
    """
    if prompt is not None:
        usable_prompt(prompt)
    editor = editor_command() if prompt is None else []
    try:
        committed = asyncio.run(_edit(store_directory(store), session, candidate, prompt, editor))
    except asyncio.CancelledError:
        raise click.Abort from None  # the terminal hung up, or this process was told to end
    if committed is None:
        console.narrate("nothing changed: the edit is cancelled")
        return
    report(*committed, as_json)


def editor_command() -> list[str]:
    """Return the user's editor as an argument vector, for no shell.

    Raises:
        InputError: none is named, or it cannot be split into words.
    """
    for name in ("VISUAL", "EDITOR"):
        if named := os.environ.get(name, "").strip():
            try:
                return shlex.split(named)
            except ValueError as error:
                raise InputError(f"${name} = {named!r} cannot be read ({error}): correct it.") from error
    raise InputError("No editor is named: set $VISUAL or $EDITOR, or give the text with --prompt.")


async def _edit(
    store: Path, given: str | None, candidate: int, prompt: str | None, editor: list[str]
) -> tuple[EditCommit, protocol.Acknowledged] | None:
    """Lock, edit, commit; None where the user cancelled. The lock goes with the connection, whatever happens."""
    client = await EngineClient.connect(store, CLIENT)
    try:
        session = await asyncio.to_thread(live_session, store, given)
        await client.ask(EditBegin(id=command_id(), session_id=session.id, candidate_id=candidate))
        if prompt is None:
            old = await asyncio.to_thread(_prompt, store, candidate)
            prompt = await _in_editor(editor, old)
            if prompt is None:
                await client.ask(EditCancel(id=command_id(), session_id=session.id, candidate_id=candidate))
                return None
        command = EditCommit(id=command_id(), session_id=session.id, candidate_id=candidate, prompt=prompt)
        try:
            usable_prompt(prompt)
            return command, await client.ask(command)
        except MineGapError:
            if editor:
                console.narrate(f"your text: {display_text(prompt)}")
            raise
    finally:
        await client.close()


def _prompt(store: Path, candidate: int) -> str:
    with open_reader(store) as reader:
        return reader.candidate(candidate).candidate.prompt


async def _in_editor(editor: list[str], old: str) -> str | None:
    """Return what the user made of the text; None where it is as before, empty, or the editor failed."""
    handle, name = tempfile.mkstemp(prefix="minegap-", suffix=".txt")  # mode 0600
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(old.encode())
        with _signals_kept(asyncio.current_task()):
            try:
                process = await asyncio.create_subprocess_exec(*editor, name)
            except OSError as error:
                raise InputError(
                    f"The editor {editor[0]!r} cannot be started ({error.strerror or error}): "
                    "correct $VISUAL or $EDITOR."
                ) from error
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    process.terminate()
                raise
        new = _read(path)
    finally:
        path.unlink(missing_ok=True)
    # an editor ends the last line; the prompt has no line end of its own
    new = new if old.endswith("\n") else new.removesuffix("\n")
    return new if code == 0 and new.strip() and new != old else None


def _read(path: Path) -> str:
    """Read the file by its name: many editors put a new one in its place."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise InputError(f"The edited text is more than {MAX_FILE_BYTES >> 10} KiB: shorten it.")
        return raw.decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InputError(
            f"The edited text is not UTF-8 (byte {error.start + 1}): save it as UTF-8."
        ) from error


@contextmanager
def _signals_kept(task: asyncio.Task[object] | None) -> Iterator[None]:
    """While the editor has the terminal, Ctrl-C is its own; a hang-up or an order to end cancels the edit."""
    assert task is not None
    loop = asyncio.get_running_loop()
    handlers: dict[signal.Signals, Callable[[], object]] = {
        signal.SIGINT: lambda: None,
        signal.SIGHUP: task.cancel,
        signal.SIGTERM: task.cancel,
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
