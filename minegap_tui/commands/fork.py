"""``minegap fork``: a new session that shares an old one's first generations and then goes its own way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from engine.client import command_id
from engine.commands import Fork
from engine.config import MiningConfig
from engine.config_sources import parse_config
from engine.errors import InputError
from engine.steering import effective_config
from minegap_tui import console
from minegap_tui.commands.follow import (
    begin,
    detach_option,
    finish,
    json_sink,
    leave,
    onlooker_sink,
    plain_option,
    show_app,
    wants_app,
)
from minegap_tui.commands.options import (
    config_options,
    find_session,
    flags,
    json_option,
    store_directory,
    store_option,
)
from minegap_tui.headless import watch
from minegap_tui.view.record import steering
from store import open_reader
from store.records import Event, Session

SHARED = ("models", "painter", "scorer")
"""Sections that say what the copied images and scores are."""


@click.command()
@click.argument("session")
@click.option(
    "--generation", type=click.IntRange(min=1), required=True, help="The last generation that both share."
)
@plain_option
@detach_option
@json_option
@config_options
@store_option
def fork(
    session: str,
    generation: int,
    plain: bool,
    detach: bool,
    as_json: bool,
    settings: tuple[str, ...],
    seed: int | None,
    store: Path | None,
) -> int:
    """Begin a new session from the first generations of SESSION (its id, the beginning of it, or 'last').

    It has their candidates, images, scores and steering, and goes on with the old configuration and what --set
    and --seed change in it; the models stay. The old session stays as it is. Then it is followed as by 'minegap
    mine', but Ctrl-C leaves it running.
    """
    directory = store_directory(store)
    with open_reader(directory) as reader:
        found = find_session(list(reader.sessions()), session, directory)
        events = reader.events(found.id)
    if generation > found.generations:
        raise InputError(
            f"Session {found.id} has {found.generations} generations, so it cannot be forked after generation "
            f"{generation}: choose one of them."
        )
    config = changed(in_force(found, events, generation), settings, seed)
    command = Fork(
        id=command_id(), session_id=found.id, generation=generation, config=config.model_dump_json()
    )
    answer = begin(directory, command)
    if detach:
        leave(directory, answer, answer.session_id, as_json)
        return 0
    if wants_app(plain, as_json):
        return show_app(directory, answer.session_id)
    sink = json_sink if as_json else onlooker_sink
    return finish(asyncio.run(watch(directory, answer.session_id, sink, console.narrate)), directory, as_json)


def in_force(session: Session, events: Iterable[Event], generation: int) -> MiningConfig:
    """Return a session's configuration with the knobs that were turned up to a generation.

    Raises:
        InputError: the session is of a version that this program does not read.
    """
    old = parse_config(session.config_json, f"session {session.id}")
    own = [entry for entry in steering(events) if entry.generation > (session.forked_generation or 0)]
    turned = effective_config(old, own, generation)
    if len(old.search.prompts) > turned.search.population:
        return turned
    return turned.model_copy(
        update={"search": turned.search.model_copy(update={"prompts": old.search.prompts})}
    )


def changed(old: MiningConfig, settings: tuple[str, ...], seed: int | None) -> MiningConfig:
    """Return a configuration with some settings changed.

    Raises:
        InputError: a setting is not valid, or would change what the copied generations were measured with.
    """
    merged: dict[str, Any] = json.loads(old.model_dump_json())
    for section, given in flags(settings, (("session", "seed", seed),)).items():
        merged.setdefault(section, {}).update(given)
    new = parse_config(json.dumps(merged), "the forked configuration")
    for section in SHARED:
        before, after = getattr(old, section).model_dump(), getattr(new, section).model_dump()
        for key, value in after.items():
            if value != before[key]:
                raise InputError(
                    f"{section}.{key} cannot change in a fork, whose first generations were measured with "
                    f"{before[key]!r}: begin a new session with 'minegap mine'."
                )
    if new.writer.model_dump(exclude={"prompts"}) != old.writer.model_dump(exclude={"prompts"}):
        raise InputError(
            "Of the writer, only writer.prompts can change in a fork: begin a new session instead."
        )
    return new
