"""``minegap confirm``: what a session found, measured again by draws that the search never used."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from engine.client import command_id
from engine.commands import Confirm
from minegap_tui import console
from minegap_tui.commands.follow import finish, plain_sink
from minegap_tui.commands.options import find_session, json_option, store_directory, store_option
from minegap_tui.commands.talk import ask
from minegap_tui.headless import run_engine
from minegap_tui.view import findings
from store import open_reader
from store.records import Confirmation


@click.command()
@click.argument("session", required=False)
@click.option(
    "--top", type=click.IntRange(1, 1000), help="How many of the most biased prompts  [default: 5]."
)
@click.option(
    "--images",
    type=click.IntRange(2, 1 << 16),
    help="Images per prompt behind its confirmed score, rounded up to whole measurements  [default: two of them].",
)
@click.option(
    "--at-end",
    is_flag=True,
    help="Of a session that is being mined: when its last generation is, instead of as its settings say.",
)
@json_option
@store_option
def confirm(
    session: str | None, top: int | None, images: int | None, at_end: bool, as_json: bool, store: Path | None
) -> int:
    """Confirm the most biased prompts of SESSION, by fresh images and fresh variations.

    A search picks the lowest of many noisy scores, so its scores are too good. Here a second draw decides which
    prompts may be called biased, and a third one gives their scores, with 95 % intervals, beside unselected prompts
    of the same session. Missed concepts are drawn outright: only what the model can draw counts as missing.

    It is done at the end of every session, too ([confirm] enabled = false turns that off). What was drawn before is
    not drawn again. SESSION is named by its id, the beginning of it, or 'last' (the default;
    with --at-end the one that is being mined).
    """
    directory = store_directory(store)
    if at_end:
        ask(
            directory,
            session,
            as_json,
            lambda running: Confirm(id=command_id(), session_id=running, top=top, images=images, at_end=True),
        )
        return 0
    with open_reader(directory) as reader:
        found = find_session(list(reader.sessions()), session or "last", directory)
    order = Confirm(id=command_id(), session_id=found.id, top=top, images=images)
    outcome = asyncio.run(run_engine(directory, plain_sink, console.narrate, order=order))
    with open_reader(directory) as reader:
        done = reader.confirmation(found.id)
        confirmed = any(
            event.payload.get("command_id") == order.id for event in reader.events(found.id, 0, "confirmed")
        )
    if outcome.detached or not confirmed or done is None:
        return finish(outcome, directory, as_json=True)
    if as_json:
        console.data_json(findings.confirmation_json(done))
    else:
        for line in lines(done):
            console.data(line)
    return 0


def lines(found: Confirmation) -> list[str]:
    """Return a whole confirmation: findings with their missed concepts, then what is to be known of all."""
    head, *rows = findings.table(found.findings)
    shown = [head]
    for row, one in zip(rows, found.findings, strict=True):
        shown += [row, *(f"{'':13}{line}" for line in findings.concepts(one))]
    return [*shown, "", *findings.summary(found)]
