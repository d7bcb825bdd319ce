"""Commands that change a running session: they ask the engine, print its answer and end."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar, cast

import click

from engine import commands
from engine.client import command_id
from engine.commands import After, Knob
from engine.errors import InputError
from engine.wire import MAX_LINE_BYTES
from minegap_tui import console
from minegap_tui.commands.options import json_option, store_directory, store_option, written_value
from minegap_tui.commands.talk import ask, candidate_argument, live_session, session_option, usable_prompt
from minegap_tui.headless import INTERRUPTED
from minegap_tui.sanitise import display_text
from minegap_tui.view.record import standing
from store import open_reader

MAX_PROMPTS = 10_000
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _options(command: _Function) -> _Function:
    return session_option(json_option(store_option(command)))


@click.command()
@click.option(
    "--after",
    type=click.Choice(["image", "batch", "generation"]),
    default="image",
    show_default=True,
    help="What is finished first: the images being drawn now, all that the painter holds, or the generation.",
)
@_options
def pause(after: str, session: str | None, as_json: bool, store: Path | None) -> None:
    """Pause the running session; its models stay loaded, and 'minegap resume' goes on in a moment."""
    unit = cast(After, after)
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Pause(id=command_id(), session_id=owner, after=unit),
    )


@click.command()
@_options
def step(session: str | None, as_json: bool, store: Path | None) -> None:
    """Go on until one more generation is finished, then pause."""
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Step(id=command_id(), session_id=owner),
    )


@click.command()
@click.option(
    "--now", is_flag=True, help="Do not wait for the images being drawn; they are drawn again later."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_options
def stop(now: bool, yes: bool, session: str | None, as_json: bool, store: Path | None) -> int:
    """Stop a session and let its models go; 'minegap resume SESSION' goes on with it whenever you like.

    On a terminal you are asked first.
    """
    directory = store_directory(store)
    if not yes and console.on_terminal():
        found = live_session(directory, session)
        named = f" ({display_text(found.name, 60)})" if found.name else ""
        question = f"Stop session {found.id}{named}, generation {found.generations}?"
        if not click.confirm(question, err=True):
            console.narrate("nothing is stopped: mining goes on")
            return INTERRUPTED
        session = found.id
    ask(
        directory,
        session,
        as_json,
        lambda owner: commands.Stop(id=command_id(), session_id=owner, at_once=now),
    )
    return 0


@click.command()
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@click.option(
    "--file", "source", type=click.File("rb"), help="A file with one prompt per line; '-' is standard input."
)
@_options
def inject(
    prompts: tuple[str, ...], source: Any, session: str | None, as_json: bool, store: Path | None
) -> None:
    """Put your own prompts into the next population, in front of what the search would breed.

    Where they do not fit into one population, the rest goes into the ones after it. Either all prompts are
    sent or, if one of them cannot be a prompt, none.
    """
    if bool(prompts) == (source is not None):
        raise click.UsageError("Give either prompts or --file")
    if source is None:
        wanted = tuple(usable_prompt(text, f"Prompt {n}") for n, text in enumerate(prompts, 1))
    else:
        name = "standard input" if source.name in ("-", "<stdin>") else repr(str(source.name))
        wanted = read_prompts(source.read(MAX_LINE_BYTES), name)
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Inject(id=command_id(), session_id=owner, prompts=wanted),
    )


def read_prompts(raw: bytes, name: str) -> tuple[str, ...]:
    """Return the prompts of a file, one per line; blank lines are passed over.

    Args:
        raw: the file, read up to ``MAX_LINE_BYTES``.
        name: the file's, for the message.

    Raises:
        InputError: a line cannot be a prompt, or there is none, or more than one command can carry.
    """
    if len(raw) >= MAX_LINE_BYTES // 2:
        raise InputError(f"The prompts in {name} are more than {MAX_LINE_BYTES // 2048} KiB: split the file.")
    prompts = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"Line {number} of {name} is not UTF-8 (byte {error.start + 1}): save the file as UTF-8."
            ) from error
        if text.strip():
            prompts.append(usable_prompt(text, f"Line {number} of {name}"))
    if not prompts:
        raise InputError(f"There is no prompt in {name}: write one per line.")
    if len(prompts) > MAX_PROMPTS:
        raise InputError(f"{name} holds {len(prompts)} prompts, more than {MAX_PROMPTS}: split the file.")
    return tuple(prompts)


@click.command()
@candidate_argument
@_options
def pin(candidate: int, session: str | None, as_json: bool, store: Path | None) -> None:
    """Keep CANDIDATE through every selection, measured again on new seeds in each generation.

    It is named by its id, as 'minegap show last' lists it.
    """
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Pin(id=command_id(), session_id=owner, candidate_id=candidate),
    )


@click.command()
@candidate_argument
@_options
def unpin(candidate: int, session: str | None, as_json: bool, store: Path | None) -> None:
    """Let a pinned CANDIDATE (its id) take its chances again, as every other one does."""
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Unpin(id=command_id(), session_id=owner, candidate_id=candidate),
    )


def _ban_options(command: _Function) -> _Function:
    command = click.option(
        "--lineage",
        "candidates",
        type=click.IntRange(1, 2**63 - 1),
        metavar="CANDIDATE",
        help="A candidate with all that share its oldest ancestor.",
        multiple=True,
    )(command)
    command = click.option("--word", "words", multiple=True, help="Every prompt with this word.")(command)
    return click.option("--prompt", "prompts", multiple=True, help="This prompt.")(command)


@click.command()
@_ban_options
@_options
def ban(
    prompts: tuple[str, ...],
    words: tuple[str, ...],
    candidates: tuple[int, ...],
    session: str | None,
    as_json: bool,
    store: Path | None,
) -> None:
    """Keep a prompt, a word or a whole lineage out of selection and of new populations.

    What is measured already stays in the record.
    """
    about = _banned(prompts, words, candidates)
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Ban(id=command_id(), session_id=owner, **about),
    )


@click.command()
@_ban_options
@_options
def lift(
    prompts: tuple[str, ...],
    words: tuple[str, ...],
    candidates: tuple[int, ...],
    session: str | None,
    as_json: bool,
    store: Path | None,
) -> None:
    """End a ban; name it as you did in 'minegap ban'."""
    about = _banned(prompts, words, candidates)
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Lift(id=command_id(), session_id=owner, **about),
    )


class _About(TypedDict):
    what: commands.Banned
    text: str
    candidate_id: int | None


def _banned(prompts: tuple[str, ...], words: tuple[str, ...], candidates: tuple[int, ...]) -> _About:
    # Each ban is a command of its own, so that it can be undone alone.
    if len(prompts) + len(words) + len(candidates) != 1:
        raise click.UsageError("Give exactly one of --prompt, --word and --lineage, once")
    if prompts:
        return {"what": "prompt", "text": usable_prompt(prompts[0]), "candidate_id": None}
    if words:
        if not words[0].strip():
            raise InputError("The word is empty: name the one that is meant.")
        return {"what": "word", "text": usable_prompt(words[0], "The word"), "candidate_id": None}
    return {"what": "lineage", "text": "", "candidate_id": candidates[0]}


@click.command()
@candidate_argument
@click.option("--images", type=click.IntRange(1, 4096), required=True, help="How many more images to draw.")
@_options
def rescore(candidate: int, images: int, session: str | None, as_json: bool, store: Path | None) -> None:
    """Measure CANDIDATE again now, on more images, so that its score is surer.

    It is named by its id, as 'minegap show last' lists it. A selection that is made already stays as it is.
    """
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.Rescore(
            id=command_id(), session_id=owner, candidate_id=candidate, images=images
        ),
    )


@click.command(name="set")
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
@_options
def set_knobs(settings: tuple[str, ...], session: str | None, as_json: bool, store: Path | None) -> None:
    """Change settings of the generations to come, e.g. images=32 theme="at work".

    Keys: population, survivors, mutations, images, variations, alpha, axis, theme, generations, and prompts
    (the directory of the writer's instructions). They are checked against each other before one of them counts.
    """
    knobs = dict(_knob(setting) for setting in settings)
    ask(
        store_directory(store),
        session,
        as_json,
        lambda owner: commands.SetKnobs(id=command_id(), session_id=owner, knobs=knobs),
    )


def _knob(setting: str) -> tuple[str, Knob]:
    name, equals, written = setting.partition("=")
    key = name.strip().removeprefix("search.").removeprefix("writer.")
    if not (equals and key):
        raise InputError(
            f"Setting {display_text(setting, 80)!r} is not KEY=VALUE: write for example images=32."
        )
    if key == "prompts":
        given = written.strip()
        return key, str(Path(given).expanduser().absolute()) if given else None
    value = written_value(written.strip())
    finite = not isinstance(value, float) or math.isfinite(value)
    if not (isinstance(value, int | float | str | bool) and finite):
        raise InputError(
            f"{display_text(setting, 80)!r} is no number and no text: write for example images=32."
        )
    return key, value


@click.command()
@click.argument("command", required=False)
@_options
def undo(command: str | None, session: str | None, as_json: bool, store: Path | None) -> None:
    """Withdraw a steering command before it has an effect: COMMAND (its id, as 'minegap log' shows it) or the last.

    Only what counts from a generation that is not being bred yet can be withdrawn.
    """
    directory = store_directory(store)
    found = live_session(directory, session)
    with open_reader(directory) as reader:
        given = standing(reader.events(found.id))
    if command is None:
        matching = given[-1:]
    else:
        matching = [name for name in given if name == command] or [
            name for name in given if name.startswith(command)
        ]
    if not matching:
        what = (
            f"steering command {display_text(command, 64)!r}" if command else "steering command to withdraw"
        )
        raise InputError(f"Session {found.id} has no {what}: see 'minegap log'.")
    if len(matching) > 1:
        raise InputError(f"{len(matching)} commands begin with {command!r}: write more of the id.")
    ask(
        directory,
        found.id,
        as_json,
        lambda owner: commands.Undo(id=command_id(), session_id=owner, command_id=matching[0]),
    )
